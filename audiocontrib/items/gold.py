"""Which option a gold means: by its text, its letter, its index or its number, as people write them."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.items.printed import bare_label, label_and_rest

FOLDED = "the gold is an option but for case and blanks"
"""Note on an item whose gold was not written as the option is."""
_LEAD = re.compile(r"(?:the\s+)?(?:correct\s+|right\s+)?answer(?:\s+is\s*[:：]?|\s*[:：])\s*", re.IGNORECASE)
_WHOLE = re.compile(r"-?\d{1,9}(?:\.0{1,9})?")


def gold_index(answer: Any, choices: Sequence[str], answer_as: str, labels: Sequence[str] = ()) -> int:
    """The place of the gold among the choices.

    Args:
        answer: as the row has it; a list of one is that one.
        answer_as: what it is: the option's ``text``, its ``letter``, its ``index`` from 0 or its ``number`` from 1.
        labels: of the choices, where the row gives them labels; empty: they are A, B, C, …

    Raises:
        BadItem: it names no option, or two that differ, or it is several.
    """
    if isinstance(answer, list | tuple):
        if len(answer) != 1:
            raise BadItem("answer", f"holds {len(answer)} golds, {answer!r:.80}; an item has one")
        answer = answer[0]
    if answer is None or answer == "":
        raise BadItem("answer", "is empty")
    if answer_as not in _WAYS:
        raise ValueError(f"answer_as is {answer_as!r}; it is {', '.join(WAYS)}")
    return _WAYS[answer_as](answer, choices, labels)


def folded(text: str) -> str:
    """A text without what case and blanks tell apart."""
    return " ".join(text.split()).casefold()


def number_told(answer: Any) -> int | None:
    """A whole number as JSON, CSV or a float column gives it: 1, "1", 1.0 or "1.0"; None for 1.5, True and texts.

    A text that is a label with a number, "(2)" or "Option 2", is that number.
    """
    if isinstance(answer, bool):
        return None
    if isinstance(answer, str):
        text = answer.strip()
        label = text if _WHOLE.fullmatch(text) else bare_label(text)
        return int(label.partition(".")[0]) if _WHOLE.fullmatch(label) else None
    try:
        number = int(answer)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == answer else None


def _by_text(answer: Any, choices: Sequence[str], labels: Sequence[str]) -> int:
    place = list(choices).index(answer) if answer in choices else None
    named = _labelled(_written(answer), labels)
    if place is not None and named not in (None, place):
        raise BadItem("answer", f"{answer!r} is the text of one option and the label of another")
    if place is None:
        place = named
    if place is None and isinstance(answer, str):
        place = _spoken(_LEAD.sub("", answer.strip(), count=1), choices, labels)
    if place is None:
        raise BadItem("answer", f"{answer!r} is not one of the choices {list(choices)!r}")
    return place


def _by_letter(answer: Any, choices: Sequence[str], labels: Sequence[str]) -> int:
    text = _LEAD.sub("", _written(answer), count=1)
    place = _labelled(text, labels or string.ascii_uppercase)
    if place is None and len(bare_label(text)) != 1:
        place = _spoken(text, choices, labels, whole=False)
    if place is None or place >= len(choices):
        raise BadItem("answer", f"letter {answer!r} is outside the {len(choices)} choices")
    return place


def _by_place(first: int, word: str) -> Callable[[Any, Sequence[str], Sequence[str]], int]:
    def read(answer: Any, choices: Sequence[str], labels: Sequence[str]) -> int:
        number = number_told(answer)
        if number is None:
            raise BadItem("answer", f"{answer!r:.80} is not {word}")
        if not 0 <= number - first < len(choices):
            raise BadItem("answer", f"{word.split()[-1]} {answer!r} is outside the {len(choices)} choices")
        return number - first

    return read


_WAYS = {"text": _by_text, "letter": _by_letter, "index": _by_place(0, "an index"), "number": _by_place(1, "a number")}
WAYS = tuple(_WAYS)
MEANINGS = {
    "text": "the text of an option",
    "letter": "the letter of an option",
    "index": "the place of an option, counted from 0",
    "number": "the place of an option, counted from 1",
}
"""What a gold may be given as."""


def _written(answer: Any) -> str:
    """A gold as a label is written: the number 2.0 is 2."""
    number = None if isinstance(answer, str) else number_told(answer)
    return str(answer if number is None else number).strip()


def _labelled(text: str, labels: Sequence[str]) -> int | None:
    """The place whose label a text is, with or without brackets."""
    for name in (text, bare_label(text)):
        found = [place for place, label in enumerate(labels) if name and folded(label) == folded(name)]
        if len(found) == 1:
            return found[0]
    return None


def _spoken(text: str, choices: Sequence[str], labels: Sequence[str], *, whole: bool = True) -> int | None:
    """The one option that a text is but for case and blanks, or whose label and text it is."""
    place = _alike(text, choices) if whole else None
    if place is not None:
        return place
    for label, rest in label_and_rest(text):
        place = _alike(rest, choices)
        if place is None:
            continue
        named = _labelled(label, labels or string.ascii_uppercase)
        if label.isdigit() and not labels:
            named = next((n for n in (int(label), int(label) - 1) if n == place), -1)  # from 0 or from 1
        if named != place:
            raise BadItem("answer", f"{text!r} is the label of one option and the text of another")
        return place
    return None


def _alike(text: str, choices: Sequence[str]) -> int | None:
    if text in choices:
        return list(choices).index(text)
    found = dict.fromkeys(choice for choice in choices if folded(choice) == folded(text))
    return list(choices).index(next(iter(found))) if len(found) == 1 else None
