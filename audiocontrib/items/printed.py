"""Labels that are printed on the options themselves: "(A) Man", "B. guitar", "3) four".

They belong to the data, not to the option. Taken for text, they would rotate with it, and a letter in a
reply would mean another option than the one that carries it.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

NAME = r"(?:[A-Za-zＡ-Ｚａ-ｚ]|\d{1,2})"
_STYLES = {
    "(A)": re.compile(rf"[(（]\s?({NAME})\s?[)）][.:,：]?\s*(.*)", re.DOTALL),
    "[A]": re.compile(rf"[\[【]\s?({NAME})\s?[\]】][.:,：]?\s*(.*)", re.DOTALL),
    "<A>": re.compile(rf"<\s?({NAME})\s?>[.:,]?\s*(.*)", re.DOTALL),
    "{A}": re.compile(rf"\{{\s?({NAME})\s?\}}[.:,]?\s*(.*)", re.DOTALL),
    "A)": re.compile(rf"({NAME})[)）]\s*(.*)", re.DOTALL),
    "A.": re.compile(rf"({NAME})\.(?!\d)\s*(.*)", re.DOTALL),
    "A、": re.compile(rf"({NAME})[、．。]\s*(.*)", re.DOTALL),
    "A:": re.compile(rf"({NAME})[:：]\s+(.*)", re.DOTALL),
    "A -": re.compile(rf"({NAME})\s+[-–—]\s+(.*)", re.DOTALL),
    "**A.**": re.compile(rf"\*\*[(\[]?({NAME})[)\].:]{{0,2}}\*\*[.:)]?\s*(.*)", re.DOTALL),
    "①": re.compile(r"([①-⑳])\s*(.*)", re.DOTALL),
    "A |": re.compile(rf"({NAME})(?:\s?\||\t)\s*(.*)", re.DOTALL),
    "Option A": re.compile(
        rf"(?:option|choice|answer|选项|選項)\s?[(\[]?({NAME})[)\]]?\s?[.:)：、-]\s*(.*)", re.DOTALL | re.IGNORECASE
    ),
}
_MAYBE = re.compile(
    r"\s*(?:[(（\[【<{\d①-⑳]|\*\*|[A-Za-zＡ-Ｚａ-ｚ](?:[)）.、．。:：|]|\s)|option|choice|answer|选项|選項)",
    re.IGNORECASE,
)
"""How a text begins that can carry a label of any style; most options do not, and need no further look."""
_OF_A_NAME = re.compile(
    r"(?:(?:sharp|flat|natural|[#♯♭b])[\s-]?)?(?:major|minor|maj|min|dim\w*|aug\w*|sharp|flat|natural|[#♯♭]"
    r"|dorian|lydian"
    r"|phrygian|mixolydian|\d{0,2}th)\W*\Z|[A-Z]\.\s?[A-Z]\w",
    re.IGNORECASE,
)
"""What follows a letter that is part of a name: of a key ("A: minor"), or of a person ("B. B. King")."""
_BARE = re.compile(
    rf"\s*(?:option|choice|answer)?\s*[(\[{{<（【]?\s?({NAME})\s?[)\]}}>）】]?[.:、：]?\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Printed:
    """Options that carry one style of label."""

    style: str
    labels: tuple[str, ...]
    """Upper-case letter or number of each option, in the order given."""
    texts: tuple[str, ...]
    """The options without it."""

    def place(self, name: str) -> int | None:
        """Which option carries the label ``name`` (with or without brackets); None: none does."""
        label = bare_label(name)
        return self.labels.index(label) if label in self.labels else None


def bare_label(text: str) -> str:
    """The letter (upper case) or number of a text that is nothing but a label: "(b)", "B.", "Option 2"; else ""."""
    bare = _BARE.fullmatch(text)
    return _normal(bare[1]) if bare else ""


def label_and_rest(text: str) -> list[tuple[str, str]]:
    """The ways to read a text as a label and what it labels: "(b) cat" is ``("B", "cat")``."""
    return [(_normal(label), rest) for style in _STYLES for label, rest in labelled_so([text], style) if rest]


def printed_labels(choices: Sequence[str]) -> Printed | None:
    """The labels of options that all carry one, of one style, each its own; None otherwise.

    Letters must be the first K, numbers 1 to K or 0 to K-1, in any order: options may be shown rotated.
    Numbers before numbers ("1.5") are no labels. Labels within labels ("(A) 1. Man") are taken off too.
    """
    if not all(map(_MAYBE.match, choices)):
        return None
    for style in _STYLES:
        found = labelled_so(choices, style)
        if len(found) == len(choices) >= 2 and all(found):
            labels = tuple(_normal(label) for label, _ in found if label is not None)
            texts = tuple(text for _, text in found)
            if (
                all(texts)
                and _is_series(labels)
                and not all(map(_OF_A_NAME.match, texts))
                and not (labels[0].isdigit() and _may_be_numbers(choices, labels, texts))
            ):
                inner = printed_labels(texts)  # "(A) 1. Man": who printed the letters kept older numbers
                return Printed(style, labels, inner.texts if inner and _alike(labels, inner.labels) else texts)
    return None


def partly_labelled(choices: Sequence[str]) -> bool:
    """Whether some options begin with a label, and others do not, or with one of another style."""
    if sum(map(bool, map(_MAYBE.match, choices))) < 2 or printed_labels(choices):
        return False
    letters, rests = [], []
    for choice in choices:
        found = (_STYLES[style].fullmatch(choice.strip()) for style in ("(A)", "[A]", "A)", "A."))
        if m := next((m for m in found if m and m[1].isalpha() and m[2]), None):
            letters.append(_normal(m[1]))
            rests.append(m[2])
    first = set(string.ascii_uppercase[: len(choices)])
    named = all(map(_OF_A_NAME.match, rests))
    return len(letters) >= 2 and set(letters) <= first and len(set(letters)) == len(letters) and not named


def gold_place(answer: object, choices: Sequence[str], printed: Printed) -> int | None:
    """Which option a gold means: as printed, without its label, its label alone, or both in another style.

    None: it means none. ValueError: it is the text of one option and the label of another, or a label with
    another's text.
    """
    if not isinstance(answer, str | int) or isinstance(answer, bool):
        return None
    text = str(answer).strip()
    if text in choices:
        return list(choices).index(text)
    place = printed.place(text)
    if text in printed.texts:
        if place is not None and place != printed.texts.index(text):
            raise ValueError(f"{text!r} is the text of one option and the label of another")
        return printed.texts.index(text)
    if place is not None:
        return place
    for label, rest in label_and_rest(text):
        place = printed.place(label)
        if place is not None and rest in printed.texts:
            if printed.texts[place] != rest:
                raise ValueError(f"{text!r} is the label of one option and the text of another")
            return place
    return None


def labelled_so(choices: Sequence[str], style: str) -> list[tuple[str, str]]:
    """Label and rest of the options that carry one of this style."""
    found = (_STYLES[style].fullmatch(choice.strip()) for choice in choices)
    return [(m[1], m[2].strip()) for m in found if m]


def _normal(label: str) -> str:
    label = unicodedata.normalize("NFKC", label)
    return str(int(label)) if label.isdigit() else label.upper()


def _is_series(labels: Sequence[str]) -> bool:
    count = len(labels)
    series = (string.ascii_uppercase[:count], [str(n + 1) for n in range(count)], [str(n) for n in range(count)])
    return any(sorted(labels) == sorted(one) for one in series)


def _alike(labels: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two series stand in the same order."""
    return [sorted(labels).index(one) for one in labels] == [sorted(others).index(one) for one in others]


def _may_be_numbers(choices: Sequence[str], labels: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether numbers before the options may be part of them ("1.5", "1 - 2", "1: 2").

    Not if they count 1, 2, 3, and a bracket or a full stop and a space follow.
    """
    counted = len(labels) > 2 and list(labels) == [str(n + 1) for n in range(len(labels))]
    spaced = all(re.match(r"\W?\d{1,2}[)\]}>.、．]{1,2}\s", choice.strip()) for choice in choices)
    return not (counted and spaced) and any(not re.search(r"[^\W\d_]{2}", text) for text in texts)
