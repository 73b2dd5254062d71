"""Statements: what a text says of each option that it mentions, by the closed list of forms."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from audiocontrib.answers import forms, languages, retractions, words
from audiocontrib.answers.labels import Written
from audiocontrib.answers.mentions import Mention
from audiocontrib.answers.options import NOTHING, Indices

_MARK = {Written.LABEL: words.ONE, Written.CAPITAL: words.CAPITAL, Written.SMALL: words.SMALL}
_TO_SPACE = {ord(mark): " " for mark in words.MARKS}
_SENTENCE_END = re.compile(
    r"[!?;。…]+[\"')\]]{0,2}|\.(?:[\"')\]]{1,2}(?=\s|\Z)|(?=[\s\"')\]*}]|\Z))|\.(?=\w)(?<=[\ue000-\ue003]\.)(?!\d)"
    r"|(?<!:)(?<!answer)(?<!\Wansw)\n(?!\s{0,3}$)"
)
_CLAUSE = re.compile(
    r"[,:(—–]\s?|\s-{1,2}\s|\n|\b(?=(?:so|therefore|thus|hence|but|however|because|since|while|whereas|although"
    r"|though"
    r"|and (?:so|therefore|thus|hence|the|i|it|that|my)|which (?:means|suggests|implies|indicates)|leading)\b)"
)
_GOES_ON = re.compile(r"\.[\"')\]]?(?: (?=[^\W\d_])| ?(?=[,;:?.>)\]\u2e80-\u9fff\uac00-\ud7af]))")
_ITEM = re.compile(r"\n[\s*•>#-]{0,6}(?:\d{1,2}[.)] ?)?[\"'(\[*]{0,2}(?:option\s)?[\"'(\[*]{0,2}\Z")
_BULLET = re.compile(r"\n\s{0,3}[*•>#-]")
_DISCUSSED = re.compile(r"[\"')\]*]{0,3}\s?(?::|–|—| - )[\"')\]*]{0,3}\s?(?=\S)")
"""Around an option that opens a line, and of which more is said in it: "(b) piano: the attack is soft"."""
_TWICE = re.compile(
    rf"(?<![^\n])[\s*#>•-]{{0,6}}(?:the )?(?:final |correct |my )?(?:answer|choice"
    rf"|option)(?: is)?\s?[:=]?\s?{words.MARK}"
    rf"[.,;!\s]{{0,4}}\n(?=[\s*#>•-]{{0,6}}(?:the )?(?:final |correct |my )?(?:answer|choice|option)(?: is)?\s?[:=]?"
    rf"\s?({words.MARK})[.,;!]?\s{{0,3}}(?:\n|\Z))"
)
"""Two answers on lines of their own, and nothing between them."""
_NAMED = re.compile(
    r"\b(?:be|is|also|maybe|perhaps|possibly|choose|chose|pick|say|towards?|to|prefer|like|about|option|or|and)\s\Z"
)
_CLOSES = re.compile(r"[.,!?]?\"")
_STATED = re.compile(r"\b(?:is|was|be|choose|pick|say|it's|answer)\b")
_THEN = re.compile(r"[\s\"'(]{0,3}(?:then|in that case|in this hypothetical|under that)\b")
_ADDED = re.compile(r"[\s,]{0,3}(?:and|or|also|plus)\s")
_LINE = re.compile(rf"[\s\"'(\[{{*.>•-]{{0,8}}{words.MARK}[\s\"')\]}}*.,:;!。]{{0,8}}")
_UNSURE = re.compile(r"\s(?:might|may|could|would|can|or|and|but|if|also|too|seemed|was)\b")
_REACH = 260
_TRIES = 6


class Kind(IntEnum):
    """How a statement bears on the answer; the higher of the first three decides against the lower."""

    DECIDES = 3
    """The answer is …"""
    LINE = 2
    """An option on a line of its own."""
    SAYS = 1
    """It is …; or the option alone."""
    DENIES = 0
    ASIDE = -1
    """A condition, another's opinion, a comparison: it says nothing of the answer."""
    UNKNOWN = -2
    """No known form: it does not count, but neither is an answer before it certain."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of the options of one mention."""

    place: int
    kind: Kind
    choices: Indices
    added: bool = False
    """Named beside what was stated before, not in its place."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a text in order, and where it takes back what it said."""

    said: tuple[Statement, ...]
    retractions: tuple[int, ...]
    places: tuple[int, ...]
    """Where each stands in the clean text."""


