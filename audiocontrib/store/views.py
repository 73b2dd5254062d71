"""The SQL views over a run: the public interface of the store."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.items import ITEM_SCHEMA, QUARANTINE_SCHEMA
from audiocontrib.responses import LATER, RESPONSE_SCHEMA
from audiocontrib.sql import arrow_table, cursor, sql_files, sql_literal
from audiocontrib.store.answered_requests import NONE, AnsweredRequests, read_answered
from audiocontrib.store.damage import unreadable
from audiocontrib.store.files import write_table_atomic
from audiocontrib.store.mark_lines import as_table, kept_marks, latest
from audiocontrib.store.marking import Marking
from audiocontrib.store.own import check_own
from audiocontrib.store.seal import check_file, check_files, known_seals
from audiocontrib.store.split_check import SPLIT_SCHEMA
from audiocontrib.store.splits import TABLE, split_folder, split_names

VIEWS = ("items", "quarantine", "responses", "contributions", "audit", "splits", "marks")

BEATEN = ".beaten.parquet"
BEATEN_SCHEMA = schema_of(part=pa.string(), row=pa.int64())
CONTRIBUTION_SCHEMA = schema_of(item_id=pa.string(), score=pa.float64())
"""Columns of ``contributions`` before they are computed; after that, the file's own."""
AUDIT_SCHEMA = schema_of(item_id=pa.string())
"""Columns of ``audit`` before an audit is made; after that, the file's own."""


def connect(
    run: Path,
    prompt: str | None = None,
    con: duckdb.DuckDBPyConnection | None = None,
    marking: Marking | None = None,
) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with VIEWS over the files that the run holds now.

    The variable ``audiocontrib_prompt`` has the name of the prompt.
    Later parts are not seen: all queries of one connection agree with each other. All that is made in it is temporary.

    Args:
        con: the connection that is given the views; None: one to an engine of its own.
        marking: what marks change in items and answers; None: they are as they were given.

    Raises:
        AudiocontribError: a file is damaged; the message names it.
    """
    parts = response_parts(run)
    single = {name: [p for p in [run / f"{name}.parquet"] if p.exists()] for name in VIEWS}
    if not single["items"]:
        raise AudiocontribError(f"{run} holds no items.parquet: put that file back, or give its score command again")
    check_run_files(run, [*parts, *(p for paths in single.values() for p in paths)])
    splits = [split_folder(run, name) / TABLE for name in split_names(run, sound=True)]
    marks = kept_marks(run)
    con = duckdb.connect() if con is None else con
    with reading(run):
        con.execute("set timezone = 'UTC'")
        if prompt is not None:
            con.execute(f"set variable audiocontrib_prompt = {sql_literal(prompt)}")
        _view(con, "items", single["items"], ITEM_SCHEMA)
        _view(con, "quarantine", single["quarantine"], QUARANTINE_SCHEMA)
        _view(con, "contributions", single["contributions"], CONTRIBUTION_SCHEMA)
        _view(con, "audit", single["audit"], AUDIT_SCHEMA)
        _split_view(con, splits)
        con.register("marks", as_table(latest(marks)))
        _response_view(con, run, parts)
        if marking is not None:
            marking.apply(con)
    return con


def answered(run: Path, model: str | None = None) -> AnsweredRequests:
    """The requests (of one model, or of all) that have an outcome other than failed."""
    parts = response_parts(run)
    if not parts:
        return NONE
    check_run_files(run, parts)
    with reading(run):
        return read_answered(parquet(parts), model)


@contextmanager
def reading(run: Path) -> Iterator[None]:
    """Turns DuckDB's error over the files of a run, which were found whole before, into one line."""
    try:
        yield
    except duckdb.Error as error:
        raise AudiocontribError(f"{run} cannot be read: {one_line(error)}") from error


def check_run_files(run: Path, files: Sequence[Path]) -> list[Path]:
    """Gives those without a seal. AudiocontribError that names a file which is damaged or a link out of the run."""
    for path in files:
        if path.is_symlink() or path.parent.is_symlink() or path.parent.parent.is_symlink():
            check_own(path, run)
    return check_files(files, known_seals(run))


def response_parts(run: Path) -> list[Path]:
    """The parts of ``responses`` that are complete, oldest first. AudiocontribError if the folder cannot be read."""
    folder = check_own(run / "responses", run)
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found if entry.name.endswith(".parquet")]
    except OSError as error:
        raise unreadable(folder, error) from error
    return [folder / name for name in sorted(names)]


