"""Benchmark x model x condition: accuracy with its intervals, beside what needs no listening at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.contribution.accuracies import accuracy
from audiocontrib.errors import UsageError
from audiocontrib.validation.texts import Options, baselines

if TYPE_CHECKING:
    from audiocontrib.store import Run

EVALUATION_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("dataset", "part", "model", "condition")),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in ("accuracy", "low", "high", "clip_low", "clip_high")),
        *((name, pa.float64()) for name in ("chance", "constant", "chance_corrected")),
        ("constant_strategy", pa.string()),
        *((name, pa.int64()) for name in ("missing", "refused", "unparsed", "failed")),
    ]
)


def evaluate(
    runs: Sequence[Run], by: str | None = None, split: str | None = None, method: str | None = None
) -> pa.Table:
    """One row per benchmark, part, model and condition (EVALUATION_SCHEMA).

    Args:
        runs: one or more; their items are told apart by data set.
        by: question_type, source_dataset, split or extra.NAME: rows for each value, beside those for ``all``.
        split: name of a split in each run: rows for its strong and weak items too.
        method: as in :func:`audiocontrib.contribution.votes.votes`.

    Returns:
        ``accuracy`` of the vote over all orders, Wilson's 95 % interval (low, high) and the one clustered by clip
        (clip_low, clip_high); ``chance``, the mean of 1/K; ``constant``, the best accuracy that one and the same
        place, or the longest or shortest option, would have on these items; ``chance_corrected``, (accuracy - chance)
        / (1 - chance); missing votes; and how many replies were refused, unparsed and failed.

    Raises:
        UsageError: a run lacks the split, or a group does not exist.
    """
    rows = [row for run in runs for row in _rows(run, by, split, method)]
    return pa.Table.from_pylist(rows, schema=EVALUATION_SCHEMA)


def _rows(run: Run, by: str | None, split: str | None, method: str | None) -> Iterator[dict[str, Any]]:
    groups: list[str | None] = [None, *([by] if by else [])]
    with run.connect() as con:
        for group in groups:
            table = accuracy(con, ["dataset", *([group] if group else [])], method)
            items = _items(con, group)
            yield from _described(table, items, group)
        if split is not None:
            names = [row[0] for row in con.sql("select distinct name from splits").fetchall()]
            if split not in names:
                raise UsageError(f"{run.path} has no split called {split!r}; it has: {', '.join(names) or 'none'}")
            con.execute(
                "create temp table parted as select i.* replace (s.split as split) from items i "
                "join splits s on s.item_id = i.item_id and s.name = $name",
                {"name": split},
            )
            con.execute("create temp view items as from parted")  # stands before the view of the run
            yield from _described(accuracy(con, ["dataset", "split"], method), _items(con, "split"), "split")


def _items(con: Any, group: str | None) -> pa.Table:
    """Data set, part, choices and answer of every item."""
    value = "'all'"
    if group:
        value = f"extra ->> '$.\"{group[6:]}\"'" if group.startswith("extra.") else f'"{group}"'
    return con.sql(
        f"select dataset, coalesce({value}, '') as part, choices, answer, notes, extra from items"
    ).to_arrow_table()


def _described(table: pa.Table, items: pa.Table, group: str | None) -> Iterator[dict[str, Any]]:
    """The rows of an accuracy table, with the best constant strategy of each part."""
    best: dict[tuple[str, str], tuple[str, float]] = {}
    for row in table.to_pylist():
        part = "all" if group is None else str(row.get(group) or "")
        place = row["dataset"], part
        if place not in best:
            own = pc.and_(pc.equal(items["dataset"], place[0]), pc.equal(items["part"], part))
            best[place] = _constant(items.filter(own))
        strategy, value = best[place]
        yield {name: row.get(name) for name in EVALUATION_SCHEMA.names} | {
            "part": part,
            "constant": value,
            "constant_strategy": strategy,
        }


def _constant(items: pa.Table) -> tuple[str, float]:
    """The best of the strategies that neither hear nor read the question."""
    for row in baselines(Options.of(items)).to_pylist():
        if not row["strategy"].startswith("uniform"):
            return row["strategy"], row["accuracy"]
    return "", float(np.nan)
