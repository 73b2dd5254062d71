"""Forming: of which known form the statement around an option is."""

from __future__ import annotations

import re

from audiocontrib.answers import asides, denials, languages
from audiocontrib.answers.clauses import REACH, Clauses
from audiocontrib.answers.forms import after as onward
from audiocontrib.answers.forms import before
from audiocontrib.answers.kinds import Kind
from audiocontrib.answers.mentions import Mention

ITEM = re.compile(r"\n[\s*•>#-]{0,6}(?:\d{1,2}[.)] ?)?[\"'(\[*]{0,2}(?:option\s)?[\"'(\[*]{0,2}\Z")
"""Before an option that opens a line as an item of a list."""
_DISCUSSED = re.compile(r"[\"')\]*]{0,3}\s?(?::|–|—| - )[\"')\]*]{0,3}\s?(?=\S)")
"""Around an option that opens a line, and of which more is said in it: "(b) piano: the attack is soft"."""
_NO = re.compile(r"\bno\s[\"'(]?(?:an?\s)?[\"'(]?\Z")
_UNSURE = re.compile(r"\s(?:might|may|could|would|can|or|and|but|if|also|too|seemed|was)\b")


def kind_of(clauses: Clauses, place: int, mention: Mention, *, numbers: bool) -> tuple[Kind, int]:
    """How the statement around the mark at ``place`` bears on the answer, and where it begins."""
    _, begin, end = clauses.sentence(place)
    text, after = clauses.text, place + 1
    starts = list(clauses.starts(place, begin))
    nearest = starts[0] if starts else max(begin, place - REACH)
    if denials.DENIED_AFTER.match(text, after):
        return Kind.DENIES, nearest
    if _NO.search(text, max(begin, place - 12), place):
        return Kind.UNKNOWN, nearest  # ", no" is a denial in one language, a correction in another
    goes_on = bool(
        onward.TAIL.match(text, after)
        or languages.TAIL_ELSEWHERE.match(text, after)
        or (numbers and not mention.labelled and onward.NUMBER_TAIL.match(text, after))
        or (mention.labelled and mention.end - mention.start > 2 and not _UNSURE.match(text, after))
    )
    best = onward.DECIDED_AFTER.match(text, after)
    decided = best is not None and not onward.NOT_MINE.search(text, best.end(), min(end, best.end() + REACH))
    elsewhere = languages.AFTER_ELSEWHERE.match(text, after)
    noted = onward.NOTED_AFTER.match(text, after) is not None
    rest = min(place + 40, clauses.clause_end(after, end))
    if text[after : after + 1] > "\u2e80" and languages.SPOILED_ELSEWHERE.search(text, after, rest):
        return Kind.DENIES, nearest
    if onward.MADE_AFTER.match(text, after) and onward.MADE.search(text, max(begin, place - 24), place):
        return Kind.DECIDES, nearest
    if goes_on and mention.labelled and _is_named_in_full(text, place, begin, mention):
        return Kind.DECIDES, nearest
    for start in starts:
        formed = _formed(clauses, start, place, mention, goes_on, decided, noted)
        if formed is not None and (start == begin or _is_led(text, begin, start, place)):
            return formed, start
        but = goes_on and start > begin and before.ONLY_BUT.fullmatch(text, start, place)
        if but and denials.NEGATION.search(text, begin, start):
            return Kind.SAYS, start
        if not (goes_on or elsewhere):
            continue
        if languages.LEADS_ELSEWHERE.fullmatch(text, start, place) or (
            elsewhere and (before.SUBJECT.fullmatch(text, start, place) or not text[start:place].isascii())
        ):
            if languages.SPOILED_ELSEWHERE.search(text, start, rest):
                continue
            if not languages.SUPPOSES.search(text, max(begin, place - 2 * REACH), place):
                return Kind.DECIDES, start
    if denials.NEGATION.search(text, nearest, place):
        return Kind.DENIES, nearest
    return Kind.UNKNOWN, nearest


def _formed(
    clauses: Clauses, start: int, place: int, mention: Mention, goes_on: bool, decided: bool, noted: bool
) -> Kind | None:
    """The kind of the English form that leads from ``start`` to the mark; None if there is none."""
    text, after = clauses.text, place + 1
    _, begin, _ = clauses.sentence(place)
    if goes_on and mention.labelled and before.WHICH_IS.fullmatch(text, start, place):
        return Kind.SAYS
    if decided and before.SUBJECT.fullmatch(text, start, place):
        return Kind.DECIDES
    if noted and start == begin and before.SUBJECT.fullmatch(text, start, place):
        return Kind.SAYS
    if goes_on and before.STRONG.fullmatch(text, start, place):
        if start > begin and " would be" in text[start:place] and not before.GIVEN.fullmatch(text, begin, start):
            return Kind.ASIDE
        return Kind.DECIDES
    if goes_on and before.WEAK.fullmatch(text, start, place):
        return Kind.SAYS
    if goes_on and ITEM.search(text, max(0, place - 12), place) and _DISCUSSED.match(text, after):
        return Kind.ASIDE
    if goes_on and (
        (start == begin and before.BARE.fullmatch(text, start, place)) or before.CONTINUED.fullmatch(text, start, place)
    ):
        return Kind.LINE if clauses.alone(place) else Kind.SAYS
    return None


def _is_led(text: str, begin: int, start: int, place: int) -> bool:
    """Whether what comes before a form in its sentence may lead to an answer of one's own."""
    return bool(before.JOINS.match(text, start, place) or before.LED.fullmatch(text, begin, start))


def _is_named_in_full(text: str, place: int, begin: int, mention: Mention) -> bool:
    """Whether a letter and its text follow "… is:", and the sentence is of the answer."""
    first = max(begin, place - REACH)
    return (
        mention.end - mention.start > 4
        and before.NAMED_IN_FULL.search(text, max(begin, place - 40), place) is not None
        and denials.NEGATION.search(text, first, place) is None
        and asides.NOT_IT.search(text, first, place) is None
    )
