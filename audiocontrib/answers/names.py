"""Names: where an option's own text stands in a reply as a whole phrase, words in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audiocontrib.answers.numbers import find_quantities, read_value
from audiocontrib.answers.options import Indices, OptionIndex
from audiocontrib.answers.text import CLOSED, WORD, fold

Span = tuple[int, int]

# A phrase ends where its word ends: "5" is not in "-5", "5%", "24.5" or "5:3", nor "C" in "C#" and "C++".
_STARTS_WORD = re.compile(WORD)
_BEFORE = re.compile(rf"(?:{WORD}|{WORD}[-'/&]|\d[.,:]|(?:\A|\s)[!≠¬])\Z")
_BEFORE_DIGIT = re.compile(r"[-+−.,:/$€£¥#±]\Z")
_BEFORE_SIGN = re.compile(rf"{WORD}\Z")
_AFTER = re.compile(rf"{WORD}|[#♯♭°%+]|[-'/&:]{WORD}|[.,]\d")

# "C major" is not in "C major 7th", nor "A" in "A flat": a chord goes on after a space.
_CHORD = re.compile("[a-g](?:[#♯♭b]| sharp| flat)?(?: ?(?:major|minor|maj|min))?")
_CHORD_GOES_ON = re.compile(
    r" ?(?:\d{1,2}(?:th|st|nd|rd)?\b|(?:major|minor|maj|min|sharp|flat|diminished|augmented|dim|aug|sus\d?|add\d?"
    r"|seventh|ninth|eleventh|thirteenth)\b)"
)
_NO_KEY = re.compile(
    r" (?!(?:key|scale|chord|triad|mode|tonality|is|in|because|since|as|rather|with|and|or"
    r"|would|could|might|may|can|also|too|has|fits|works|seems|sounds|are|was)\b)[a-z]"
)
"""After "a minor": the article, and a word that goes on ("a minor change")."""

# Options that are everyday words too, and letters, count only where they stand alone.
_EVERYDAY = re.compile(
    "a|am|an|and|as|at|be|by|do|go|he|i|if|in|is|it|me|my|no|not|of|on|or|she|so|the|they|this|to|us|we"
)
_NONE_OF = re.compile(
    r" of (?:(?:the|these|those|your|all)(?: \w+)? (?:options?|choices?|answers?|above)|them|these|those)\b"
    r"| other than\b"
)
"""After "none": nothing is chosen."""
_INDEX, _INDEXED = re.compile(r"\n[ *•>-]{0,6}\Z"), re.compile(r"[.)] ?(?=\S)")
"""Around the number of an item in a list."""
_COUNTED = re.compile(r" ([a-z]{3,20}s|people|men|women|children)\b")
_PERSONS = re.compile(
    r"(?:speaker|voice|person|singer|individual|talker|participant|vocalist|time|sound|performer|character"
    r"|musician)s?"
    r"|people|m[ae]n|wom[ae]n|child(?:ren)?"
)
_NUMBERED = re.compile(r"\b(?:answer|part|clip|audio|question|step|sound|sample|item|q|track|point|note) \Z")
_COLON = re.compile(r"\s?[:)]")
"""Around the number of a part: "answer 2: …"."""
_OPENED = re.compile(r"(?:\A|[^\w\s'-]\s?|\n|\b(?:is|was|says?|said|word|be)\s)[\"'(\[{*]{0,3}\Z", re.IGNORECASE)


def find_names(text: str, options: OptionIndex) -> Iterator[tuple[Span, Indices]]:
    """Places of option texts in clean ``text``, in order; none lies inside a longer one.

    A mention of "acoustic guitar" is so no mention of "guitar". Of options that are numbers the value counts:
    a number that is none of them is no mention.
    """
    folded = fold(text)
    found = [
        ((start, start + len(name)), options.texts[name])
        for name in options.texts
        if options.values is None or read_value(name) is None
        for start in _occurrences(folded, name)
        if _is_whole(folded, start, start + len(name), name) and _is_meant(text, start, start + len(name), name)
    ]
    for quantity in find_quantities(text.casefold()) if options.values is not None else ():
        if _INDEX.search(text, max(0, quantity.start - 8), quantity.start) and _INDEXED.match(text, quantity.end):
            continue
        if _NUMBERED.search(folded, max(0, quantity.start - 12), quantity.start) and _COLON.match(text, quantity.end):
            continue
        if options.noun and _is_of_others(folded, quantity.end, options.noun):
            continue
        if choices := options.amount(quantity):
            noun = options.noun and re.compile(rf" ?{re.escape(options.noun)}s?(?!{WORD})").match(folded, quantity.end)
            found.append(((quantity.start, noun.end() if noun else quantity.end), choices))
    last: tuple[Span, Indices] | None = None
    for (start, end), choices in sorted(found, key=lambda place: (place[0][0], -place[0][1])):
        if last is None or start >= last[0][1]:
            if last:
                yield last
            last = (start, end), choices
        elif end > last[0][1]:  # "double bass guitar" is neither "double bass" nor "bass guitar"
            last = (last[0][0], end), last[1] | choices
    if last:
        yield last


def _is_of_others(folded: str, end: int, noun: str) -> bool:
    """Whether the number that ends at ``end`` counts other things than the options do."""
    counted = _COUNTED.match(folded, end)
    if not counted or counted[1] in (noun, noun + "s"):
        return False
    return not (_PERSONS.fullmatch(noun) and _PERSONS.fullmatch(counted[1]))


def _occurrences(folded: str, name: str) -> Iterator[int]:
    start = folded.find(name)
    while start >= 0:
        yield start
        start = folded.find(name, start + 1)


def _is_whole(folded: str, start: int, end: int, name: str) -> bool:
    """Whether the place is a phrase of its own, no part of a longer word, number or unit."""
    if _STARTS_WORD.match(name[-1]) and _AFTER.match(folded, end):
        return False
    before = folded[max(0, start - 2) : start]
    if not _STARTS_WORD.match(name):
        return not _BEFORE_SIGN.search(before)
    if _BEFORE.search(before) or (name[0].isdigit() and _BEFORE_DIGIT.search(before)):
        return False
    if name in ("a major", "a minor") and _NO_KEY.match(folded, end):
        return False
    return not (_CHORD.fullmatch(name) and _CHORD_GOES_ON.match(folded, end))


def _is_meant(text: str, start: int, end: int, name: str) -> bool:
    """Whether a word that is in every reply ("a", "no") or a lone letter stands here for itself."""
    if name == "none" and _NONE_OF.match(text, end):
        return False
    letter = len(name) == 1 and name.isascii() and name.isalpha()
    if not letter and not _EVERYDAY.fullmatch(name):
        return True
    opened = (letter and text[start].isupper()) or _OPENED.search(text[max(0, start - 8) : start])
    return bool(opened and CLOSED.match(text, end))
