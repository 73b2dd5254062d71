"""The review sheet: items that a person is to look at, as CSV, and the verdicts read back."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from audiocontrib.arrow import Column, schema_of, texts
from audiocontrib.errors import AudiocontribError, UsageError

if TYPE_CHECKING:
    import duckdb

SHEET = ("item_id", "question", "choices", "answer", "verdict", "note")
NEEDED = ("item_id", "verdict")
VERDICTS = ("keep", "reject", "")
VERDICT_SCHEMA = schema_of(item_id=pa.string(), rejected=pa.bool_(), reason=pa.string())


def write_sheet(con: duckdb.DuckDBPyConnection, item_ids: pa.Table, path: Path) -> int:
    """Write these items, with empty columns ``verdict`` and ``note``; their number.

    Raises:
        UsageError: the file is there already: it may be filled in.
        AudiocontribError: it cannot be written.
    """
    con.register("to_review", item_ids)
    try:
        rows = con.execute(
            "select item_id, question, choices, choices[answer + 1] from items semi join to_review using (item_id) "
            "order by item_id"
        ).fetchall()
    finally:
        con.unregister("to_review")
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(SHEET)
            writer.writerows([_safe(i), _safe(q), " | ".join(map(_safe, c)), _safe(a), "", ""] for i, q, c, a in rows)
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already, perhaps filled in; name another file for the review sheet"
        ) from error
    except OSError as error:
        raise AudiocontribError(f"{path}: the review sheet cannot be written: {error}") from error
    return len(rows)


def read_sheet(path: Path, item_ids: Column) -> pa.Table:
    """The verdicts of a filled-in sheet; rows without one are left out.

    Args:
        item_ids: the items that there are.

    Returns:
        item_id, rejected, reason (the note).

    Raises:
        UsageError: the sheet cannot be read or lacks a column, or a row names no item, one a second time, or
            another verdict than ``keep`` or ``reject``.
    """
    known = {_safe(item_id): item_id for item_id in texts(item_ids)}
    seen: set[str] = set()
    found = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if missing := [name for name in NEEDED if name not in (reader.fieldnames or ())]:
                raise UsageError(f"{path}: the review sheet has no column {missing[0]!r}")
            for row in reader:
                cell, verdict, note = ((row.get(name) or "").strip() for name in ("item_id", "verdict", "note"))
                where = f"{path}:{reader.line_num}"
                if cell not in known:
                    raise UsageError(f"{where}: item_id: the run has no item {cell!r}")
                if cell in seen:
                    raise UsageError(f"{where}: item_id: {cell!r} is there a second time")
                if verdict.lower() not in VERDICTS:
                    raise UsageError(f"{where}: verdict: {verdict!r} is neither keep nor reject")
                seen.add(cell)
                if verdict:
                    rejected = verdict.lower() == "reject"
                    found.append((known[cell], rejected, note or "rejected by a person"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: the review sheet cannot be read: {error}") from error
    rows = [dict(zip(VERDICT_SCHEMA.names, row, strict=True)) for row in found]
    return pa.Table.from_pylist(rows, schema=VERDICT_SCHEMA)


def _safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
