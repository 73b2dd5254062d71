"""Numbers as values: "1 000", "1,000", "10^3", "3 1/2", "three", "15 sec" beside "15 seconds"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from audiocontrib.answers.text import WORD

Value = tuple[Fraction, str]
"""A number in the base unit of its dimension, and that dimension ("" where no unit is given)."""

_ONES = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORD = "|".join(sorted([*_ONES, *_TENS, *_SCALES], key=len, reverse=True))

_UNITS: dict[str, tuple[str, Fraction]] = {}
for _dimension, _names in {
    "time": {
        "ms msec millisecond milliseconds": Fraction(1, 1000),
        "s sec secs second seconds": Fraction(1),
        "m min mins minute minutes": Fraction(60),
        "h hr hrs hour hours": Fraction(3600),
    },
    "frequency": {"hz hertz": Fraction(1), "khz kilohertz": Fraction(1000), "mhz megahertz": Fraction(10**6)},
    "level": {"db decibel decibels": Fraction(1)},
    "tempo": {"bpm": Fraction(1)},
    "dollars": {"dollar dollars usd": Fraction(1)},
    "euros": {"euro euros eur €": Fraction(1)},
    "pounds": {"pounds gbp": Fraction(1)},
    "share": {"% percent": Fraction(1)},
}.items():
    for _spelling, _factor in _names.items():
        _UNITS |= dict.fromkeys(_spelling.split(), (_dimension, _factor))
_UNITS |= {"per cent": ("share", Fraction(1)), "beats per minute": ("tempo", Fraction(1))}
DIMENSIONS = frozenset({"", *(dimension for dimension, _ in _UNITS.values())})
"""What is measured, where a unit says so; the noun of a number ("speaker") is none of them."""
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))

_DIGITS = (
    r"\d{1,3}(?:[,\u00a0\u202f ']\d{3})+(?:\.\d{1,18})?(?![\d,.]\d|\d)|\d{1,18}\^-?\d{1,2}"
    r"|\d{1,18} \d{1,4}/\d{1,4}|\d{1,18}(?:\.\d{1,18})?|\.\d{1,18}"
)
_WORDS = (
    rf"(?:{_WORD})(?:(?:[- ]|(?<=hundred)(?:,? and )|(?<=thousand)(?:,? and )"
    rf"|(?<=million)(?:,? and ))(?:{_WORD})){{0,8}}(?:(?: point)(?: (?:{'|'.join(_ONES)})){{1,6}}|,? and (?:a"
    rf"|one) half)?"
)
_QUANTITY = re.compile(
    rf"(?<!{WORD})(?<![\^.,/$€£¥#±])(?<!\d:)(?<!\w[-'])(?P<sign>[-+−])?"
    rf"(?:(?P<digits>{_DIGITS})|(?P<words>{_WORDS})(?!{WORD}))(?P<unit>[ -]?(?:{_UNIT})(?!{WORD}))?"
)
_OPEN_BEFORE = re.compile(
    r"(?:\b(?:at least|at most|(?:more|less|fewer|greater|longer|shorter|higher|lower|larger|smaller) than|over|under"
    r"|up to|above|below|beyond|exceed(?:s|ing)?|(?:minimum|maximum) of|between|nearly|almost|roughly between|past"
    r"|before|after|until|within|point|some|half of|twice|double"
    r"|(?:option|choice)(?: number| no\.?| nr\.?| #)?)"
    rf"(?: a| the| about| roughly)?|(?:\d[,.]?|\b(?:{_WORD})) ?(?:\bto\b|\bby\b|\btimes\b|x|\*|->|→|=)"
    r"(?: a| the| about| roughly)?|(?<![-=])[<>≥≤~/]|\d ?[-–—/×]|\d:|\bno (?:more|less|fewer) than) ?\Z"
)
_OPEN_AFTER = re.compile(
    r"\.?\d|[,.:]\d|[%°$€£/^#♯]|[-–—][^\W\d]|-\w| ?[-–—/×] ?\d|:\d|(?:st|nd|rd|th)\b|'?s\b(?=\W|\Z)|\+"
    rf"|{WORD}| (?:(?:to|times|by|x|\*|->|→|=|and then|out of|in) (?:\d|(?:{_WORD})\b)|squared|cubed|or (?:more"
    rf"|fewer|less|so)"
    r"|and (?:more|over|up|a (?:half|third|quarter|bit))|plus|point|dozen|hundred|thousand|million|half|halves"
    rf"|(?:\w{{3,12}} )?(?:options|choices|possibilities|alternatives|answers|candidates)\b|thirds?|quarters?"
    rf"|(?:{_WORD})\b|(?:of|among) (?:which|whom|them|these|those|the))"
)
_PRONOUN = re.compile(
    r"\b(?:to (?:pick|choose|select)|the|this|that|which|each|any|every|no|correct|right|best|only|first|last|other"
    r"|another|some) \Z"
)
_CERTAINTY = re.compile(
    r" (?:sure|certain|confident|confidence|certainty|chance|probability|likely|likelihood|positive)\b"
)
_CHANGED = re.compile(r"\b(?:chang|switch|revis|correct|updat)\w{1,4} (?:\w+ ){1,3}from [^!?\n]{0,24}\Z")
_DECADE = re.compile(r"(?:1[5-9]|20)\d0'?s")
_GROUPED = re.compile(r"[1-9]\d{0,2}\.000")
"""A thousand as some write it, or one with three decimals: it is not clear which."""
_PRONOUN_AFTER = re.compile(
    r" (?:moment|second|thing|more|another|of|is|was|can|could|would|might|may|must|should|that|who|which|has|by)\b"
)

_MOMENT_BEFORE = re.compile(r"\b(?:at|from|by|since)(?: about| around| roughly| approximately| the)? \Z")
_MOMENT_AFTER = re.compile(r" (?:into|mark|later|earlier|onwards?|in(?! (?:total|all|length|duration)\b)|ago)\b")
"""Beside a number of seconds: when something happens, which answers no question of how many."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text."""

    start: int
    end: int
    value: Value | None
    """None where it is no value: a bound ("at least 3"), a range, an ordinal, a part of another number."""
    bare: Fraction | None
    """The number as written, without its unit; None where it is a moment in the clip: "at 3 seconds" is no 3."""


