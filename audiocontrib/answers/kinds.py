"""Kinds: how what a text says of an option bears on the answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from audiocontrib.answers.clauses import Clauses
from audiocontrib.answers.options import Indices


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
    loose: bool = False
    """Named by its letter, or an everyday word ("yes"): the sentence may go on from it in any words."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a text in order, and where it takes back what it said."""

    said: tuple[Statement, ...]
    retractions: tuple[int, ...]
    places: tuple[int, ...]
    """Where each stands in the clean text."""
    clauses: Clauses
    """The masked text in which they stand."""
