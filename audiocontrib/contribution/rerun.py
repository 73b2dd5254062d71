"""Re-runs: how many answers differ when the same questions are asked again, the floor under every flip rate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.repeat_view import MAJORITY
from audiocontrib.contribution.run_view import connected
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import mean_by_clip

if TYPE_CHECKING:
    import duckdb

RERUN_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    n=pa.int64(),
    differ=pa.int64(),
    **dict.fromkeys(("share", "low", "high"), pa.float64()),
    interval=pa.string(),
)


def rerun_floor(
    run: Answers, /, *, other: Answers, scope: Scope | None = None, **words: Unpack[ScopeFields]
) -> pa.Table:
    """How often the very same request gets another answer when it is asked again, in another run.

    Greedy replies and likelihoods are not the same twice on every machine. Flips between orders mean
    something only above this floor.

    Args:
        run, other: two runs, or open connections with their views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        model, condition, n (requests answered in both runs), differ (of these, with another choice; none
        against one is another), share, low, high (95 %, by clip), the kind of the interval. Sorted.

    Raises:
        UsageError: the runs share no answered request.
    """
    with connected(other) as second:
        again = arrow_table(second.sql("select request_key, choice from responses where outcome <> 'failed'"))
    with scoped(run, scope, words) as (con, checked):
        if checked.repeat == MAJORITY:
            raise UsageError("a re-run is compared request by request: name one repeat, or leave it out")
        rows = _differing(con, again, checked.method)
    if not rows:
        raise UsageError(
            "the two runs share no request; a re-run asks the same model the same items under the same "
            "conditions, prompt, method and orders"
        )
    return pa.Table.from_pylist(
        [_summed(*group) for group in groupby(rows, itemgetter("model", "condition"))], schema=RERUN_SCHEMA
    )


def _summed(cell: tuple[str, str], clips: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table from those of its clips, which say how many requests differ and how many do not."""
    counts = np.array([(row["differ"], row["n"] - row["differ"]) for row in clips])
    found = mean_by_clip(np.repeat(np.tile([1.0, 0.0], len(counts)), counts.ravel()),
                         np.repeat(np.arange(len(counts)), counts.sum(axis=1)))  # fmt: skip
    model, condition = cell
    row = {"model": model, "condition": condition, "n": found.n, "differ": int(counts[:, 0].sum())}
    return row | {"share": found.mean, **found.in_columns()}


def _differing(con: duckdb.DuckDBPyConnection, again: pa.Table, method: str | None) -> list[dict[str, Any]]:
    con.register("asked_again", again)
    try:
        found = arrow_table(
            con.sql(
                """
            select model, condition, clip_id, count(*) as n,
                count(*) filter (a.choice is distinct from b.choice) as differ
            from responses a join asked_again b using (request_key) join items using (item_id)
            where outcome <> 'failed' and ($method is null or method = $method) group by all order by all
            """,
                params={"method": method},
            )
        )
    finally:
        con.unregister("asked_again")
    return list(found.to_pylist())