def read_value(text: str) -> tuple[Value, Fraction] | None:
    """The value of folded ``text`` that is one number, with a unit or a noun of one or two words or without."""
    found = _QUANTITY.match(text)
    if not found or _DECADE.fullmatch(text):
        return None
    if found["digits"] and _GROUPED.fullmatch(found["digits"]):
        return None
    rest = text[found.end() :].strip(" .")
    if found["unit"]:
        unit = _UNITS[found["unit"].strip(" -")] if not rest else None
    else:
        if rest and not re.fullmatch(r"[^\W\d_]{2,20}(?: [^\W\d_]{2,20})?", rest):
            return None
        if re.fullmatch(rf"(?:of|to|or|and|in|at|with|{_WORD})\b.*", rest):
            return None
        unit = (rest.removesuffix("s"), Fraction(1))
    number = _number(found)
    if unit is None or number is None:
        return None
    return (number * unit[1], unit[0]), number


def find_quantities(folded: str) -> Iterator[Quantity]:
    """All numbers in folded clean text, in order."""
    for found in _QUANTITY.finditer(folded):
        number = _number(found)
        if number is None:
            continue
        before = folded[max(0, found.start() - 24) : found.start()]
        after = folded[found.end() : found.end() + 24]
        if found["unit"] and _CERTAINTY.match(after):
            continue  # "I am 100% sure"
        if _CHANGED.search(folded, max(0, found.start() - 48), found.start()):
            after = ""  # "I change my answer from 3 to 4"
            before = before.removesuffix(" to ")
        bracketed = before.endswith("<") and after.startswith(">")
        is_open = bool((_OPEN_BEFORE.search(before) and not bracketed) or _OPEN_AFTER.match(after))
        if found["words"] == "one" and (_PRONOUN.search(before) or _PRONOUN_AFTER.match(after)):
            continue
        unit = _UNITS[found["unit"].strip(" -")] if found["unit"] else ("", Fraction(1))
        if found["digits"] and _GROUPED.fullmatch(found["digits"]):
            is_open = True
        when = unit[0] == "time" and (_MOMENT_BEFORE.search(before) or _MOMENT_AFTER.match(after))
        value = None if is_open else (number * unit[1], unit[0])
        yield Quantity(found.start(), found.end(), value, None if when else number)


def _number(found: re.Match[str]) -> Fraction | None:
    number = _spoken(found["words"]) if found["words"] else _written(found["digits"])
    return -number if number is not None and found["sign"] in ("-", "−") else number


def _written(digits: str) -> Fraction | None:
    if "^" in digits:
        base, _, power = digits.partition("^")
        return Fraction(int(base)) ** int(power) if len(base) < 6 and int(base) else None
    if "/" in digits:
        whole, _, part = digits.partition(" ")
        above, _, below = part.partition("/")
        return int(whole) + Fraction(int(above), int(below)) if int(below) else None
    return Fraction(re.sub(r"[^\d.]", "", digits))


def _spoken(words: str) -> Fraction | None:
    """The value of number words; None where they do not make up one number ("two three")."""
    half = Fraction(0)
    if found := re.search(r",? and (?:a|one) half\Z", words):
        words, half = words[: found.start()], Fraction(1, 2)
    whole, _, decimals = words.partition(" point ")
    total = current = 0
    least = 10**12
    for word in re.split(r"[- ,]+", whole):
        if word in ("and", ""):
            continue
        size = _SCALES.get(word)
        if size:
            current = (current or 1) * size
            least = size
            if size >= 1000:
                total, current = total + current, 0
            continue
        value = _TENS.get(word, _ONES.get(word, 0))
        if current % 100 and not (current % 100 >= 20 and current % 10 == 0 and value < 10):
            return None
        current, least = current + value, min(least, 100)
    digits = "".join(str(_ONES[d]) for d in decimals.split() if _ONES[d] < 10)
    return Fraction(total + current) + half + (Fraction(int(digits), 10 ** len(digits)) if digits else 0)
