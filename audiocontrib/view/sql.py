"""SQL of the page's box: locked, for so long, and so many rows."""

from __future__ import annotations

import time
from threading import Event, Lock, Timer
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import UsageError
from audiocontrib.items.rows import json_values
from audiocontrib.store.queries import lock, run_query
from audiocontrib.view.interrupts import interruptible

if TYPE_CHECKING:
    from audiocontrib.store import Run

SECONDS, ROWS, CELL = 20.0, 1_000, 2_000
"""How long a query may take; rows that are shown, and characters of a cell."""
MEMORY = "500MB"
ONE = Lock()
"""Queries come one after the other: each may take that memory."""


def asked_in_sql(run: Run, query: str, *, seconds: float = SECONDS, rows: int = ROWS) -> dict[str, Any]:
    """The first rows of a query over a run's views, which only reads.

    Returns:
        columns, rows (JSON values; bytes by their size), more (whether there are further rows), seconds.

    Raises:
        UsageError: the query is wrong, does more than read, or takes too long.
    """
    late, begin = Event(), time.monotonic()
    with ONE, run.connect() as con, interruptible(con):
        con.execute(f"set memory_limit = '{MEMORY}'")
        lock(con, run.path)

        def stop() -> None:
            late.set()
            con.interrupt()

        timer = Timer(seconds, stop)
        timer.start()
        try:
            table = run_query(con, query, most=rows + 1)
        except UsageError as error:
            if late.is_set():
                raise UsageError(f"the query took more than {seconds:g} s, and was stopped") from error
            raise
        finally:
            timer.cancel()
    found = [[_cell(value) for value in row.values()] for row in table.slice(0, rows).to_pylist()]
    more, took = len(table) > rows, round(time.monotonic() - begin, 3)
    return {"columns": table.column_names, "rows": found, "more": more, "seconds": took}


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    plain = json_values(value)
    return plain[:CELL] if isinstance(plain, str) else plain
