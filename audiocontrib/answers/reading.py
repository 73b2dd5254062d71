"""Reading: what a text without tags says, by the statements that it makes of the options it mentions."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from audiocontrib.answers import sequels
from audiocontrib.answers.kinds import Kind, Statement, Statements
from audiocontrib.answers.mentions import Mention, find_mentions
from audiocontrib.answers.options import NOTHING, Indices, OptionIndex
from audiocontrib.answers.refusals import find_refusals
from audiocontrib.answers.statements import find_statements

_QUOTES = "\"'"
_LISTED = re.compile(r"[\s,;|/*•.\"'-]{0,12}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: the choices it may mean (one, if it is an answer), or that it declines."""

    choices: Indices = NOTHING
    refused: bool = False
    retracted: bool = False
    """An answer was given and taken back."""


def read(text: str, options: OptionIndex, *, held: Indices | None = None, cut: bool = False) -> Reading:
    """What clean ``text`` says, ``cut`` off or not; ``held`` was answered before it, and may be taken back in it."""
    if len(text) > 2 and text[0] == text[-1] and text[0] in _QUOTES and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    whole = options.named_by(text)
    if whole is not None and held is None:
        return Reading(whole)
    mentions = _without_list(text, find_mentions(text, options), options.count)
    spans = [(m.start, m.end) for m in mentions]
    refusals = find_refusals(text)
    refusing = [span for span, touched in zip(refusals, _touched(refusals, spans), strict=True) if not touched]
    if not mentions and held is None:
        return Reading(NOTHING, bool(refusing))
    numbers = options.counts
    statements = find_statements(text, mentions, options.count, numbers=numbers)
    decision, retracted = _decide(statements, held)
    choices = decision.choices if decision else NOTHING
    if refusing and decision and decision.kind is Kind.SAYS and decision.place >= 0:
        place = statements.places[bisect_left([s.place for s in statements.said], decision.place)]
        if refusing[-1][0] > place:  # an option alone, and then a refusal
            choices = NOTHING
    if decision and choices and not _stands(statements, decision, cut=cut):
        choices = NOTHING
    return Reading(choices, bool(refusing), retracted)


def _stands(statements: Statements, decision: Statement, *, cut: bool) -> bool:
    """Whether all that follows an answer, from where it is last said, is of a known kind."""
    same = [s for s in statements.said if s.kind > Kind.DENIES and s.choices == decision.choices]
    last = max((s for s in same if s.place >= decision.place), key=lambda s: s.place, default=decision)
    clauses = statements.clauses
    if last.place >= 0 and not sequels.goes_on_known(clauses, last.place, loose=last.loose):
        return False
    number = {s.place: clauses.sentence(s.place)[0] for s in statements.said if s.place > last.place}
    denied = {number[s.place] for s in statements.said if s.kind is Kind.DENIES and s.place in number}
    others = {number[s.place] for s in statements.said if s.choices != decision.choices and s.place in number}
    repeated = set(number.values()) - others - denied
    return sequels.leaves_it(clauses, last.place, denied=denied & others, repeated=repeated, others=others, cut=cut)


def _decide(statements: Statements, held: Indices | None) -> tuple[Statement | None, bool]:
    """The last statement that stands, what was added to it included; and whether one was taken back."""
    current = Statement(-1, Kind.DECIDES, held) if held else None
    retracted = False
    takes_back = iter(statements.retractions)
    back = next(takes_back, None)
    for said in statements.said:
        while back is not None and back <= said.place:
            retracted, current = retracted or current is not None, None
            back = next(takes_back, None)
        current = _after(current, said)
    if back is not None and current is not None:
        retracted, current = True, None
    return current, retracted


def _after(current: Statement | None, said: Statement) -> Statement | None:
    """What stands after one more statement."""
    if said.kind is Kind.ASIDE or not said.choices:
        return current
    if said.kind is Kind.DENIES:
        return None if current and current.choices == said.choices else current
    if current is None:
        return said if said.kind > Kind.DENIES else None
    if said.kind > Kind.DENIES and not said.added:
        if said.choices == current.choices:
            return said if said.kind >= current.kind else current
        if said.kind is Kind.DECIDES or said.kind > current.kind:
            return said
    return Statement(current.place, current.kind, current.choices | said.choices)


def _without_list(text: str, mentions: list[Mention], count: int) -> list[Mention]:
    """The mentions but for those of a list of all options, each with its label, that stands for itself."""
    kept: list[Mention] = []
    run: list[Mention] = []
    listed: set[Indices] = set()
    for mention in mentions:
        follows = run and _LISTED.fullmatch(text, run[-1].end, mention.start)
        if not (follows and mention.labelled and len(mention.choices) == 1) or mention.choices in listed:
            kept += run
            run, listed = [], set()
        run.append(mention)
        listed.add(mention.choices)
        if len(listed) == count > 2:
            run, listed = [], set()
    return kept + run


def _touched(spans: list[tuple[int, int]], by: list[tuple[int, int]]) -> list[bool]:
    """For each of the sorted ``spans``, whether one of the sorted ``by`` overlaps it."""
    touched = []
    place = 0
    for start, end in spans:
        while place < len(by) and by[place][1] <= start:
            place += 1
        touched.append(place < len(by) and by[place][0] < end)
    return touched
