"""Marks as CSV or JSON lines, written for others and read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from audiocontrib.checked import as_path
from audiocontrib.errors import UsageError
from audiocontrib.store.files import make_folder, replacing
from audiocontrib.store.mark_lines import MARK_SCHEMA, Mark, append_marks, choices_of, kept_marks
from audiocontrib.store.marks import Offered, made_mark, marks
from audiocontrib.store.run import Run
from audiocontrib.store.runs import as_run

COLUMNS = tuple(MARK_SCHEMA.names)
FORMULA = ("=", "+", "-", "@", "'")
"""How a cell starts that a spreadsheet takes for more than a text: it gets a ``'`` before it, which is taken off."""


@dataclass(frozen=True, slots=True)
class MarksRead:
    """What became of the rows of a file."""

    added: int
    there: int
    """Said before."""
    older: int
    """The same person has said something of the item since."""


def write_marks(run: Run, /, out: str | PathLike[str]) -> int:
    """Write the marks of a run as .csv or .jsonl, which :func:`read_marks` takes; gives their number.

    Raises:
        UsageError: the file's name ends otherwise.
        AudiocontribError: a mark is damaged, or the file cannot be written.

    Example:
        >>> ac.write_marks(run, "marks.csv")
    """
    rows, path = marks(as_run(run)).to_pylist(), as_path(out, "out")
    text = io.StringIO(newline="")
    if _form(path, "out") == "csv":
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    else:
        text.writelines(json.dumps(row, default=datetime.isoformat, ensure_ascii=False) + "\n" for row in rows)
    make_folder(path.parent)
    with replacing(path) as file:
        file.write(text.getvalue().encode())
    return len(rows)


def read_marks(run: Run, /, path: str | PathLike[str]) -> MarksRead:
    """Add the marks of a .csv or .jsonl file to a run: all of them, or none where a row is refused.

    Needed are item_id and kind; also read are answer (an index, or an option's text), option (its text), note, by and
    at (ISO 8601; UTC where it names no zone; left out: now). What was said before is not added twice, and what is older
    than the last word of the same person on the item is left aside; a row that was changed but for its time counts as
    said now.

    Raises:
        UsageError: the file cannot be read, or a row names an unknown item, kind, option or column; with its line.
        AudiocontribError: the run cannot be written to.

    Example:
        >>> ac.read_marks(run, "marks-of-ann.csv").added
    """
    folder, path = as_run(run).path, as_path(path, "path")
    rows = list(_rows(path))
    offered = choices_of(folder, {str(row["item_id"]) for _, row in rows})
    before = kept_marks(folder)
    known, last = {(mark.said, mark.at) for mark in before}, {mark.who: mark for mark in before}
    new, counts = list[Mark](), {"there": 0, "older": 0}
    for line, row in rows:
        try:
            mark = _marked(row, offered)
        except UsageError as error:
            raise UsageError(f"{path}:{line}: {error}") from None
        state = _state(mark, last.get(mark.who), known, dated=bool(row.get("at")))
        if state in counts:
            counts[state] += 1
            continue
        if state == "changed":
            mark = _marked(row | {"at": None}, offered)
        new.append(mark)
        known.add((mark.said, mark.at))
        last[mark.who] = mark
    if new:
        append_marks(folder, new)
    return MarksRead(len(new), **counts)


def _state(
    mark: Mark, last: Mark | None, known: set[tuple[tuple[object, ...], datetime]], *, dated: bool
) -> Literal["new", "there", "older", "changed"]:
    if last is None:
        return "new"
    if not dated:
        return "there" if last.said == mark.said else "new"
    if (mark.said, mark.at) in known:
        return "there"
    if mark.at == last.at:
        return "changed"
    return "older" if mark.at < last.at else "new"


def _marked(row: Mapping[str, Any], offered: Offered) -> Mark:
    item, answer, option = row["item_id"], row.get("answer"), row.get("option")
    mark = made_mark(
        offered, item, row["kind"], answer=option if answer is None else answer, note=row.get("note") or "",
        by=row.get("by") or "", at=_time(row.get("at")),
    )  # fmt: skip
    if option is not None and option != mark.option:
        raise UsageError(f"option is {option!r:.80}, but option {mark.answer} of {item} is {mark.option!r:.80}")
    return mark


def _time(text: Any) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise UsageError(f"at is {text!r:.80}, but is a time such as 2026-01-31T12:00:00+00:00") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line and row; what is empty is None."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise UsageError(f"{path} cannot be read: {why}", argument="path") from None
    found = _csv_rows(path, text) if _form(path, "path") == "csv" else _json_rows(path, text)
    for line, row in found:
        if unknown := [name for name in row if name not in COLUMNS]:
            raise UsageError(f"{path}:{line}: there is no column {unknown[0]!r:.80}; they are: {', '.join(COLUMNS)}")
        if missing := [name for name in ("item_id", "kind") if row.get(name) is None]:
            raise UsageError(f"{path}:{line}: it has no {missing[0]}")
        yield line, row


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise UsageError(f"{path}:{reader.line_num}: it has not as many cells as there are columns")
            yield reader.line_num, {name: _text(cell) for name, cell in row.items()}
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: {error}") from None


def _json_rows(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, one in enumerate(text.split("\n"), start=1):
        if not one.strip():
            continue
        try:
            held = json.loads(one)
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict):
            raise UsageError(f"{path}:{line}: it is no JSON object")
        yield line, {name: None if value == "" else value for name, value in held.items()}


def _form(path: Path, argument: str) -> str:
    form = path.suffix.lower().removeprefix(".")
    if form not in ("csv", "jsonl"):
        raise UsageError(f"{path}: marks are written and read as .csv or .jsonl", argument=argument)
    return form


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _text(cell: str) -> str | None:
    return (cell[1:] if cell[:1] == "'" and cell[1:].startswith(FORMULA) else cell) or None
