"""A run as a connection, whole or seen narrowly: some of its models, some of its orders, some of its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    import duckdb


@runtime_checkable
class HasConnection(Protocol):
    """A run: anything that opens a DuckDB connection with its views."""

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new connection with the views ``items`` and ``responses``; closed by who asked for it."""


def connected(run: HasConnection | duckdb.DuckDBPyConnection) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A connection of the run, closed at the end; a connection is given back as it is."""
    return run.connect() if isinstance(run, HasConnection) else nullcontext(run)


@contextmanager
def narrowed(con: duckdb.DuckDBPyConnection, view: str, where: str) -> Iterator[None]:
    """For a while, ``view`` shows only the rows for which the SQL condition ``where`` holds; nothing is copied."""
    names = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    whole = next(name for name in (f"{view}_whole_{i}" for i in range(1000)) if name not in names)
    con.execute(f"alter view {view} rename to {whole}")
    try:
        con.execute(f"create temp view {view} as select * from {whole} where {where}")
        try:
            yield
        finally:
            con.execute(f"drop view {view}")
    finally:
        con.execute(f"alter view {whole} rename to {view}")


@contextmanager
def only_models(con: duckdb.DuckDBPyConnection, condition: str, models: Sequence[str] | None) -> Iterator[list[str]]:
    """For a while, ``responses`` shows the answers of these models only; gives the sorted names (None: all asked).

    Raises:
        UsageError: one of them was not asked under the condition.
    """
    asked = "select distinct model from responses where condition = ? order by 1"
    there = [model for (model,) in con.execute(asked, [condition]).fetchall()]
    if models is None:
        yield there
        return
    if missing := [model for model in models if model not in there]:
        raise UsageError(f"{missing[0]!r} was not asked under {condition!r}; these were: {', '.join(there) or 'none'}")
    names = sorted(set(models))
    with narrowed(con, "responses", f"model in ({', '.join(map(quoted, names))})"):
        yield names


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