def parquet(paths: Sequence[Path], *columns: str) -> str:
    """SQL that reads Parquet files as one table. Folders called ``a=b`` do not become columns.

    Args:
        columns: further columns that DuckDB can add (``filename``, ``file_row_number``).
    """
    # parts of an older version may lack a column
    settings = ["hive_partitioning = false", "union_by_name = true", *(f"{c} = true" for c in columns)]
    return f"read_parquet({sql_files(paths)}, {', '.join(settings)})"


def _view(con: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path], schema: pa.Schema) -> None:
    if paths:
        con.execute(f"create temp view {name} as select {_whole(con, parquet(paths), schema)} from {parquet(paths)}")
    else:
        con.register(name, schema.empty_table())


def _whole(con: duckdb.DuckDBPyConnection, source: str, schema: pa.Schema, exclude: str = "") -> str:
    """SQL for all columns; those that files of an older version lack are LATER's, or null, of their own type."""
    held, usual = set(con.sql(f"from {source} limit 0").columns), _usual(schema)
    filled = ", ".join(
        f'coalesce("{name}", {usual[name]}) as "{name}"' for name in LATER if name in usual.keys() & held
    )
    added = "".join(f', {value} as "{name}"' for name, value in usual.items() if name not in held)
    return f"*{exclude}{f' replace ({filled})' if filled else ''}{added}"


@cache
def _usual(schema: pa.Schema) -> dict[str, str]:
    """Column -> SQL for what files have that lack it."""
    with cursor() as con:
        empty = con.from_arrow(schema.empty_table())
        types = zip(empty.columns, map(str, empty.types), strict=True)
        return {name: f"{LATER.get(name, 'null')}::{kind}" for name, kind in types}


def _split_view(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> None:
    con.register("no_splits", SPLIT_SCHEMA.append(pa.field("name", pa.string())).empty_table())
    each = [f"select *, {sql_literal(path.parent.name)} as name from {parquet([path])}" for path in paths]
    con.execute(f"create temp view splits as {' union all by name '.join(['from no_splits', *each])}")


def _response_view(con: duckdb.DuckDBPyConnection, run: Path, parts: Sequence[Path]) -> None:
    """One row per request: a final outcome beats a failed one, then the latest wins.

    Hardly any request is there more than once (asked again after a failure, or by two processes at once). The
    rows that are beaten are left out by file and row number, so that no query pays for the keys.
    """
    beaten = _beaten(con, run, parts) if parts else None
    if beaten is None or not len(beaten):
        return _view(con, "responses", parts, RESPONSE_SCHEMA)
    con.register("beaten", beaten)
    whole = _whole(con, parquet(parts), RESPONSE_SCHEMA, " exclude (filename, file_row_number)")
    con.execute(
        f"create temp view responses as select {whole} "
        f"from {parquet(parts, 'filename', 'file_row_number')} as given anti join beaten "
        "on parse_filename(given.filename) = beaten.part and given.file_row_number = beaten.row"
    )
    return None


def _beaten(con: duckdb.DuckDBPyConnection, run: Path, parts: Sequence[Path]) -> pa.Table:
    """The rows that another answer to the same request beats: part (name of its file) and row.

    Parts never change, so what was found is kept in the run for as long as no part is added.
    """
    kept, state = run / BEATEN, stable_hash([[part.name, part.stat().st_size] for part in parts]).encode()
    with suppress(OSError, pa.ArrowException, AudiocontribError):
        check_file(kept)
        found = pq.read_table(kept.absolute())
        if (found.schema.metadata or {}).get(b"parts") == state:
            return found
    found = _find_beaten(con, parts).replace_schema_metadata({b"parts": state})
    with suppress(AudiocontribError):  # a run that may only be read is searched each time
        write_table_atomic(found, kept)
    return found


def _find_beaten(con: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> pa.Table:
    """Sorting hashes of the keys takes a fraction of the memory and time of grouping keys.

    Where two hashes collide, a request is compared with itself alone, which changes nothing.
    """
    hashes = np.sort(con.execute(f"select hash(request_key) as h from {parquet(parts)}").fetchnumpy()["h"])
    repeated = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    if not len(repeated):
        return BEATEN_SCHEMA.empty_table()
    con.register("repeated", pa.Table.from_pydict({"h": repeated}))
    found = arrow_table(
        con.sql(
            f"""
        select parse_filename(filename) as part, file_row_number as row
        from {parquet(parts, "filename", "file_row_number")} where hash(request_key) in (from repeated)
        qualify row_number() over (partition by request_key order by outcome = 'failed', created_at desc) > 1
        """
        )
    )
    con.unregister("repeated")
    return found.cast(BEATEN_SCHEMA)
