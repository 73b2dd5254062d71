"""SQL: queries over Arrow tables, and texts as literals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def sql(query: str, **tables: pa.Table) -> pa.Table:
    """The result of a query over Arrow tables by name, away from the views of any run."""
    import duckdb

    with duckdb.connect() as con:
        for name, table in tables.items():
            con.register(name, table)
        return arrow_table(con.sql(query))


def arrow_table(found: duckdb.DuckDBPyRelation) -> pa.Table:
    """The rows of a query, as Arrow; DuckDB does not say the type."""
    table: pa.Table = found.to_arrow_table()
    return table


def sql_literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
