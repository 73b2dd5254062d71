"""Accuracy of every model under every condition, with its intervals and against chance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.contribution.votes import VOTES, vote_parameters
from audiocontrib.errors import UsageError
from audiocontrib.statistics import chance_corrected, clustered_mean, wilson

if TYPE_CHECKING:
    import duckdb

GROUPS = ("dataset", "question_type", "source_dataset", "split")
"""Columns of the items by which accuracy can be broken down; also ``extra.NAME``, a field of the source's own."""

EXTRA = re.compile(r"extra\.[\w-]+")

COLUMNS = [
    ("n", pa.int64()),
    ("right", pa.int64()),
    ("accuracy", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("clip_low", pa.float64()),
    ("clip_high", pa.float64()),
    ("chance", pa.float64()),
    ("chance_corrected", pa.float64()),
    ("missing", pa.int64()),
    ("refused", pa.int64()),
    ("unparsed", pa.int64()),
    ("failed", pa.int64()),
]


def accuracy(con: duckdb.DuckDBPyConnection, by: Sequence[str] = (), method: str | None = None) -> pa.Table:
    """One row per model, condition and group: the share of items that the model's vote gets right.

    Args:
        by: any of GROUPS, or ``extra.NAME`` (its value as text; null where an item lacks it).
        method: as in :func:`audiocontrib.contribution.votes.votes`.

    Returns:
        model, condition, the groups, n (items with a key and a vote), right, accuracy, low and high (95 %,
        Wilson), clip_low and clip_high (95 %, clustered by clip; NaN with one clip), chance (mean 1/K),
        chance_corrected, missing (items with a key but no vote); and, of single replies: refused, unparsed,
        failed. Items without a key count only among the replies. Accuracies are null where n is 0.

    Raises:
        UsageError: a group that does not exist.
    """
    if unknown := [name for name in by if name not in GROUPS and not EXTRA.fullmatch(name)]:
        raise UsageError(f"accuracy by {', '.join(unknown)}: it can be by {', '.join(GROUPS)} or extra.NAME")
    keys = ", ".join(["model", "condition", *(f'"{name}"' for name in by)])
    own = "".join(f', extra ->> \'$."{name[6:]}"\' as "{name}"' for name in by if name not in GROUPS)
    query = f"""
    with grouped as (
        select *, 1 / len(choices) as chance, dense_rank() over (order by clip_id) as clip{own} from items
    ),
    voted as (
        select {keys}, count(correct) as n,
            count(*) filter (answer is not null and problem is not null) as missing,
            list({{'correct': correct, 'clip': clip}}) filter (correct is not null) as cases,
            avg(chance) filter (correct is not null) as chance
        from ({VOTES}) join grouped using (item_id) group by all
    ),
    replies as (
        select {keys}, count(*) filter (outcome = 'refused') as refused,
            count(*) filter (outcome = 'unparsed') as unparsed,
            count(*) filter (outcome = 'failed') as failed
        from (select item_id, model, condition, outcome, method from responses) join grouped using (item_id)
        where method = $method group by all
    )
    select * from voted left join replies using ({keys}) order by {keys}
    """
    groups = con.sql(query, params=vote_parameters(con, None, method)).to_arrow_table()
    counts = groups.drop_columns(["cases"]).to_pylist()
    rows = [row | _measured(row, cases.values) for row, cases in zip(counts, groups["cases"], strict=True)]
    names = [(name, pa.string()) for name in ("model", "condition", *by)]
    return pa.Table.from_pylist(rows, schema=pa.schema(names + COLUMNS))


def _measured(row: dict[str, Any], cases: pa.StructArray | None) -> dict[str, Any]:
    """The accuracy of one group and all that hangs on it; nothing where there is no case."""
    if cases is None:
        return {"right": 0}
    correct = cases.field("correct").to_numpy(zero_copy_only=False)
    right, n = int(correct.sum()), len(correct)
    low, high = wilson(right, n)
    clip_low, clip_high = clustered_mean(correct, cases.field("clip").to_numpy(zero_copy_only=False))
    return {
        "right": right,
        "accuracy": right / n,
        "low": low,
        "high": high,
        "clip_low": clip_low,
        "clip_high": clip_high,
        "chance_corrected": chance_corrected(right / n, row["chance"]),
    }
