"""Letters that stand for an option: "(b)", "option B", "B." opening a line; and those that may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from audiocontrib.answers.text import CLOSED, WORD


class Written(Enum):
    """How sure it is that a letter is a label."""

    LABEL = "label"
    """Written as one, so that it names its option wherever it stands."""
    CAPITAL = "capital"
    """A capital that stands alone: one where a statement of a known form names it."""
    SMALL = "small"
    """A small letter that stands alone: one after "the answer is" and the like."""
    NONE = "none"
    """Part of a sentence: one only where the text of its option follows."""


_LETTER = re.compile(rf"(?<!{WORD})(?<!\w['&/+-])(?<![≠¬])(?<!\A!)(?<!\s!)[A-Za-z](?!{WORD}|['&/]\w|[#+♯♭%°]|-\w)")
_CUE = (
    r"(?i:\b(?:options?|choices?|letter|opción|opcion|opção|opcao|opzione|réponse|lettre|letra|lettera|buchstabe"
    r"|вариант"
    r"|буква|пункт)|\banswer ?[:=]|选项|選項|选择|选|選択肢|選肢|옵션|보기|선택지)"
)
_FORMS = (
    re.compile(r"[(\[{<] ?([A-Za-z]) ?[)\]}>]"),
    re.compile(r"(?:\A|\n|[.!?;] )[ \"'*>•-]{0,6}([A-Z])(?:\.(?=\s|\Z|[A-Za-z]{2})|:(?=\s|\Z)| [-–—] )"),
    re.compile(r"(?:\A|\n|[.!?;] )[ \"'*>•-]{0,6}([A-Za-z])\)"),
    re.compile(_CUE + r"\s?[\"'(\[{*]{0,3}([A-Za-z])(?!\w)"),
    re.compile(_CUE + r"\s?[\"'(\[{*]{0,3}([A-Za-z])(?=[\u2e80-\uffef])"),
    re.compile(
        r"(?:\A|\n|[.,;!?] )([A-Z])(?=,? (?:is|are|was|were|because|since|cannot|can't|isn't|doesn't|does|seems"
        r"|fits|also|too|it is"
        r"|describes|(?:would|must|could|might|may|should)(?: also)? (?:be|fit|work))\b)"
    ),
)
_NEXT = re.compile(r"\s?(?:,\s?(?:or\s|and\s)?|/|&|\+|\||\b(?:or|and|nor)\s)\s?[\"'(\[{*]{0,2}(?=[A-Z](?!\w))")
_ROW = re.compile(r"(?<![\w'-])([A-H](?: [A-H]){1,7})(?![\w#♯♭'])")
"""Capitals side by side: labels all."""
_ASKED = re.compile(r"\bQ ?\d{0,2}[:.] [^\n]{0,200}\?\s{1,3}A:")
_NAMED = re.compile(
    r"(?:\b(?i:option|choice|letter)\s[\"'(\[{*]{0,3}([A-Z])(?=\s)|(?i:\banswer) ?[:=] ?([A-Z]) ?(?=[(\[])"
    r"|(?:\A|\n)[ \"'*>•-]{0,6}([A-Z])(?= ?[(\[][^()\[\]\n]{1,60}[)\]][.!]?(?:\n|\Z)))"
)
"""A capital that no article can be: after "option", before a bracket, or with one as all of its line."""
_PAIR = re.compile(r" [B-H](?:[ .,;!?]|\Z)")
_SHUT = re.compile(r"[\"')\]}>.:,]|\s?\Z")


def find_letters(text: str) -> Iterator[tuple[int, Written]]:
    """Places of single letters in clean ``text``, and how each is written."""
    labels = _labels(text)
    asked = _ASKED.search(text)
    for letter in _LETTER.finditer(text):
        place = letter.start()
        if asked and letter[0] == "A" and text[place + 1 : place + 2] == ":":
            continue  # "Q: … A: …"
        if place in labels:
            yield place, Written.LABEL
        elif not CLOSED.match(text, place + 1):
            if letter[0].isupper():
                yield place, Written.NONE
        elif letter[0].isupper():
            yield place, Written.CAPITAL
        elif letter[0] not in "aiosuyex" and _SHUT.match(text, place + 1):
            yield place, Written.SMALL


def _labels(text: str) -> set[int]:
    found = {m.start(1) for form in _FORMS for m in form.finditer(text)}
    found |= {m.start(1) + step for m in _ROW.finditer(text) for step in range(0, len(m[1]), 2)}
    # "A" and "I" are words as well: something must close the label.
    named = {m.start(m.lastindex or 0) for m in _NAMED.finditer(text)}
    found = named | {p for p in found if CLOSED.match(text, p + 1) or _PAIR.match(text, p + 1)}
    for place in sorted(found):
        # "A or B": what is listed beside a label is a label.
        while (beside := _NEXT.match(text, place + 1)) and beside.end() not in found:
            place = beside.end()
            found.add(place)
    return found
