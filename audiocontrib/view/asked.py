"""Which items a page asks for: words of an address, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from audiocontrib.errors import UsageError
from audiocontrib.view.counted import NUMBERS, VOTES

SORTS = ("id", "question", "type", "split", "mark", "there", *NUMBERS)
OF_MODEL = re.compile(r"m[0-9]{1,3}")
"""Sorts by the votes of a model, by its number."""
CHANGED = ("right only with the audio", "right only without", "right both ways", "right neither way")
"""Two votes of a model on an item, with the audio and without."""
DIFFERS = ("right only here", "right only there", "right in both", "right in neither")
"""Two votes that are compared, of two models, runs or conditions."""
LARGEST_PAGE, LARGEST = 200, 1_000_000_000
LONGEST = 2_000
"""Characters of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsAsked:
    """A filtered, sorted stretch of a run's items. Empty words ask for nothing."""

    find: str = ""
    """Words, of which each is in the id, the question or an option."""
    type: str = ""
    split: str = ""
    """A part: strong, weak, undecided."""
    parts: str = ""
    """Name of the saved split that parts are of; empty: the one saved last."""
    model: str = ""
    """Whose votes the words below are about; empty: any model's."""
    condition: str = ""
    """Under which; empty: any."""
    result: str = ""
    """One of VOTES."""
    changed: str = ""
    """One of CHANGED."""
    marked: str = ""
    """``yes``, ``no``, or a kind of mark."""
    other: str = ""
    """The model that the votes are held against."""
    under: str = ""
    """Its condition; empty: the same."""
    differs: str = ""
    """One of DIFFERS."""
    sort: str = ""
    """One of SORTS or OF_MODEL, falling with a ``-`` before it."""
    start: int = 0
    """The first one wanted of those found; ``from`` in an address."""
    count: int = 50


def items_asked(words: Mapping[str, str]) -> ItemsAsked:
    """The words of an address as a question. UsageError for an unknown word, and for one that cannot be."""
    given = {"start" if name == "from" else name: word for name, word in words.items() if word}
    known = {field.name for field in fields(ItemsAsked)}
    if unknown := given.keys() - known:
        raise UsageError(f"there is no {min(unknown)!r} to ask for; there are: {', '.join(sorted(known))}")
    for name, word in given.items():
        if len(word) > LONGEST or "\0" in word:
            raise UsageError(f"{name} is too long, or no text")
    numbers = {name: _number(name, given.pop(name)) for name in ("start", "count") if name in given}
    asked = ItemsAsked(**given, **numbers)  # type: ignore[arg-type]  # the numbers are those of start and count
    for name, there in (("result", VOTES), ("changed", CHANGED), ("differs", DIFFERS)):
        if getattr(asked, name) not in ("", *there):
            raise UsageError(f"{name} is {getattr(asked, name)!r}; it can be: {', '.join(there)}")
    key = asked.sort.removeprefix("-")
    if key not in ("", *SORTS) and not OF_MODEL.fullmatch(key):
        raise UsageError(
            f"sort is {asked.sort!r}; it can be: {', '.join(SORTS)}, each with a - before it, or m0, m1, …"
        )
    return asked


def _number(name: str, word: str) -> int:
    most = LARGEST_PAGE if name == "count" else LARGEST
    if not (word.isascii() and word.isdecimal() and len(word) < 12 and int(word) <= most):
        raise UsageError(f"{name} is {word!r:.40}, but must be a whole number up to {most}")
    return int(word)