def find_statements(text: str, mentions: list[Mention], count: int, *, numbers: bool) -> Statements:
    """What clean ``text`` says of its ``mentions``; ``numbers``: some of the ``count`` options are numbers."""
    masked, marks = _masked(text, mentions)
    reader = _Reader(masked, numbers)
    said = []
    for number, (place, mention) in enumerate(zip(marks, mentions, strict=True)):
        statement = reader.statement(place, mention, marks[number + 1] if number + 1 < len(marks) else len(masked))
        if len(mention.choices) == count > 2 and statement.kind is not Kind.DENIES:
            statement = Statement(place, Kind.ASIDE, mention.choices)  # the list of options once more
        said.append(statement)
    said = _without_items(said, masked, mentions)
    return Statements(tuple(said), tuple(reader.retractions), tuple(m.start for m in mentions))


def _without_items(said: list[Statement], masked: str, mentions: list[Mention]) -> list[Statement]:
    """The statements, but for the items of a list in which option after option is gone through.

    An item opens a line, with a bullet or a label, and names an option that none before it named.
    """
    items: dict[Indices, int] = {}
    for number, (one, mention) in enumerate(zip(said, mentions, strict=True)):
        opened = _ITEM.search(masked, max(0, one.place - 20), one.place)
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


def _masked(text: str, mentions: list[Mention]) -> tuple[str, list[int]]:
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


