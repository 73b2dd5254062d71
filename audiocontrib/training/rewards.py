"""Rewards of GRPO: the right option, and the form of the reply."""

from __future__ import annotations

import re
from collections.abc import Sequence

from audiocontrib.answers import Answer, parse
from audiocontrib.prompts import CLOSE, OPEN
from audiocontrib.responses import Outcome

FORM = re.compile(rf"{OPEN}(?:(?!<[/|a-z]).)+{CLOSE}", re.DOTALL | re.IGNORECASE)
"""The whole reply. Other markup has no place in it, a second tag or a special token neither; ``a < b`` has."""


def format_reward(reply: str, form: re.Pattern[str] = FORM) -> float:
    """1 if the reply is one ``<answer>…</answer>`` and nothing else, not even a space; else 0.

    ``form``: of another target, such as one with a thought before the answer (``target.form_of``).
    """
    return float(form.fullmatch(reply) is not None)


def accuracy_reward(
    reply: str, options: Sequence[str], gold: int, *, credited: bool = False, abstain_option: str | None = None
) -> float:
    """1 if the reply is read as the gold option (:func:`audiocontrib.answers.parse`), else 0.

    ``credited``: a reply that declines, in words or by the option that says so, earns what a guess would on average:
    1/K of the K options that answer. So declining is no worse than guessing; a reply that cannot be read earns nothing.

    The published reward compares strings, and takes the whole reply where there is no tag (arXiv 2509.21060); here a
    reply counts that an evaluation would count, and the tag is left to the other reward.
    """
    answer = parse(reply, options)
    if credited and _declines(answer, options, abstain_option):
        return 1 / (len(options) - (abstain_option in options))
    return float(answer.choice == gold)


def abstaining_reward(reply: str, options: Sequence[str], abstain_option: str | None) -> float:
    """1 if a reply to silence declines to answer, in words or by the option that says so; else 0."""
    return float(_declines(parse(reply, options), options, abstain_option))


def _declines(answer: Answer, options: Sequence[str], option: str | None) -> bool:
    named = answer.choice is not None and options[answer.choice] == option
    return answer.outcome == Outcome.REFUSED or named
