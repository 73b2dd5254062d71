"""A table as lines of a given width: words are wrapped, long names stand in a legend, and no number is ever cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from audiocontrib.number_text import NONE

GAP = "  "
LONG_NAME = 8
"""A name of more characters may go to the legend, where the table is too wide."""
LONG_WORD = 24
"""A word of a text with more characters (an id, a path) may be folded; a number never is."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """Headings and cells as they are shown, before they are fitted to a width."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[bool, ...]
    """Whether a column holds numbers: they stand to the right and are not folded."""
    names: frozenset[int] = field(default_factory=frozenset)
    """Columns of names, which a legend may shorten."""
    below: frozenset[int] = field(default_factory=frozenset)
    """Columns that are written under their row, over the whole width."""


def lines(table: TextTable, width: int | None) -> Iterator[str]:
    """The lines of the heading and of the rows, and what short names stand for.

    Args:
        table: what is shown.
        width: of a line, in cells of a terminal; None: as wide as it comes, a line a row.
    """
    beside = [place for place in range(len(table.headings)) if place not in table.below]
    widths = [_natural(table, place) for place in beside]
    if width is None or _total(widths) <= width:
        yield from _drawn(table, beside, widths, width)
        return
    shorter, legend = with_legend(table)
    widths = _fitted(shorter, beside, width)
    if not widths:
        yield from _records(table, width)
        return
    yield from _drawn(shorter, beside, widths, width)
    for short, name in legend.items():
        yield from wrapped(f"{short}: {name}", width)


def _natural(table: TextTable, place: int) -> int:
    return max(map(_size, (table.headings[place], *(row[place] for row in table.rows))))


def _least(table: TextTable, place: int) -> int:
    """The width below which a word of the heading or a number would be cut."""
    words = [*table.headings[place].split(), *(word for row in table.rows for word in row[place].split())]
    longest = max(map(_size, words), default=1)
    return longest if table.numbers[place] else min(longest, max(LONG_WORD, _size(table.headings[place])))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _fitted(table: TextTable, beside: Sequence[int], width: int) -> list[int]:
    """Widths that fit: the widest text gives way first, then numbers at their blanks; none where it cannot be."""
    widths, least = [_natural(table, n) for n in beside], [_least(table, n) for n in beside]
    while (over := _total(widths) - width) > 0:
        roomy = [n for n in range(len(widths)) if widths[n] > least[n]]
        if not roomy:
            return []
        widest = max(roomy, key=lambda n: (not table.numbers[beside[n]], widths[n]))
        others = [widths[n] for n in roomy if n != widest and table.numbers[beside[n]] == table.numbers[beside[widest]]]
        widths[widest] = max(least[widest], widths[widest] - over, min(max(others, default=0), widths[widest] - 1))
    return widths


def with_legend(table: TextTable) -> tuple[TextTable, dict[str, str]]:
    """Long names as M1, M2, …, and what they stand for."""
    names = dict.fromkeys(row[n] for n in sorted(table.names) for row in table.rows if _size(row[n]) > LONG_NAME)
    short = {name: f"M{number}" for number, name in enumerate(names, 1)}
    rows = tuple(
        tuple(short.get(cell, cell) if n in table.names else cell for n, cell in enumerate(row)) for row in table.rows
    )
    made = TextTable(table.headings, rows, table.numbers, table.names, table.below)
    return made, {mark: name for name, mark in short.items()}


def _drawn(table: TextTable, beside: Sequence[int], widths: Sequence[int], width: int | None) -> Iterator[str]:
    """A column a heading; what is written below comes after its row."""
    yield from _row([table.headings[n] for n in beside], [table.numbers[n] for n in beside], widths)
    for row in table.rows:
        yield from _row([row[n] for n in beside], [table.numbers[n] for n in beside], widths)
        for n in sorted(table.below):
            if row[n] not in ("", NONE):
                yield from (f"  {line}" for line in wrapped(row[n], (width or 10_000) - 2))


def _row(cells: Sequence[str], numbers: Sequence[bool], widths: Sequence[int]) -> Iterator[str]:
    parts = [wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for n in range(max(map(len, parts), default=0)):
        texts = [part[n] if n < len(part) else "" for part in parts]
        yield GAP.join(map(_padded, texts, widths, numbers)).rstrip()


def _records(table: TextTable, width: int) -> Iterator[str]:
    """A line a value, where the columns do not fit side by side."""
    widest = max(map(_size, table.headings))
    if not table.rows:
        yield "no rows"
    for number, row in enumerate(table.rows):
        if number:
            yield ""
        for heading, cell in zip(table.headings, row, strict=True):
            first, *more = wrapped(cell, max(width - widest - len(GAP), 20)) or [""]
            yield f"{_padded(heading, widest, False)}{GAP}{first}".rstrip()
            yield from (f"{' ' * widest}{GAP}{line}" for line in more)


def _size(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _padded(text: str, width: int, right: bool) -> str:
    blanks = " " * max(width - _size(text), 0)
    return blanks + text if right else text + blanks


def wrapped(text: str, width: int) -> list[str]:
    """A text in lines of a width: they end at blanks, and within a word only where it is wider than the column."""
    if _size(text) <= width and "\n" not in text:
        return [text]
    from rich.console import Console
    from rich.text import Text

    console = Console(width=width, file=None, force_terminal=False)
    return [line.plain.rstrip() for line in Text(text).wrap(console, width, overflow="fold")]
