"""Re-runs: how many answers differ when the same questions are asked again, the floor under every flip rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.repeat_view import MAJORITY
from audiocontrib.contribution.run_view import connected
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import wilson

if TYPE_CHECKING:
    import duckdb

RERUN_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    n=pa.int64(),
    differ=pa.int64(),
    **dict.fromkeys(("share", "low", "high"), pa.float64()),
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
        against one is another), share, low, high (95 %, Wilson). Sorted.

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
    for row in rows:
        row["share"] = row["differ"] / row["n"]
        row["low"], row["high"] = wilson(row["differ"], row["n"])
    return pa.Table.from_pylist(rows, schema=RERUN_SCHEMA)


def _differing(con: duckdb.DuckDBPyConnection, again: pa.Table, method: str | None) -> list[dict[str, Any]]:
    con.register("asked_again", again)
    try:
        found = arrow_table(
            con.sql(
                """
            select model, condition, count(*) as n,
                count(*) filter (a.choice is distinct from b.choice) as differ
            from responses a join asked_again b using (request_key)
            where outcome <> 'failed' and ($method is null or method = $method) group by all order by all
            """,
                params={"method": method},
            )
        )
    finally:
        con.unregister("asked_again")
    return list(found.to_pylist())
