"""Rows of JSON files: one object a line, an array of objects, or an object of objects by id."""

from __future__ import annotations

import io
import json
import re
from codecs import BOM_UTF8
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from audiocontrib.errors import AudiocontribError
from audiocontrib.sources.base import BrokenRow, Columns, Rows, SourceRow
from audiocontrib.sources.jsonarrays import Unreadable, Window, decode_json
from audiocontrib.sources.jsonkeys import repeated_key

MAX_LINE = 16 * 2**20
"""Bytes of the longest line of JSON that is read; a file without line ends would otherwise fill the memory."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json_lines(path: Path, file: BinaryIO) -> Rows:
    """One object a line; a line that is none, or too long, becomes a BrokenRow and the next ones are read."""
    yield from _lines(path, file)


def json_row(path: Path, number: int, raw: bytes) -> SourceRow | BrokenRow | None:
    """The row of one JSON text; None if it is blank."""
    try:
        text = raw.removeprefix(BOM_UTF8).decode().strip()
        if not text:
            return None
        value, end = decode_json(text)
        if end < len(text):
            raise json.JSONDecodeError("Extra data", text, end)
        return _row(path, number, value, text)
    except json.JSONDecodeError as error:
        return BrokenRow(str(path), number, "json", f"{error.msg} at column {error.colno}")
    except UnicodeDecodeError as error:
        return BrokenRow(str(path), number, "json", f"not UTF-8: {error.reason}")
    except ValueError as error:
        return BrokenRow(str(path), number, "json", str(error))


def read_json(path: Path, file: BinaryIO) -> Rows:
    """An array of objects, an object of objects (the key is the row's ``id``), one object, or JSON lines.

    Raises:
        AudiocontribError: with file and line, where a fault hides what follows it.
    """
    if not file.seekable():
        file = io.BytesIO(file.read())
    window = Window(path, file)
    if window.next() == "[":
        for line, value, text in window.elements():
            yield _row(path, line, value, text)
        return
    file.seek(0)
    raw = file.read()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise AudiocontribError(f"{path}:{line}: not UTF-8 ({error.reason}); save it as UTF-8") from error
    start = _skip(text, 0)
    if start == len(text):
        return
    try:
        value, end = decode_json(text, start)
    except ValueError as error:
        raise _fault(path, text, start, error) from error
    if _skip(text, end) < len(text):
        yield from _lines(path, io.BytesIO(raw))
    elif isinstance(value, dict) and value and all(isinstance(row, dict) for row in value.values()):
        if twice := repeated_key(value, text[start:end]):
            raise AudiocontribError(f"{path}: the key {twice!r} is there twice, of which one would be lost; rename one")
        for number, (key, row) in enumerate(value.items(), start=1):
            yield _checked(path, number, {"id": key, **row}, text)
    else:
        yield _row(path, 1, value, text)


def _lines(path: Path, file: BinaryIO) -> Rows:
    for number in count(1):
        line = file.readline(MAX_LINE)
        if not line:
            return
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            size = len(line)
            while (part := file.readline(MAX_LINE)) and not part.endswith(b"\n"):
                size += len(part)
            reason = f"the line is {size + len(part):,} bytes long; less than {MAX_LINE:,} are read"
            yield BrokenRow(str(path), number, "json", reason)
        elif row := json_row(path, number, line):
            yield row


def _row(path: Path, line: int, value: Any, text: str) -> SourceRow | BrokenRow:
    """The row that ``text`` was decoded to."""
    if isinstance(value, Unreadable):
        return BrokenRow(str(path), line, "json", value.reason)
    if not isinstance(value, dict):
        return BrokenRow(str(path), line, "json", f"the row is a {type(value).__name__}, not an object")
    if key := repeated_key(value, text):
        return BrokenRow(str(path), line, "json", f"the key {key!r} is there twice")
    return _checked(path, line, value, text)


def _checked(path: Path, line: int, value: dict[str, Any], text: str) -> SourceRow | BrokenRow:
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return BrokenRow(str(path), line, "json", "holds half of a surrogate pair, which is no character")
    return SourceRow(str(path), line, Columns(value))


def _skip(text: str, at: int) -> int:
    """The place of the next character that is not white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _fault(path: Path, text: str, at: int, error: Exception) -> AudiocontribError:
    line = getattr(error, "lineno", text.count("\n", 0, at) + 1)
    reason = getattr(error, "msg", str(error))
    return AudiocontribError(
        f"{path}:{line}: not JSON: {reason}; nothing after it can be read: mend it, or use JSON lines"
    )
