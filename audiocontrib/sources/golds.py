"""How a column gives the gold: as text, letter, index or number. One row may be read in two ways; all rows decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from audiocontrib.errors import AudiocontribError, BadItem
from audiocontrib.items.gold import MEANINGS, WAYS, number_told
from audiocontrib.items.make import gold_text
from audiocontrib.items.printed import bare_label, printed_labels
from audiocontrib.sources.options import Options

EXAMPLES = 3
"""Rows that are told of those that cannot be read."""


@dataclass(slots=True)
class GoldReadings:
    """What the golds of a column can be, as far as its rows were seen."""

    column: str
    given: str | None = None
    """One of WAYS where the user says it; then rows that cannot be read so do not count against it."""
    rows: int = 0
    """Rows with options that can be read and a gold that is not empty."""
    empty: int = 0
    missed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))
    """Way -> rows that cannot be read so."""
    _examples: dict[str, list[str]] = field(default_factory=lambda: {way: [] for way in WAYS})
    _differ: dict[tuple[str, str], str] = field(default_factory=dict)
    _labelled: int = 0
    _lowest: int = 1
    _highest: int = 0

    def see(self, where: str, answer: Any, options: Options) -> dict[str, str]:
        """Count a row, and say what it names: way -> option. Rows whose options cannot be read are passed over."""
        if not _are_texts(options.texts):
            return {}
        if answer in (None, ""):
            self.empty += 1
            return {}
        self.rows += 1
        printed = printed_labels(options.texts)
        self._labelled += bool(printed or options.labels)
        named: dict[str, str] = {}
        number = number_told(answer)
        plain = number is None and not bare_label(str(answer))
        for way in WAYS:
            try:
                if plain and named:  # a text that is no label; letters and places are labels
                    raise BadItem("answer", "is a text")
                # the number 3 may be the option "3"
                said = str(number) if way == "text" and number is not None and number == answer else answer
                named[way] = gold_text(said, options.texts, way, printed, options.labels)
            except BadItem as error:
                self.missed[way] += 1
                if len(self._examples[way]) < EXAMPLES:
                    self._examples[way].append(f"{where}: {error.reason:.120}")
        for one, other in combinations(named, 2):
            if named[one] != named[other]:
                self._differ.setdefault((one, other), f"{where}: {answer!r:.40}: {named[one]!r} or {named[other]!r}")
        if number is not None:
            self._lowest, self._highest = (
                (number, number)
                if self._lowest > self._highest
                else (min(self._lowest, number), max(self._highest, number))
            )
        return named

    def fits(self) -> list[str]:
        """The ways in which every row can be read."""
        return [way for way in WAYS if self.rows and not self.missed[way]]

    def decide(self) -> str:
        """The one way in which the column is read.

        Raises:
            AudiocontribError: there is none, or there are two that differ; with rows, and what to do.
        """
        if not self.rows:
            raise AudiocontribError(f"column {self.column!r}, which is named as golds are, is empty in every row")
        if self.given:
            return self.given
        fits = self.fits()
        if not fits:
            raise AudiocontribError(self._unreadable(), argument="answer_as")
        if self._labelled == self.rows and "text" in fits:
            return "text"  # by the labels of the options, whatever else a number could be
        for pair, example in self._differ.items():
            if set(pair) <= set(fits):
                ways = " or ".join(MEANINGS[way] for way in pair)
                raise AudiocontribError(
                    f"column {self.column!r} can be {ways} ({example}); say which: {' or '.join(pair)}",
                    argument="answer_as",
                )
        return fits[0]

    def _unreadable(self) -> str:
        way = min(WAYS, key=lambda one: self.missed[one])
        numbers = f"; its numbers are {self._lowest} to {self._highest}" if self._lowest <= self._highest else ""
        return (
            f"column {self.column!r} is named as golds are, and {self.missed[way]:,} of {self.rows:,} rows cannot be "
            f"read as {MEANINGS[way]} ({'; '.join(self._examples[way])}{numbers}); mend them, name another column, "
            "or say how it is meant"
        )


def _are_texts(texts: Any) -> bool:
    return isinstance(texts, Sequence) and not isinstance(texts, str) and len(texts) > 1 and all(
        isinstance(text, str) and text.strip() for text in texts
    )  # fmt: skip
