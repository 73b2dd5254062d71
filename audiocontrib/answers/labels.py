"""Labels: letters that stand for an option: "(b)", "option B", "the answer is B", "B." opening a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audiocontrib.answers.phrases import DECISIVE, FILLER, LEANING
from audiocontrib.answers.text import CLOSED, WORD

_LETTER = re.compile(rf"(?<!{WORD})(?<!\w['&/+-])[A-Za-z](?!{WORD}|['&/]\w|[#+♯♭%°]|-\w)")
_FORMS = (
    re.compile(r"[(\[{] ?([A-Za-z]) ?[)\]}]"),
    re.compile(r"(?:\A|\n|[.!?;] )[ \"'*>•-]{0,6}([A-Z])(?:\.(?=\s|\Z|[A-Za-z]{2})|:(?=\s|\Z)| [-–—] )"),
    re.compile(r"(?:\A|\n|[.!?;] )[ \"'*>•-]{0,6}([A-Za-z])\)"),
    re.compile(r"(?i:\b(?:option|choice|letter)|\banswer ?[:=]|选项|選項)\s?[\"'(\[{*]{0,3}([A-Za-z])(?!\w)"),
    re.compile(
        r"(?:\A|\n|[.,;!?] )([A-Z])"
        r"(?=,? (?:is|are|was|because|since|cannot|can't|isn't|(?:would|must) be|(?:and|or) [A-Z])\b)"
    ),
)
_NEXT = re.compile(r"\s?(?:,\s?(?:or\s|and\s)?|/|&|\b(?:or|and|nor)\s)\s?[\"'(\[{*]{0,2}(?=[A-Z](?!\w))")


def find_letters(text: str) -> Iterator[tuple[int, bool]]:
    """Places of single letters in clean ``text``, and whether each is written as a label.

    Those that are not may still be one, if they are in upper case and their option's text follows.
    """
    labels = _labels(text)
    for letter in _LETTER.finditer(text):
        if letter.start() in labels or letter[0].isupper():
            yield letter.start(), letter.start() in labels


def _labels(text: str) -> set[int]:
    found = {m.start(1) for form in _FORMS for m in form.finditer(text)}
    for phrase in (DECISIVE, LEANING):
        for cue in phrase.finditer(text):
            gap = FILLER.match(text, cue.end())
            place = gap.end() if gap else cue.end()
            letter = text[place : place + 1]
            if letter.isupper() or (phrase is DECISIVE and letter.isalpha() and letter not in "ai"):
                found.add(place)
    # "A" and "I" are words as well: something must close the label.
    found = {place for place in found if CLOSED.match(text, place + 1)}
    for place in sorted(found):
        # "A or B": what is listed beside a label is a label.
        while (beside := _NEXT.match(text, place + 1)) and beside.end() not in found:
            place = beside.end()
            found.add(place)
    return found
