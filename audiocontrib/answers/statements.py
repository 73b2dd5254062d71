"""Statements: what a text says of each option that it mentions, by the closed list of forms."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace

from audiocontrib.answers import asides, retractions, words
from audiocontrib.answers.clauses import REACH, Clauses
from audiocontrib.answers.forming import ITEM, kind_of
from audiocontrib.answers.forms import upsets
from audiocontrib.answers.kinds import Kind, Statement, Statements
from audiocontrib.answers.labels import Written
from audiocontrib.answers.masks import mask
from audiocontrib.answers.mentions import Mention
from audiocontrib.answers.options import NOTHING, Indices

_YES_NO = re.compile("yes|no|true|false", re.IGNORECASE)
_BULLET = re.compile(r"\n\s{0,3}[*•>#-]")
_TWICE = re.compile(
    rf"(?<![^\n])[\s*#>•-]{{0,6}}(?:the )?(?:final |correct |my )?(?:answer|choice"
    rf"|option)(?: is)?\s?[:=]?\s?{words.MARK}"
    rf"[.,;!\s]{{0,4}}\n(?=[\s*#>•-]{{0,6}}(?:the )?(?:final |correct |my )?(?:answer|choice|option)(?: is)?\s?[:=]?"
    rf"\s?({words.MARK})[.,;!]?\s{{0,3}}(?:\n|\Z))"
)
"""Two answers on lines of their own, and nothing between them."""
_NAMED = re.compile(
    r"\b(?:be|is|tick|mark|circle|select|accept|allow|add|consider|include|take|with|for|also|maybe|perhaps"
    r"|possibly|choose|chose|pick|say|towards?|to|prefer|like|about|option|or|and)\s\Z"
)
_UNFIT = re.compile(r"(?:n't|not) (?:fit|match|add up|sound right|work)")
_OTHERS = re.compile(r"\b(?:others?|rest|neither|none|options|choices|alternatives|remaining)\b")
_OPENED = re.compile(r"(?<![\w\ue000-\ue003])'(?=[\w\ue000-\ue003])")
_SHUT = re.compile(r"'(?![\w\ue000-\ue003])")
_VERDICT = re.compile(rf"[\s*•>-]{{0,6}}{words.MARK}[ .:)–—-]{{1,4}}no\b[ .]{{0,2}}(?=\n|\Z)")
_CLOSES = re.compile(r"[.,!?']?\"")
_CLOSES_SINGLE = re.compile(r"[.,!?]?'(?![\w\ue000-\ue003])")
_STATED = re.compile(r"\b(?:is|was|be|choose|pick|say|it's|answer)\b")
_THEN = re.compile(r"[\s\"'(]{0,3}(?:then|in that case|in this hypothetical|under that)\b")
_ADDED = re.compile(r"[\s,]{0,3}(?:and|or|also|plus)\s")


def find_statements(text: str, mentions: list[Mention], count: int, *, numbers: bool) -> Statements:
    """What clean ``text`` says of its ``mentions``; ``numbers``: some of the ``count`` options are numbers."""
    masked, marks = mask(text, mentions)
    reader = _Reader(masked, numbers)
    said = []
    for number, (place, mention) in enumerate(zip(marks, mentions, strict=True)):
        statement = reader.statement(place, mention, marks[number + 1] if number + 1 < len(marks) else len(masked))
        if len(mention.choices) == count > 2 and statement.kind is not Kind.DENIES:
            statement = Statement(place, Kind.ASIDE, mention.choices)  # the list of options once more
        loose = mention.labelled or _YES_NO.fullmatch(text, mention.start, mention.end) is not None
        said.append(replace(statement, loose=loose))
    said = _without_items(_with_repeats(said, reader), masked, mentions)
    return Statements(tuple(said), tuple(reader.retractions), tuple(m.start for m in mentions), reader.clauses)


def _with_repeats(said: list[Statement], reader: _Reader) -> list[Statement]:
    """The statements; those that say another thing than the one before them, with no turn between, are added to it.

    "The answer is X. The answer is Y." names two, and so does an option that opens the reply on a line of its own
    if another is stated later and the first is not taken back.
    """
    told: list[Statement] = []
    last = first = None
    for one in said:
        if one.kind is Kind.DECIDES and last and last.choices != one.choices and reader.goes_straight_on(last, one):
            one = replace(one, added=True)
        if one.kind is Kind.DECIDES and first and first.choices != one.choices and not reader.turns_back(first, one):
            one = replace(one, added=True)
        if one.kind is Kind.LINE and not told and not reader.text[: one.place].strip(" \n\"'([{*#>.-"):
            first = one
        last = one if one.kind is Kind.DECIDES else last
        told.append(one)
    return told


def _without_items(said: list[Statement], masked: str, mentions: list[Mention]) -> list[Statement]:
    """The statements, but for the items of a list in which option after option is gone through.

    An item opens a line, with a bullet or a label, and names an option that none before it named.
    """
    items: dict[Indices, int] = {}
    for number, (one, mention) in enumerate(zip(said, mentions, strict=True)):
        opened = ITEM.search(masked, max(0, one.place - 20), one.place)
        if opened and len(one.choices) == 1 and (mention.labelled or _BULLET.match(opened[0])):
            items.setdefault(one.choices, number)
    if len(items) < 2:
        return said
    listed = set(items.values())
    return [
        Statement(one.place, Kind.ASIDE, one.choices)
        if number in listed and one.kind in (Kind.SAYS, Kind.LINE)
        else one
        for number, one in enumerate(said)
    ]


class _Reader:
    def __init__(self, text: str, numbers: bool) -> None:
        self.text, self.numbers = text, numbers
        self.clauses = Clauses(text)
        self.retractions = [m.end() for m in retractions.RETRACTS.finditer(text) if not self._is_of_others(m)]
        self.resets = [m.end() for m in asides.RESET.finditer(text)]
        self.astray = [m.start() for m in upsets.LEADS_ASTRAY.finditer(text)]
        self.twice = {m.start(1) for m in _TWICE.finditer(text)}

    def statement(self, place: int, mention: Mention, following: int) -> Statement:
        sentence, begin, end = self.clauses.sentence(place)
        asks = end < len(self.text) and "?" in self.text[end : end + 2]
        kind, start = kind_of(self.clauses, place, mention, numbers=self.numbers)
        if kind > Kind.DENIES:
            if asks or self._is_aside(place, begin, sentence) or self._is_spoiled(place, min(end, following)):
                kind = Kind.ASIDE if asks or self._is_aside(place, begin, sentence) else Kind.UNKNOWN
        elif kind is Kind.UNKNOWN and (asks or self._is_neutral(place, begin, end, sentence)):
            kind = Kind.ASIDE
        if kind > Kind.DENIES and self._is_astray(begin, start, sentence):
            kind = Kind.UNKNOWN
        if kind > Kind.DENIES and self._is_quoted(place, begin):
            kind = Kind.ASIDE
        loose = mention.written in (Written.CAPITAL, Written.SMALL)
        if loose and (
            (kind is Kind.UNKNOWN and not _NAMED.search(self.text, max(begin, place - 24), place))
            or (mention.written is Written.SMALL and kind in (Kind.SAYS, Kind.LINE))
        ):
            return Statement(place, Kind.ASIDE, NOTHING)  # no label, then
        added = kind > Kind.DENIES and bool(
            place in self.twice
            or words.ADDS.match(self.text, begin)
            or words.TOO.search(self.text, max(begin, start), place)
            or (start > begin and _ADDED.match(self.text, start))
            or (start > begin and _ADDED.match(self.text, max(begin, start - 4)))
        )
        return Statement(place, kind, mention.choices, added)

    def turns_back(self, first: Statement, second: Statement) -> bool:
        """Whether something between two statements takes the first back."""
        return bisect_right(self.retractions, second.place) > bisect_right(self.retractions, first.place)

    def goes_straight_on(self, first: Statement, second: Statement) -> bool:
        """Whether the second stands in the same or the next sentence, and no word between turns or concludes."""
        number, begin, _ = self.clauses.sentence(second.place)
        follows = number - self.clauses.sentence(first.place)[0] <= 1
        begin = max(begin, first.place + 1)
        return follows and not self.turns_back(first, second) and not words.TURNS.search(self.text, begin, second.place)

    def _is_of_others(self, found: re.Match[str]) -> bool:
        """Whether what does not fit are the other options, or one of the options in a list of verdicts."""
        line = self.text.rfind("\n", max(0, found.start() - 12), found.start() + 1) + 1
        if _VERDICT.match(self.text, line) and found.end() - line < 16:
            return True
        if not _UNFIT.search(found[0]):
            return False
        _, begin, _ = self.clauses.sentence(found.start())
        return bool(_OTHERS.search(self.text, max(begin, found.start() - REACH), found.start()))

    def _is_quoted(self, place: int, begin: int) -> bool:
        """Whether the statement stands in quotation marks, and not its option alone."""
        first = max(begin, place - REACH)
        opened = self.text.rfind('"', first, place)
        if opened < 0 or not _CLOSES.match(self.text, place + 1):
            return self._is_quoted_singly(place, first)
        return bool(_STATED.search(self.text, opened, place)) and self.text.count('"', first, place) % 2 == 1

    def _is_quoted_singly(self, place: int, first: int) -> bool:
        *_, opened = (-1, *(m.start() for m in _OPENED.finditer(self.text, first, place)))
        if opened < 0 or not _CLOSES_SINGLE.match(self.text, place + 1) or _SHUT.search(self.text, opened + 1, place):
            return False
        return bool(_STATED.search(self.text, opened, place))

    def _is_aside(self, place: int, begin: int, sentence: int) -> bool:
        if sentence and _THEN.match(self.text, begin):
            begin = self.clauses.begins[sentence - 1]
        last = bisect_right(self.retractions, place) - 1
        if last >= 0:  # what follows a retraction is no longer under what was said before it
            begin = max(begin, self.retractions[last])
        wide = [m.end() for m in asides.WIDE.finditer(self.text, max(begin, place - 4 * REACH), place)]
        return bool(wide) and not asides.RESET.search(self.text, wide[-1], place)

    def _is_astray(self, begin: int, start: int, sentence: int) -> bool:
        """Whether what leads up to a form gives the answer to another, or sets it aside."""
        last = bisect_right(self.retractions, start + 12) - 1
        turn = bisect_right(self.resets, start + 16) - 1
        turned = [*self.retractions[max(last, 0) : last + 1], *self.resets[max(turn, 0) : turn + 1]]
        first = max([begin, start - 4 * REACH, *turned])
        if bisect_right(self.astray, first - 1) < bisect_right(self.astray, start - 1):
            return True
        if first == begin and upsets.WHEN.match(self.text, begin) and start > begin:
            return True
        if not sentence or first > begin or words.TURNS.match(self.text, begin):
            return False
        before = max(self.clauses.begins[sentence - 1], begin - REACH)
        return bool(upsets.SETS_ASIDE.search(self.text, before, begin))

    def _is_spoiled(self, place: int, end: int) -> bool:
        return bool(asides.SPOILED_AFTER.search(self.text, place + 1, min(end, place + REACH)))

    def _is_neutral(self, place: int, begin: int, end: int, sentence: int) -> bool:
        if self._is_aside(place, begin, sentence):
            return True
        first, last = max(begin, place - REACH), min(end, place + REACH)
        return bool(asides.NEUTRAL.search(self.text, first, last) and not asides.HEDGE.search(self.text, first, last))
