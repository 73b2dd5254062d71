"""What people see of a table's row: a value with its interval in one cell, shares in percent, one style everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from audiocontrib.number_text import NONE, as_words, at_most, percent, share_between, signed

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown, made of one or more of the table's own."""

    heading: str
    needs: tuple[str, ...]
    """Columns of the table without which it is left out."""
    cell: Callable[[Row], str]
    kind: Literal["text", "name", "number", "below"] = "number"
    """name: a legend may shorten it; below: written under its row, over the whole width."""
    where: Literal["always", "varies", "any"] = "always"
    """varies: only if the rows differ in it; any: only if a row has something to tell."""


def text(name: str, heading: str | None = None, *, kind: Literal["text", "name", "below"] = "text",
         where: Literal["always", "varies", "any"] = "always") -> Column:  # fmt: skip
    """A text as it is."""
    return Column(_words(heading or name), (name,), lambda row: as_words(row[name]), kind, where)


def count(name: str, heading: str | None = None, *, where: Literal["always", "any"] = "always") -> Column:
    """A whole number."""
    return Column(_words(heading or name), (name,), lambda row: as_words(row[name]), "number", where)


def decimal(name: str, heading: str | None = None) -> Column:
    """A number that is no share: three figures."""
    return Column(_words(heading or name), (name,), lambda row: as_words(row[name]))


def share(name: str, low: str = "", high: str = "", heading: str | None = None) -> Column:
    """A share in percent, with its interval where ``low`` and ``high`` name one."""
    ends = (low, high) if low else ()
    return Column(_words(heading or name), (name, *ends), lambda row: _share(row, name, *ends))


def difference(name: str, low: str = "", high: str = "", heading: str | None = None) -> Column:
    """A difference or another signed number, with its interval; never clipped: a negative one is a finding."""
    ends = (low, high) if low else ()
    return Column(_words(heading or name), (name, *ends), lambda row: signed(*(row[one] for one in (name, *ends))))


def least_share(name: str, low: str, high: str, heading: str) -> Column:
    """A share that an estimate may put below 0: ``at most 17%`` where its interval holds 0."""

    def cell(row: Row) -> str:
        value, ends = row[name], (row[low], row[high])
        if value is None or None in ends or ends[0] > 0:
            return _share(row, name, low, high)
        return f"at most {at_most(ends[1])}"

    return Column(heading, (name, low, high), cell)


def joined_counts(heading: str, *names: str) -> Column:
    """Several counts in one cell: ``57/3/0``."""
    return Column(heading, names, lambda row: "/".join(as_words(row[name]) for name in names))


def _share(row: Row, name: str, low: str = "", high: str = "") -> str:
    value = row[name]
    if value is None or value != value:
        return NONE
    ends = [row[end] for end in (low, high) if end]
    if not ends:
        return percent(value)
    if any(end is None or end != end for end in ends):
        return f"{row['right']} of {row['n']}" if name == "accuracy" and "right" in row else percent(value)
    return share_between(value, *ends)


def _words(name: str) -> str:
    return name.replace("_", " ")
