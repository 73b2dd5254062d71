"""A prompt as text: the system turn, and the user turn with places for the question and the options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from audiocontrib.errors import UsageError
from audiocontrib.prompts.lists import LISTS

# Verbatim from the published model (arXiv 2509.21060, model card).
SYSTEM = "You are an audio understanding model that answers multiple choice questions based on audio content."
QUESTION, OPTIONS = "{question}", "{options}"
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_DOUBLED = re.compile(r"\{\{\s*\w+\s*\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTemplate:
    """A prompt as text. The audio, where there is any, comes before the user's text.

    Raises:
        UsageError: question and options do not have one place each, or another word stands in braces.

    Example:
        >>> short = PromptTemplate(name="short", user="{question} Choose from: {options}. Use <answer> </answer>.")
        >>> ac.score(items, model, prompt=short, run="runs/short")
    """

    name: str
    user: str
    """With ``{question}`` and ``{options}``, once each. All other braces stay as they are."""
    system: str = SYSTEM
    options: str = "python"
    """How the options are listed: a name in :data:`LISTS`."""
    without_question: str | None = None
    """What is asked in place of ``user`` where the condition hides the question, with ``{options}``; None: ``user``
    without the question, which must then come first."""

    def __post_init__(self) -> None:
        for field in ("name", "user", "system", "options", "without_question"):
            value = getattr(self, field)
            if not isinstance(value, str) and (field, value) != ("without_question", None):
                raise UsageError(f"{field} is {value!r}, but must be text")
        if not NAME.fullmatch(self.name):
            raise UsageError(f"name is {self.name!r}, but must be of letters, digits, '.', '_' and '-'")
        LISTS.find(self.options)
        if not self.system.strip():
            raise UsageError("system is empty; every prompt has a system turn")
        _check_places("user", self.user, {QUESTION, OPTIONS})
        _check_places("system", self.system, set())
        if self.without_question is not None:
            _check_places("without_question", self.without_question, {OPTIONS})

    def user_text(self, question: str | None, options: Sequence[str]) -> str:
        """The user's text. What stands in a question or an option is never read as a place.

        Raises:
            UsageError: the question is hidden, and the template does not say how to ask then.
        """
        template = self.user if question is not None else self._without_question()
        filled = {QUESTION: question or "", OPTIONS: LISTS[self.options](options)}
        return "".join(filled.get(part, part) for part in re.split(r"(\{question\}|\{options\})", template))

    def _without_question(self) -> str:
        if self.without_question is not None:
            return self.without_question
        if not self.user.startswith(QUESTION):
            raise UsageError(
                f"prompt {self.name}: the question is not its first word, so it must say in without_question what is "
                "asked where a condition hides the question"
            )
        return self.user.removeprefix(QUESTION).lstrip()


def _check_places(field: str, text: str, wanted: set[str]) -> None:
    if doubled := _DOUBLED.search(text):
        raise UsageError(f"{field} holds {doubled[0]}; a place has one brace on each side, as {{question}}")
    found = [f"{{{word}}}" for word in _PLACE.findall(text)]
    if unknown := [place for place in found if place not in wanted]:
        there = f"its places are {' and '.join(sorted(wanted, reverse=True))}" if wanted else "it has no places"
        raise UsageError(f"{field} holds {unknown[0]}, which nothing is filled into; {there}")
    for place in sorted(wanted, reverse=True):
        if found.count(place) != 1:
            raise UsageError(f"{field} must hold {place} once, and holds it {found.count(place)} times")
