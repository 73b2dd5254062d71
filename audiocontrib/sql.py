"""SQL: queries over Arrow tables, and texts as literals."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def sql(query: str, **tables: pa.Table) -> pa.Table:
    """The result of a query over Arrow tables by name, away from the views of any run."""
    with cursor() as con:
        for name, table in tables.items():
            con.register(name, table)
        return arrow_table(con.sql(query))


def cursor() -> duckdb.DuckDBPyConnection:
    """A connection to the engine that a process shares; what is registered is seen by this connection alone.

    For queries over tables. Make no table and change no setting: the others would see it.
    """
    return _engine().cursor()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """An engine takes some 30 ms to start, a hundred times what a small query takes."""
    import duckdb

    con = duckdb.connect()
    con.execute("set enable_external_file_cache = false")  # a file is read as it is now
    return con


if hasattr(os, "register_at_fork"):
    # the threads of an engine do not reach a fork, which would wait for them as it ends
    os.register_at_fork(before=_engine.cache_clear)


def arrow_table(found: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows of a query, as Arrow; DuckDB does not say the type."""
    table: pa.Table = found.to_arrow_table()
    return table


def sql_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def sql_files(paths: Iterable[Path]) -> str:
    """Files as an SQL list, each by its name alone.

    DuckDB takes ``*``, ``?`` and ``[`` in a path for a pattern, which would read the neighbours of the file; and ``~``
    or ``file:`` at the start of one for something else.
    """
    return f"[{', '.join(sql_literal(no_pattern(path)) for path in paths)}]"


def no_pattern(path: Path) -> str:
    """The absolute path, with every sign of a pattern as a class of one letter.

    Raises:
        UsageError: there is a backslash too, which DuckDB then takes for the end of a folder's name.
    """
    if "\\" in str(path.absolute()) and re.search(r"[*?[]", str(path.absolute())):
        raise UsageError(f"{path}: SQL reads no path with a backslash and one of * ? [ in it; rename the folder")
    return re.sub(r"[*?[]", r"[\g<0>]", str(path.absolute()))
