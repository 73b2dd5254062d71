"""Re-runs: how many answers differ when the same questions are asked again, the floor under every flip rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from audiocontrib.errors import UsageError
from audiocontrib.statistics import wilson

if TYPE_CHECKING:
    import duckdb

RERUN_SCHEMA = pa.schema(
    [("model", pa.string()), ("condition", pa.string()), ("n", pa.int64()), ("differ", pa.int64())]
    + [(name, pa.float64()) for name in ("share", "low", "high")]
)


def rerun_floor(con: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection) -> pa.Table:
    """How often the very same request gets another answer when it is asked again, in another run.

    Greedy replies and likelihoods are not the same twice on every machine. Flips between orders mean
    something only above this floor.

    Returns:
        model, condition, n (requests answered in both runs), differ (of these, with another choice; none
        against one is another), share, low, high (95 %, Wilson). Sorted.

    Raises:
        UsageError: the runs share no answered request.
    """
    again = other.sql("select request_key, choice from responses where outcome <> 'failed'").to_arrow_table()
    con.register("asked_again", again)
    try:
        found = con.sql(
            """
            select model, condition, count(*) as n,
                count(*) filter (a.choice is distinct from b.choice) as differ
            from responses a join asked_again b using (request_key)
            where outcome <> 'failed' group by all order by all
            """
        ).to_arrow_table()
    finally:
        con.unregister("asked_again")
    rows = found.to_pylist()
    if not rows:
        raise UsageError(
            "the two runs share no request; a re-run asks the same model the same items under the same "
            "conditions, prompt, method and orders"
        )
    for row in rows:
        row["share"] = row["differ"] / row["n"]
        row["low"], row["high"] = wilson(row["differ"], row["n"])
    return pa.Table.from_pylist(rows, schema=RERUN_SCHEMA)
