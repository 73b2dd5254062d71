"""Rewards of GRPO: the right option, and the form of the reply."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audiocontrib.answers import Answer, parse
from audiocontrib.prompts import CLOSE, OPEN
from audiocontrib.responses import Outcome

FORM = re.compile(rf"{OPEN}(?:(?!<[/|a-z]).)+{CLOSE}", re.DOTALL | re.IGNORECASE)
"""The whole reply. Other markup has no place in it, a second tag or a special token neither; ``a < b`` has."""


def format_reward(reply: str) -> float:
    """1 if the reply is one ``<answer>…</answer>`` and nothing else, not even a space; else 0."""
    return float(FORM.fullmatch(reply) is not None)


def accuracy_reward(reply: str, options: Sequence[str], gold: int) -> float:
    """1 if the reply is read as the gold option (:func:`audiocontrib.answers.parse`), else 0.

    The published reward compares strings, and takes the whole reply where there is no tag (arXiv 2509.21060); here a
    reply counts that an evaluation would count, and the tag is left to the other reward.
    """
    return float(parse(reply, options).choice == gold)


def abstaining_reward(reply: str, options: Sequence[str], abstain_option: str | None) -> float:
    """1 if a reply to silence declines to answer, in words or by the option that says so; else 0."""
    answer = parse(reply, options)
    if answer.outcome == Outcome.REFUSED:
        return 1.0
    return float(abstain_option is not None and _names(answer, options, abstain_option))


def _names(answer: Answer, options: Sequence[str], option: str) -> bool:
    return answer.choice is not None and options[answer.choice] == option
