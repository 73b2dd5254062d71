"""Options: the choices as they may be named in a reply, by text, by value, or by letter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from audiocontrib.answers.numbers import DIMENSIONS, Quantity, Value, read_value
from audiocontrib.answers.text import clean, core, fold
from audiocontrib.items.printed import printed_labels

Indices = frozenset[int]
"""The choices that a name may mean: one; several if their texts are equal; none if it means nothing."""
NOTHING: Indices = frozenset()

_LETTER = re.compile(
    r"(?:(?i:option|choice|answer|letter|réponse|respuesta|opción|opção|opzione|antwort)[ :]{1,3}|(?:选项|選項|选择"
    r"|選択肢"
    r"|옵션)\s?)?"
    r"""[(\[{<"'*]{0,4}([A-Za-z])[)\]}>"'*.:]{0,6}(?:です|입니다|番|번)?[.。]?"""
)
_PRICE = re.compile(r"[$€£¥] ?(\d{1,12}(?:\.\d{1,4})?)\b")
_ASKED = re.compile(r"\?[\s\"')\]}*.]{0,6}\Z")
_TAG = re.compile(r"</?answer>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OptionIndex:
    """The choices of one question, in the order shown."""

    texts: dict[str, Indices]
    """Folded core of the text -> the choices that read so."""
    count: int
    lettered: bool
    """An option is itself a letter (a pitch, say): then a letter alone is text, never a label."""
    labels: Mapping[str, int] | None = None
    """Labels printed on the options, and whose each is; None: a label stands for a place."""
    values: Mapping[Value, Indices] | None = None
    """Of the options that are numbers: their value -> the choices of that value; None: there are none."""
    bare_values: Mapping[Fraction, Indices] | None = None
    """The same by the numbers as written, without units."""
    asks: bool = False
    """An option is itself a question: then a question mark asks nothing."""

    @property
    def counts(self) -> bool:
        """Whether options are bare numbers, or numbers of a thing: a noun may then follow one in a reply."""
        return any(not dimension or dimension not in DIMENSIONS for _, dimension in self.values or ())

    @property
    def noun(self) -> str:
        """What all the numbers count, where they say so ("speaker")."""
        return next((d for _, d in self.values or () if d not in DIMENSIONS), "")

    def letter(self, letter: str) -> Indices:
        """The choice that a label stands for."""
        if self.labels is not None:
            place = self.labels.get(letter.upper(), -1)
        else:
            place = ord(letter.upper()) - ord("A") if len(letter) == 1 else -1
        return frozenset([place]) if 0 <= place < self.count else NOTHING

    def named_by(self, text: str) -> Indices | None:
        """What ``text`` as a whole names; None if it is neither an option's text nor a label."""
        if not self.asks and _ASKED.search(text):
            return None
        inner = core(text)
        exact = self.texts.get(fold(inner))
        if exact is not None:
            return exact | (self.letter(inner) if self.labels is not None else NOTHING)
        label = _LETTER.fullmatch(inner)
        if label is None:
            return self._valued(fold(inner))
        bare = self.texts.get(label[1].lower())
        if bare is not None:  # of a letter that is one option's text and another's printed label, it is not clear which
            cued = self.labels is not None or inner.lower().startswith(("option", "choice", "选项"))
            return bare | (self.letter(label[1]) if cued else NOTHING)
        return None if self.lettered and self.labels is None else self.letter(label[1])

    def amount(self, quantity: Quantity) -> Indices:
        """The choices that a number in a text is equal to; a number without a unit is taken as theirs."""
        if self.values is None or self.bare_values is None or quantity.value is None:
            return NOTHING
        dimensions = {dimension for _, dimension in self.values}
        if quantity.value[1] in dimensions and quantity.value[1]:
            return self.values.get(quantity.value, NOTHING)
        if quantity.value[1] == "share" or (quantity.value[1] and dimensions != {""}):
            return NOTHING
        return NOTHING if quantity.bare is None else self.bare_values.get(quantity.bare, NOTHING)

    def could_become(self, text: str) -> Indices:
        """The choices whose text begins as ``text`` does and goes on: what a cut reply may have meant."""
        begun = fold(core(text))
        longer = (held for name, held in self.texts.items() if name.startswith(begun) and name != begun)
        return NOTHING.union(*longer)

    def _valued(self, folded: str) -> Indices | None:
        value = read_value(folded) if self.values is not None else None
        if value is None:
            return None
        (number, dimension), bare = value
        known = {d for _, d in self.values or ()}
        if dimension not in DIMENSIONS | known:
            return None  # "3 is wrong" is no number of things
        if dimension in DIMENSIONS - {""} - known and (known != {""} or dimension == "share"):
            return None
        return self.amount(Quantity(0, 0, (number, dimension if dimension in known else ""), bare)) or None


def read_options(choices: Sequence[str]) -> OptionIndex:
    """The choices by their text. Choices of white space only are named by their label alone."""
    return _remembered(tuple(choices))


@lru_cache(maxsize=1024)
def _remembered(choices: tuple[str, ...]) -> OptionIndex:
    printed = printed_labels(choices)
    texts: dict[str, Indices] = {}
    for index, choice in enumerate(choices):
        forms = {choice, printed.texts[index] if printed else choice}
        if _TAG.search(choice):
            forms.add(_TAG.sub("", choice))
        if printed and printed.labels[index].isdigit():
            forms |= {printed.labels[index], f"option {printed.labels[index]}", f"choice {printed.labels[index]}"}
        for text in {fold(core(clean(form))) for form in forms} - {""}:
            texts[text] = texts.get(text, NOTHING) | {index}
    lettered = any(len(t) == 1 and "a" <= t <= "z" for t in texts)
    labels = {label: place for place, label in enumerate(printed.labels)} if printed else None
    values, bare = _values(printed.texts if printed else choices)
    return OptionIndex(texts, len(choices), lettered, labels, values, bare, any("?" in clean(c) for c in choices))


def _values(choices: Sequence[str]) -> tuple[dict[Value, Indices], dict[Fraction, Indices]] | tuple[None, None]:
    """The options that are numbers, by their values. Numbers of different things ("2 dogs", "3 cats") are texts."""
    read = {i: one for i, choice in enumerate(choices) if (one := read_value(fold(core(clean(choice)))))}
    if not read or len({dimension for (_, dimension), _ in read.values()} - DIMENSIONS) > 1:
        return None, None
    if len(read) == 1 and any(" " in dimension for (_, dimension), _ in read.values()):
        return None, None  # "two females arguing" among other scenes is a text
    values: dict[Value, Indices] = {}
    bare: dict[Fraction, Indices] = {}
    for index, (value, number) in read.items():
        values[value] = values.get(value, NOTHING) | {index}
        bare[number] = bare.get(number, NOTHING) | {index}
    if len({value / number for (value, _), number in read.values() if number}) > 1:
        bare = {}  # of "100 Hz" and "2 kHz", "2" is neither
    for index in set(range(len(choices))) - set(read):  # "5" is no more "5 euros" than "$5"
        for digits in _PRICE.findall(choices[index]):
            bare[Fraction(digits)] = bare.get(Fraction(digits), NOTHING) | {index}
    return values, bare