class _Reader:
    def __init__(self, text: str, numbers: bool) -> None:
        self.text, self.numbers = text, numbers
        ends = [(m.start(), m.end()) for m in _SENTENCE_END.finditer(text)]
        self.ends = [start for start, _ in ends]
        self.begins = [0, *(end for _, end in ends)]
        self.retractions = [m.end() for m in retractions.RETRACTS.finditer(text)]
        self.twice = {m.start(1) for m in _TWICE.finditer(text)}
        self.clauses = [m.end() for m in _CLAUSE.finditer(text)]

    def statement(self, place: int, mention: Mention, following: int) -> Statement:
        sentence = bisect_right(self.begins, place) - 1
        begin = self.begins[sentence]
        end = self.ends[sentence] if sentence < len(self.ends) else len(self.text)
        asks = end < len(self.text) and "?" in self.text[end : end + 2]
        kind, start = self._kind(place, begin, end, mention)
        if kind > Kind.DENIES:
            if asks or self._is_aside(place, begin, sentence) or self._is_spoiled(place, min(end, following)):
                kind = Kind.ASIDE if asks or self._is_aside(place, begin, sentence) else Kind.UNKNOWN
        elif kind is Kind.UNKNOWN and (asks or self._is_neutral(place, begin, end, sentence)):
            kind = Kind.ASIDE
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

    def _is_quoted(self, place: int, begin: int) -> bool:
        """Whether the statement stands in quotation marks, and not its option alone."""
        first = max(begin, place - _REACH)
        opened = self.text.rfind('"', first, place)
        if opened < 0 or not _CLOSES.match(self.text, place + 1):
            return False
        return bool(_STATED.search(self.text, opened, place)) and self.text.count('"', first, place) % 2 == 1

    def _starts(self, place: int, begin: int) -> Iterator[int]:
        """Where a form that ends at ``place`` may begin: clauses of its sentence, the nearest first."""
        last = bisect_right(self.clauses, place) - 1
        for index in range(last, max(-1, last - _TRIES), -1):
            if self.clauses[index] <= begin or place - self.clauses[index] > _REACH:
                break
            yield self.clauses[index]
        if place - begin <= _REACH:
            yield begin

    def _kind(self, place: int, begin: int, end: int, mention: Mention) -> tuple[Kind, int]:
        text, after = self.text, place + 1
        starts = list(self._starts(place, begin))
        nearest = starts[0] if starts else max(begin, place - _REACH)
        if words.DENIED_AFTER.match(text, after):
            return Kind.DENIES, nearest
        goes_on = bool(
            forms.TAIL.match(text, after)
            or languages.TAIL_ELSEWHERE.match(text, after)
            or (self.numbers and forms.NUMBER_TAIL.match(text, after))
            or (mention.labelled and mention.end - mention.start > 2 and not _UNSURE.match(text, after))
        )
        decided = forms.DECIDED_AFTER.match(text, after)
        elsewhere = languages.AFTER_ELSEWHERE.match(text, after)
        noted = forms.NOTED_AFTER.match(text, after)
        following = bisect_right(self.clauses, after)
        rest = min(end, place + 40, self.clauses[following] if following < len(self.clauses) else end)
        if text[after : after + 1] > "\u2e80" and languages.SPOILED_ELSEWHERE.search(text, after, rest):
            return Kind.DENIES, nearest
        if forms.MADE_AFTER.match(text, after) and forms.MADE.search(text, max(begin, place - 24), place):
            return Kind.DECIDES, nearest
        if goes_on and mention.labelled and self._is_named_in_full(place, begin, mention):
            return Kind.DECIDES, nearest
        for start in starts:
            if goes_on and mention.labelled and forms.WHICH_IS.fullmatch(text, start, place):
                return Kind.SAYS, start
            if decided and forms.SUBJECT.fullmatch(text, start, place):
                return Kind.DECIDES, start
            if noted and start == begin and forms.SUBJECT.fullmatch(text, start, place):
                return Kind.SAYS, start
            if goes_on and forms.STRONG.fullmatch(text, start, place):
                if start > begin and " would be" in text[start:place] and not forms.GIVEN.fullmatch(text, begin, start):
                    return Kind.ASIDE, start
                return Kind.DECIDES, start
            if goes_on and forms.WEAK.fullmatch(text, start, place):
                return Kind.SAYS, start
            if goes_on and _ITEM.search(text, max(0, place - 12), place) and _DISCUSSED.match(text, after):
                return Kind.ASIDE, start
            if goes_on and (
                (start == begin and forms.BARE.fullmatch(text, start, place))
                or forms.CONTINUED.fullmatch(text, start, place)
            ):
                return (Kind.LINE if self._alone(place) else Kind.SAYS), start
            but = goes_on and start > begin and forms.ONLY_BUT.fullmatch(text, start, place)
            if but and words.NEGATION.search(text, begin, start):
                return Kind.SAYS, start
            if languages.SPOILED_ELSEWHERE.search(text, start, rest) or languages.SUPPOSES.search(
                text, max(begin, place - 2 * _REACH), place
            ):
                continue
            lead = languages.LEADS_ELSEWHERE.fullmatch(text, start, place)
            if lead and (goes_on or elsewhere):
                return Kind.DECIDES, start
            if elsewhere and (lead or forms.SUBJECT.fullmatch(text, start, place) or not text[start:place].isascii()):
                return Kind.DECIDES, start
        if words.NEGATION.search(text, nearest, place):
            return Kind.DENIES, nearest
        return Kind.UNKNOWN, nearest

    def _is_named_in_full(self, place: int, begin: int, mention: Mention) -> bool:
        """Whether a letter and its text follow "… is:", and the sentence is of the answer."""
        first = max(begin, place - _REACH)
        return (
            mention.end - mention.start > 4
            and forms.NAMED_IN_FULL.search(self.text, max(begin, place - 12), place) is not None
            and words.NEGATION.search(self.text, first, place) is None
            and words.NOT_IT.search(self.text, first, place) is None
        )

    def _alone(self, place: int) -> bool:
        """Whether the mark is all that its line holds, in a text of several lines."""
        first = self.text.rfind("\n", 0, place) + 1
        last = self.text.find("\n", place)
        last = len(self.text) if last < 0 else last
        return last - first < 40 and last - first < len(self.text) and bool(_LINE.fullmatch(self.text, first, last))

    def _is_aside(self, place: int, begin: int, sentence: int) -> bool:
        if sentence and _THEN.match(self.text, begin):
            begin = self.begins[sentence - 1]
        last = bisect_right(self.retractions, place) - 1
        if last >= 0:  # what follows a retraction is no longer under what was said before it
            begin = max(begin, self.retractions[last])
        wide = [m.end() for m in words.WIDE.finditer(self.text, max(begin, place - 4 * _REACH), place)]
        return bool(wide) and not words.RESET.search(self.text, wide[-1], place)

    def _is_spoiled(self, place: int, end: int) -> bool:
        return bool(words.SPOILED_AFTER.search(self.text, place + 1, min(end, place + _REACH)))

    def _is_neutral(self, place: int, begin: int, end: int, sentence: int) -> bool:
        if self._is_aside(place, begin, sentence):
            return True
        first, last = max(begin, place - _REACH), min(end, place + _REACH)
        return bool(words.NEUTRAL.search(self.text, first, last) and not words.HEDGE.search(self.text, first, last))
