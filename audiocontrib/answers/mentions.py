"""Mentions: the places of a text where an option is named, by its text, its letter, or both."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from audiocontrib.answers.labels import find_letters
from audiocontrib.answers.names import find_names
from audiocontrib.answers.options import Indices, OptionIndex
from audiocontrib.answers.phrases import ENUMERATION

_TEXT_AFTER_LABEL = re.compile(r"[)\]}\"'.:,\s–—-]{1,6}(?:(?:which )?is\s)?(?:(?:(?i:the)|an?)\s)?[\"'(\[{*]{0,3}")
_LABEL_AFTER_TEXT = re.compile(r"[\s,\"'.*-]{0,3}[(\[{]\s?(?:(?i:option|choice)\s)?")
_GAP = 40  # characters; options further apart are not named side by side


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where an option is named. ``choices`` has several indices if it is not clear which."""

    start: int
    end: int
    choices: Indices
    labelled: bool = False
    """Named by its letter, alone or with its text."""


def find_mentions(text: str, options: OptionIndex) -> list[Mention]:
    """All mentions in clean ``text``, in order. A letter and the text beside it are one mention.

    Such a mention means what both mean; where they contradict each other, it means either.
    """
    named = [Mention(start, end, options.texts[name]) for (start, end), name in find_names(text, options)]
    letters: dict[int, Mention] = {}
    written: set[int] = set()
    for place, as_label in find_letters(text):
        if choices := options.letter(text[place]):
            letters[place] = Mention(place, place + 1, choices, labelled=True)
            if as_label and not options.lettered:
                written.add(place)
    free = [m for m in letters.values() if not _inside(m, named)]
    merged: list[Mention] = []
    for mention in sorted([*named, *free], key=lambda m: m.start):
        both = _both(text, merged[-1], mention, letters, written) if merged else None
        if both:
            merged[-1] = both
        else:
            merged.append(mention)
    return [m for m in merged if not m.labelled or m.end - m.start > 1 or m.start in written]


def side_by_side(text: str, mentions: list[Mention]) -> Iterator[list[Mention]]:
    """Mentions in groups: those of an enumeration ("a guitar or a piano") are one group."""
    group = mentions[:1]
    for before, after in pairwise(mentions):
        gap = text[before.end : min(after.start, before.end + _GAP)]
        if after.start - before.end >= _GAP or not ENUMERATION.fullmatch(gap):
            yield group
            group = []
        group.append(after)
    if group:
        yield group


def _inside(letter: Mention, named: list[Mention]) -> bool:
    place = bisect_right(named, letter.start, key=lambda m: m.start) - 1
    return place >= 0 and letter.end <= named[place].end


def _both(text: str, first: Mention, second: Mention, letters: dict[int, Mention], written: set[int]) -> Mention | None:
    """One mention of a letter and the text beside it ("B. piano", "piano (B)"); None if they stand apart."""
    gap = text[first.end : min(second.start, first.end + _GAP)]
    label = letters.get(first.start) if first.end - first.start == 1 else None
    if label and not second.labelled and _TEXT_AFTER_LABEL.fullmatch(gap):
        agreed = label.choices & second.choices
        if gap.isspace() and text[first.start] in "AaIi":
            return None  # the article ("A piano"), the pronoun
        if not (agreed or first.start in written or (first.labelled and (gap.isspace() or gap[0] in ".):"))):
            return None  # an option that is a letter, listed before another ("C, D")
        return Mention(first.start, second.end, agreed or label.choices | second.choices, labelled=True)
    if not first.labelled and second.labelled and _LABEL_AFTER_TEXT.fullmatch(gap):
        choices = first.choices & second.choices or first.choices | second.choices
        return Mention(first.start, second.end, choices, labelled=True)
    return None
