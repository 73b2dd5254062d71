"""Masks: a text with one mark in the place of each option that it mentions, on which the forms are matched."""

from __future__ import annotations

import re

from audiocontrib.answers import words
from audiocontrib.answers.labels import Written
from audiocontrib.answers.mentions import Mention

_MARK = {Written.LABEL: words.ONE, Written.CAPITAL: words.CAPITAL, Written.SMALL: words.SMALL}
_TO_SPACE = {ord(mark): " " for mark in words.MARKS}
_GOES_ON = re.compile(r"\.[\"')\]]?(?: (?=[^\W\d_])| ?(?=[,;:?.>)\]\u2e80-\u9fff\uac00-\ud7af]))")


def mask(text: str, mentions: list[Mention]) -> tuple[str, list[int]]:
    """Folded text with one mark for each mention, and the places of the marks."""
    folded = text.casefold().translate(_TO_SPACE)
    pieces, places, position, length = [], [], 0, 0
    named = False
    for mention in mentions:
        pieces += [_between(text, folded, position, mention.start, named)]
        named = mention.end - mention.start > 1
        pieces += [words.SEVERAL if mention.several else _MARK[mention.written]]
        length += mention.start - position
        places.append(length)
        length, position = length + 1, mention.end
    return "".join([*pieces, _between(text, folded, position, len(folded), named)]), places


def _between(text: str, folded: str, first: int, last: int, named: bool) -> str:
    """The folded text between two mentions, without an option's own full stop in the middle of a sentence."""
    goes_on = _GOES_ON.match(text, first) if named and last > first else None
    if goes_on and not text[goes_on.end() : goes_on.end() + 1].isupper():
        return "'" + folded[first + 1 : last]
    return folded[first:last]
