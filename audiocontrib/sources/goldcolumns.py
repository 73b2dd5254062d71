"""Which of the columns that are named as golds are is the gold; other columns are never taken for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.sources.columngroups import Cells, OptionColumns
from audiocontrib.sources.columns import NONE
from audiocontrib.sources.golds import GoldReadings
from audiocontrib.sources.options import Options


def gold_column(
    cells: Cells, named: Sequence[tuple[int, str]], options: OptionColumns | None, remarks: list[str]
) -> tuple[str, str]:
    """The one column that is named as golds are, or that which all that can be read agree with."""
    if not named:
        remarks.append(_without_gold(cells, options))
        return NONE, "no column is called answer, gold, label, target or alike: asked, never scored"
    if len(named) == 1 or options is None or options.wrong_only:
        best = [name for rank, name in named if rank == named[0][0]]
        if len(best) > 1:
            raise UsageError(f"the gold can be {' or '.join(best)}: say which", argument="mapping")
        return best[0], "its name"
    first, *others = [name for _, name in named]
    sure = [name for rank, name in named if rank < 2] or [first]
    readings = {name: read_golds(name, cells[name], options.options) for _, name in named}
    for name in others:
        mine, theirs = readings[first], readings[name]
        if name in sure and not theirs[0].fits() and theirs[0].rows:
            theirs[0].decide()  # says what cannot be read
        if mine[0].fits() and theirs[0].fits() and not _agree(mine[1], theirs[1]):
            raise UsageError(
                f"the gold can be {first} or {name}, which name different options: say which", argument="mapping"
            )
    settled = [name for name in sure if len(readings[name][0].fits()) == 1]
    return (settled[0] if settled else first), "its name; no other column that is named so speaks against it"


def read_golds(
    name: str, column: Sequence[Any], options: Iterable[Options | None]
) -> tuple[GoldReadings, list[dict[str, str]]]:
    """What the golds of a column can be, and the options that each row names so."""
    seen = GoldReadings(name)
    rows = zip(column, options, strict=False)  # a column that is not there has no cells
    named = [seen.see(f"row {n}", cell, one or Options(None)) for n, (cell, one) in enumerate(rows, start=1)]
    return seen, named


def _agree(mine: Sequence[dict[str, str]], theirs: Sequence[dict[str, str]]) -> bool:
    """Whether some way to read the one names the options that some way to read the other names, in all rows."""
    ways = set().union(*mine), set().union(*theirs)
    rows = [(one, other) for one, other in zip(mine, theirs, strict=True) if one and other]
    return any(all(one.get(a) == other.get(b) for one, other in rows) for a in ways[0] for b in ways[1])


def _without_gold(cells: Cells, options: OptionColumns | None) -> str:
    able = []
    for name, column in cells.items():
        if options is not None and name not in options.columns and not options.wrong_only:
            seen, _ = read_golds(name, column, options.options)
            if "text" in seen.fits() or "letter" in seen.fits():
                able.append(name)
    hint = f"; {' and '.join(able)} would fit, if that is what it is" if able else ""
    return f"no column is named as golds are, so every question is asked and never scored{hint}: name the column"
