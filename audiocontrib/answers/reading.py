"""Reading: what a text without tags says, from the options it mentions and the phrases around them."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiocontrib.answers.mentions import Mention, find_mentions, side_by_side
from audiocontrib.answers.options import Indices, OptionIndex
from audiocontrib.answers.phrases import (
    CLAUSE_END,
    DECISIVE,
    DECISIVE_AFTER,
    FILLER,
    LEANING,
    NEGATED_AFTER,
    NEGATION,
)
from audiocontrib.answers.refusals import REFUSAL

NOTHING: Indices = frozenset()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the choices it may mean (one, if it is an answer), or that it declines."""

    choices: Indices = NOTHING
    refused: bool = False


def read(text: str, options: OptionIndex) -> Reading:
    """What clean ``text`` says."""
    whole = options.named_by(text)
    if whole is not None:
        return Reading(whole)
    mentions = find_mentions(text, options)
    spans = [(m.start, m.end) for m in mentions]
    refusals = [m.span() for m in REFUSAL.finditer(text)]
    refused = not all(_touched(refusals, spans))  # an option may itself read like a refusal
    clauses = _Clauses(text)
    groups = list(side_by_side(text, mentions))
    decisions = [
        *_leading_label(text, groups, clauses),
        *_decisions(text, mentions, groups, clauses),
        *_standing_lines(text, options),
    ]
    if decisions:
        return Reading(max(decisions, key=lambda decision: decision[0])[1], refused)
    asserted = [group for group in groups if not any(clauses.denies(m) or clauses.asks(m) for m in group)]
    if refused:
        committed = _targets(LEANING, text, mentions)
        committed |= {m.start for m, touched in zip(mentions, _touched(spans, refusals), strict=True) if touched}
        asserted = [group for group in asserted if any(m.start in committed for m in group)]
    return Reading(_union(m for group in asserted for m in group), refused)


Decision = tuple[int, Indices]
"""Where a text decides, and for what."""


class _Clauses:
    """The clauses of a text, and which of them assert nothing of the options they mention."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._ends = [m.start() for m in CLAUSE_END.finditer(text)]
        self._negations = [m.start() for m in NEGATION.finditer(text)]

    def denies(self, mention: Mention) -> bool:
        """Whether the mention is negated ("not a piano", "B is wrong")."""
        if NEGATED_AFTER.match(self._text, mention.end):
            return True
        here = bisect_right(self._ends, mention.start)
        negation = bisect_left(self._negations, mention.start) - 1
        return negation >= 0 and self._negations[negation] >= (self._ends[here - 1] if here else 0)

    def asks(self, mention: Mention) -> bool:
        """Whether the clause of the mention ends in a question mark."""
        following = bisect_left(self._ends, mention.end)
        return following < len(self._ends) and self._text[self._ends[following]] == "?"


def _decisions(
    text: str, mentions: list[Mention], groups: list[list[Mention]], clauses: _Clauses
) -> Iterator[Decision]:
    """Options that a phrase before or after them chooses."""
    chosen = _targets(DECISIVE, text, mentions)
    for group in groups:
        asserted = [m for m in group if not clauses.denies(m)]
        targets = [m for m in asserted if m.start in chosen]
        if targets:
            yield targets[0].start, _union(m for m in asserted if m.start >= targets[0].start)
        elif asserted and DECISIVE_AFTER.match(text, group[-1].end):
            yield group[-1].start, _union(asserted)


def _standing_lines(text: str, options: OptionIndex) -> Iterator[Decision]:
    """A line that is an option and nothing else. Several such lines are a list unless they agree."""
    if "\n" not in text:
        return
    position, last, named = 0, 0, NOTHING
    for line in text.split("\n"):
        found = options.named_by(line)
        if found:
            if named and found != named:
                return
            last, named = position, found
        position += len(line) + 1
    if named:
        yield last, named


def _leading_label(text: str, groups: list[list[Mention]], clauses: _Clauses) -> Iterator[Decision]:
    """A label that opens the text ("B. It has …"), unless another label or a text speaks against it."""
    first = groups[0][0] if groups else None
    if first is None or not first.labelled or re.search(r"\w", text[: first.start]):
        return
    asserted = [m for group in groups for m in group if not clauses.denies(m)]
    labels = _union(m for m in asserted if m.labelled)
    texts = _union(m for m in asserted if not m.labelled)
    with_text = first.end - first.start > 1
    if labels == first.choices and (with_text or not texts or labels <= texts):
        yield first.start, labels


def _targets(phrase: re.Pattern[str], text: str, mentions: list[Mention]) -> set[int]:
    """Starts of the mentions that directly follow ``phrase``."""
    starts = [m.start for m in mentions]
    found: set[int] = set()
    for cue in phrase.finditer(text) if starts else ():
        gap = FILLER.match(text, cue.end())
        place = bisect_left(starts, cue.end())
        if gap is not None and place < len(starts) and starts[place] <= gap.end():
            found.add(starts[place])
    return found


def _touched(spans: list[tuple[int, int]], by: list[tuple[int, int]]) -> list[bool]:
    """For each of the sorted ``spans``, whether one of the sorted ``by`` overlaps it."""
    touched = []
    place = 0
    for start, end in spans:
        while place < len(by) and by[place][1] <= start:
            place += 1
        touched.append(place < len(by) and by[place][0] < end)
    return touched


def _union(mentions: Iterable[Mention]) -> Indices:
    return NOTHING.union(*(m.choices for m in mentions))
