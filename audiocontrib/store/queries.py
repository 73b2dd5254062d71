"""Queries: those of a user read the views of a run and the files that were named, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from audiocontrib.errors import UsageError, one_line
from audiocontrib.sql import arrow_table, cursor, no_pattern, sql_literal
from audiocontrib.store.views import VIEWS, connect, reading

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.store.marking import Marking

READING = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
"""Parts of a statement's tree that read."""
RUNS = re.compile("query|json_execute_serialized_sql|.*external_resource.*|.*_logging|write_log|.*checkpoint")
"""Functions that take a text for SQL, or do something."""
HINT = f"the views are: {', '.join(VIEWS)}"
LOCKS = (
    "set temp_directory = ''",  # a folder that it would write to, and might read from
    "set python_enable_replacements = false",  # a table of that name is not a variable of ours
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)


def own_query(run: Path, sql: str, marking: Marking | None = None) -> pa.Table:
    """The result of a query of the program's own over the views, on the engine of the process, which is there already.

    Raises:
        AudiocontribError: a file of the run is damaged; the message names it.
    """
    with connect(run, con=cursor(), marking=marking) as con, reading(run):
        return arrow_table(con.sql(sql))


def lock(con: duckdb.DuckDBPyConnection, run: Path, files: str | Path | Iterable[str | Path] = ()) -> None:
    """Close an engine for good: it opens what lies in the run's folder and the files that are named, nothing else.

    Args:
        files: one or several files, or folders with all that is in them.

    Raises:
        UsageError: there is no such file.
    """
    folders, paths = [run], list[Path]()
    for file in map(Path, [files] if isinstance(files, str | Path) else files):
        if not file.exists():
            raise UsageError(f"{file}: there is no such file or folder", argument="files")
        (folders if file.is_dir() else paths).append(file)
    con.execute(f"set allowed_directories = {_known_as(folders)}")
    con.execute(f"set allowed_paths = {_known_as(paths)}")
    for statement in LOCKS:
        con.execute(statement)


def _known_as(paths: Iterable[Path]) -> str:
    """SQL for the names of paths: as given, as a pattern of that name alone, and without links."""
    names = [name for path in paths for name in (str(path.absolute()), no_pattern(path), str(path.resolve()))]
    return f"[{', '.join(sql_literal(name) for name in dict.fromkeys(names))}]::varchar[]"


def read_only(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """UsageError unless a text is one statement, as DuckDB's own parser reads it, which only reads.

    ``pivot`` without its values is several statements to DuckDB, of which one makes a type. A SELECT may hold a COPY
    or INSERT in its WITH, so that its tree is looked at too.
    """
    kinds = [statement.type.name for statement in con.extract_statements(sql)]
    if len(kinds) > 1:
        raise UsageError(f"a query is one statement, and this is {len(kinds)}", argument="unlocked")
    if not kinds:
        return
    if kinds != ["SELECT"]:
        what = "a PIVOT or COPY: name the values, as in PIVOT … ON … IN (…)" if kinds == ["MULTI"] else kinds[0]
        raise UsageError(f"a query reads (SELECT, FROM, DESCRIBE, …), and this is {what}", argument="unlocked")
    [(text,)] = con.execute("select json_serialize_sql($1)", [sql]).fetchall()
    tree = json.loads(text)
    odd = sorted(set(_beyond_reading(tree)))
    if odd or tree.get("error"):
        what = odd[0] if odd else tree.get("error_message", "more")
        raise UsageError(f"a query reads and does nothing else, and this holds {what}", argument="unlocked")


def _beyond_reading(tree: object) -> Iterator[str]:
    """What the tree of a SELECT holds that writes, or that runs another text as SQL."""
    if isinstance(tree, list):
        for part in tree:
            yield from _beyond_reading(part)
    if isinstance(tree, dict):
        kind, function = tree.get("type"), tree.get("function_name")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in READING:
            yield kind.removesuffix("_NODE").removesuffix("_QUERY")
        if isinstance(function, str) and RUNS.fullmatch(function.lower()):
            yield f"{function}()"
        for part in tree.values():
            yield from _beyond_reading(part)


def run_query(con: duckdb.DuckDBPyConnection, sql: str, *, unlocked: bool = False, most: int | None = None) -> pa.Table:
    """The result of a query. UsageError if it is wrong, or, unless ``unlocked``, does more than read.

    Args:
        most: rows that are wanted; None: all.
    """
    try:
        if not unlocked:
            read_only(con, sql)
        result = con.sql(sql)
        if result is None:
            raise UsageError(f"the query is empty; {HINT}")
        return arrow_table(result if most is None else result.limit(most))
    except duckdb.PermissionException as error:
        raise UsageError(f"{_first_line(error)}: a query reads the run and what is named", argument="files") from error
    except duckdb.OutOfMemoryException as error:
        said = "it takes more memory than there is, and a query that only reads has no disk to go on with"
        raise UsageError(said if not unlocked else _first_line(error), argument="unlocked") from error
    except (duckdb.Error, ValueError, RecursionError) as error:  # ValueError: a statement Python has no name for
        raise UsageError(f"{_first_line(error)}; {HINT}") from error


def _first_line(error: Exception) -> str:
    """Without what DuckDB adds: the line, and every type that a function would take."""
    said = re.split(r"\n\s*LINE |\s+You might need to add|\s+Candidate functions:", str(error))[0]
    return one_line(UsageError(said))
