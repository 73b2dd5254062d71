"""The two published rewards (arXiv 2509.21060), as audiocontrib has them. Needs nothing beside Python."""

import re

TAGGED = re.compile("<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)


def said(text: str) -> str:
    """What the first tag holds, or all of it where there is none."""
    found = TAGGED.search(text)
    return (found[1] if found else text).strip().lower()


def says_the_same(reply: str, target: str) -> float:
    """1 if both say the same text."""
    return float(said(reply) == said(target))


def is_one_tag(reply: str) -> float:
    """1 if the reply, but for blanks around it, is one tag in small letters and nothing else."""
    bare = reply.strip()
    once = bare.count("<answer>") == bare.count("</answer>") == 1
    return float(once and bare.startswith("<answer>") and bare.endswith("</answer>"))
