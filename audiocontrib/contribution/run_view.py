"""A run as a connection, whole or seen narrowly: some of its models, some of its orders, some of its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from weakref import WeakSet

from audiocontrib.errors import UsageError
from audiocontrib.sql import sql_literal

if TYPE_CHECKING:
    import duckdb

READ = {
    "items": ("item_id", "question", "choices", "answer", "clip_id", "question_type", "source_dataset"),
    "responses": (
        *("item_id", "model", "condition", "order", "method", "outcome", "choice", "correct"),
        *("posterior", "option_logprob", "option_tokens", "repeat", "think_tokens"),
    ),
}
"""Columns that rules read."""
WITH_FOREIGN = "responses_with_foreign_gold"
"""The view of answers to questions with one option more; not there where there are none."""
_narrowed: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
"""Connections that show the answers to the items' own options alone."""


@runtime_checkable
class HasConnection(Protocol):
    """A run: anything that opens a DuckDB connection with its views."""

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new connection with the views ``items`` and ``responses``; closed by who asked for it."""


@runtime_checkable
class HasViews(HasConnection, Protocol):
    """A run that opens a connection for reading faster than one that may be written to."""

    def views(self) -> duckdb.DuckDBPyConnection:
        """As ``connect``, for queries and temporary tables alone."""


@contextmanager
def connected(run: HasConnection | duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of the run, closed at the end; a connection stays open. UsageError if it is neither.

    Meanwhile ``responses`` are those to the items' own options; others are in the view WITH_FOREIGN.
    """
    if isinstance(run, HasConnection):
        with run.views() if isinstance(run, HasViews) else run.connect() as con, _own_options(con):
            yield con
    elif hasattr(run, "execute"):
        with _own_options(run):
            yield run
    else:
        raise UsageError(f"{run!r} is neither a run nor a connection; open a run first: ac.open_run('runs/NAME')")


@contextmanager
def _own_options(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    from audiocontrib.conditions import borrows_option

    if con in _narrowed:
        yield
        return
    held = con.execute("select distinct condition from responses").fetchall()
    foreign = ", ".join(sql_literal(name) for (name,) in held if borrows_option(name))
    _narrowed.add(con)
    try:
        with ExitStack() as stack:
            if foreign:
                stack.enter_context(replaced_view(con, "responses", lambda whole: _parted(con, whole, foreign)))
            yield
    finally:
        if foreign:
            _narrowed.discard(con)
            con.execute(f"drop view if exists {WITH_FOREIGN}")


def _parted(con: duckdb.DuckDBPyConnection, whole: str, foreign: str) -> str:
    """The query of all answers but those under the conditions ``foreign``, which get a view of their own."""
    con.execute(f"create or replace temp view {WITH_FOREIGN} as from {whole} where condition in ({foreign})")
    return f"from {whole} where condition not in ({foreign})"


def filtered_view(con: duckdb.DuckDBPyConnection, view: str, where: str) -> AbstractContextManager[None]:
    """For a while, ``view`` shows only the rows for which the SQL condition ``where`` holds; nothing is copied."""
    return replaced_view(con, view, lambda whole: f"select * from {whole} where {where}")


@contextmanager
def in_memory(con: duckdb.DuckDBPyConnection, view: str, where: str) -> Iterator[None]:
    """As :func:`filtered_view`, by a copy of the columns that rules read: for many looks at a few items."""
    held, columns = f"{view}_in_memory", f"columns(lambda c: c in ({', '.join(map(sql_literal, READ[view]))}))"
    con.execute(f"create temp table {held} as select {columns} from {view} where {where}")
    try:
        with replaced_view(con, view, lambda _: f"from {held}"):
            yield
    finally:
        con.execute(f"drop table {held}")


@contextmanager
def replaced_view(con: duckdb.DuckDBPyConnection, view: str, query: Callable[[str], str]) -> Iterator[None]:
    """For a while, ``view`` is a query; ``query`` is given the name under which the view is found meanwhile."""
    names = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    whole = next(name for name in (f"{view}_whole_{i}" for i in range(1000)) if name not in names)
    con.execute(f"alter view {view} rename to {whole}")
    try:
        con.execute(f"create temp view {view} as {query(whole)}")
        try:
            yield
        finally:
            con.execute(f"drop view {view}")
    finally:
        con.execute(f"alter view {whole} rename to {view}")


def only_models(con: duckdb.DuckDBPyConnection, models: Iterable[str] | None) -> AbstractContextManager[None]:
    """For a while, ``responses`` shows the answers of these models only; None: of all."""
    if models is None:
        return nullcontext()
    return filtered_view(con, "responses", f"model in ({', '.join(map(sql_literal, models))})")


def asked_models(con: duckdb.DuckDBPyConnection, condition: str, models: Sequence[str] | None) -> list[str]:
    """The models whose answers are to count, sorted; None: all that were asked under the condition.

    Raises:
        UsageError: one of them was not asked under the condition.
    """
    asked = "select distinct model from responses where condition = ? order by 1"
    there = [model for (model,) in con.execute(asked, [condition]).fetchall()]
    if models is None:
        return there
    if missing := [model for model in models if model not in there]:
        raise UsageError(f"{missing[0]!r} was not asked under {condition!r}; these were: {', '.join(there) or 'none'}")
    return sorted(set(models))
