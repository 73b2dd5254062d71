"""Mentions: the places of a text where an option is named, by its text, its letter, or both."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace

from audiocontrib.answers.labels import Written, find_letters
from audiocontrib.answers.names import find_names
from audiocontrib.answers.options import NOTHING, Indices, OptionIndex

_TEXT_AFTER_LABEL = re.compile(
    r"[)\]}>\"'.:,=→\s–—-]{1,6}(?:(?:which|that) is\s|i\.e\.,?\s|namely\s)?(?:(?:(?i:the)|an?)\s)?[\"'(\[{*]{0,3}"
)
_LABEL_AFTER_TEXT = re.compile(r"[\s,\"'.*-]{0,3}[(\[{]\s?(?:(?i:option|choice|answer|letter|选项)[:\s]?\s?)?")
_CUED = re.compile(r"(?i:\b(?:option|choice|letter)\s|选项|選項|選択肢|옵션)\s?[\"'(\[]?\Z")
_AND = (
    r"(?i:as well as|along with|together with|in addition to|alongside|combined with|accompanied by|followed by"
    r"|mixed with|or else|or maybe|or perhaps|or possibly|or even|or alternatively|and also|and maybe|and perhaps|and"
    r"|or|nor|plus|vs|versus|with|then|und|oder|et|ou|y|e|o|и|или|either|both|maybe|perhaps|possibly|also|the|an?"
    r"|option|choice)"
)
_BESIDE = re.compile(
    rf"(?:\.\s?(?=[a-z,;/&+|\u2e80-\uffff]))?[\s,;/&+|\"'()\[\]{{}}、和与と或및나과와か→]{{0,6}}(?:(?:->|=>"
    rf"|\b{_AND}\b\.?"
    rf"|或者?|还是|以及|または|또는)[\s,/&+|\"'()\[\]]{{0,4}}){{0,4}}"
)
_NEXT_LINE = re.compile(r"[\s,/&+|\"'()\[\]*•-]{0,10}(?:(?i:or|and|plus)\s)?")
_NOT = re.compile(
    r"(?i:\b(?:not|no|never|neither|nor|cannot|\w{1,8}n't|unlikely|wrong|rul\w+ out|eliminat\w+|exclud\w+)\b)"
)
_GAP = 48  # characters; options further apart are not named side by side


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where an option is named. ``choices`` has several indices if it is not clear which."""

    start: int
    end: int
    choices: Indices
    labelled: bool = False
    """Named by its letter, alone or with its text."""
    written: Written = Written.LABEL
    """Of a letter without its text: how it is written. A text always counts."""
    several: bool = False
    """Options named side by side ("a guitar or a piano")."""


def find_mentions(text: str, options: OptionIndex) -> list[Mention]:
    """All mentions in clean ``text``, in order. A letter and the text beside it are one mention.

    Such a mention means what both mean; where they contradict each other, it means either. Options that
    are named side by side are one mention too, which means all of them.
    """
    named = [Mention(start, end, choices) for (start, end), choices in find_names(text, options)]
    letters: dict[int, Mention] = {}
    for place, written in find_letters(text):
        if choices := options.letter(text[place]):
            how = Written.NONE if options.lettered and options.labels is None else written
            letters[place] = Mention(place, place + 1, choices, labelled=True, written=how)
    if options.lettered:  # of "option C" it is not clear whether the third is meant or the one that reads "C"
        named = [
            replace(m, choices=m.choices | options.letter(text[m.start]))
            if m.end - m.start == 1
            and (options.labels is not None or _CUED.search(text, max(0, m.start - 12), m.start))
            else m
            for m in named
        ]
    free = [m for m in letters.values() if not _inside(m, named)]
    merged: list[Mention] = []
    for mention in sorted([*named, *free], key=lambda m: m.start):
        both = _both(text, merged[-1], mention, letters) if merged else None
        if both:
            merged[-1] = both
        else:
            merged.append(mention)
    return _groups(text, [m for m in merged if m.written is not Written.NONE])


def _groups(text: str, mentions: list[Mention]) -> list[Mention]:
    """Those that stand side by side as one."""
    groups: list[Mention] = []
    last = None
    for mention in mentions:
        if last is not None and _is_beside(text, last, mention.start):
            held = groups[-1]
            choices = held.choices | mention.choices
            several = held.several or len(choices) > max(len(held.choices), len(mention.choices))
            groups[-1] = replace(
                held, end=mention.end, choices=choices, several=several, written=_surer(held.written, mention.written)
            )
        else:
            groups.append(mention)
        last = mention
    return groups


def _is_beside(text: str, first: Mention, start: int) -> bool:
    """Whether options are named side by side: with no more than "and", "or" and the like between them."""
    end = first.end
    if start - end >= _GAP:
        return False
    if ";" in text[end:start] and _NOT.search(text, max(0, first.start - _GAP), first.start):
        return False  # "it is no guitar; violin"
    return bool((_NEXT_LINE if "\n" in text[end:start] else _BESIDE).fullmatch(text, end, start))


def _surer(one: Written, other: Written) -> Written:
    order = (Written.LABEL, Written.CAPITAL, Written.SMALL, Written.NONE)
    return min(one, other, key=order.index)


def _inside(letter: Mention, named: list[Mention]) -> bool:
    place = bisect_right(named, letter.start, key=lambda m: m.start) - 1
    return place >= 0 and letter.end <= named[place].end


def _both(text: str, first: Mention, second: Mention, letters: dict[int, Mention]) -> Mention | None:
    """One mention of a letter and the text beside it ("B. piano", "piano (B)"); None if they stand apart."""
    gap = text[first.end : min(second.start, first.end + _GAP)]
    label = letters.get(first.start) if first.end - first.start == 1 else None
    if label and not second.labelled and _TEXT_AFTER_LABEL.fullmatch(gap):
        agreed = label.choices & second.choices
        if gap.isspace() and text[first.start] in "AaIi":
            return None  # the article ("A piano"), the pronoun
        sure = label.written is Written.LABEL
        if not (agreed or sure or gap[:1] in (".", ")", ":") or (first.labelled and gap.isspace())):
            return None  # an option that is a letter, listed before another ("C, D")
        return Mention(first.start, second.end, agreed or label.choices | second.choices, labelled=True)
    if not first.labelled and second.labelled and _LABEL_AFTER_TEXT.fullmatch(gap):
        choices = first.choices & second.choices or first.choices | second.choices
        return Mention(first.start, second.end, choices, labelled=True)
    return None


def union(mentions: list[Mention]) -> Indices:
    """All that the mentions may mean."""
    return NOTHING.union(*(m.choices for m in mentions))
