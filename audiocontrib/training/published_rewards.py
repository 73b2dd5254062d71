"""The two rewards as the authors of AudioMCQ compute them (arXiv 2509.21060, ``training_scripts/plugin.py``).

Texts are compared as they stand: neither the options nor the other ways in which a reply may answer are looked at.
"""

from __future__ import annotations

import re

from audiocontrib.prompts import CLOSE, OPEN

TAGGED = re.compile(f"{OPEN}(.*?){CLOSE}", re.DOTALL | re.IGNORECASE)


def published_accuracy(reply: str, target: str) -> float:
    """1 if both say the same text, but for case and blanks around it; else 0.

    A text is what the first tag holds, or all of it where there is none.
    """
    return float(_said(reply) == _said(target))


def published_format(reply: str) -> float:
    """1 if the reply, but for blanks around it, is one tag in small letters and nothing else; else 0."""
    bare = reply.strip()
    once = bare.count(OPEN) == bare.count(CLOSE) == 1
    return float(once and bare.startswith(OPEN) and bare.endswith(CLOSE))


def _said(text: str) -> str:
    found = TAGGED.search(text)
    return (found[1] if found else text).strip().lower()
