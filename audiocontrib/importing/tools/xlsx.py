"""The first sheet of an .xlsx file: a zip of XML, of which texts and numbers are read, no formulas."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from audiocontrib.audio.archives import MAX_MEMBER
from audiocontrib.errors import AudiocontribError
from audiocontrib.sources.base import Columns, Rows, SourceRow

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_SHEET, _TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


def read_xlsx(path: Path) -> Rows:
    """The rows below the first, whose cells are the names of the columns. AudiocontribError if it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            texts = [_text(one) for one in _parts(archive, _TEXTS, "si")] if _TEXTS in archive.namelist() else []
            rows = [(int(row.get("r", 0)), dict(_cells(row, texts))) for row in _parts(archive, _SHEET, "row")]
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError, ValueError, IndexError, OSError) as error:
        raise AudiocontribError(f"{path}: not a readable .xlsx file: {error}") from error
    header = rows[0][1] if rows else {}
    for number, cells in rows[1:]:
        yield SourceRow(str(path), number, Columns({str(name): cells.get(at) for at, name in header.items()}))


def _parts(archive: zipfile.ZipFile, member: str, tag: str) -> Iterator[ElementTree.Element]:
    if archive.getinfo(member).file_size > MAX_MEMBER:
        raise ValueError(f"{member} is larger than {MAX_MEMBER:,} bytes")
    yield from ElementTree.fromstring(archive.read(member)).iter(_NS + tag)


def _text(element: ElementTree.Element) -> str:
    return "".join(one.text or "" for one in element.iter(_NS + "t"))


def _cells(row: ElementTree.Element, texts: list[str]) -> Iterator[tuple[str, Any]]:
    for cell in row.iter(_NS + "c"):
        column = re.sub(r"\d", "", cell.get("r", ""))
        kind, value = cell.get("t"), cell.findtext(_NS + "v")
        if kind == "inlineStr":
            yield column, _text(cell)
        elif value is not None and kind in ("s", "str"):
            yield column, texts[int(value)] if kind == "s" else value
        elif value is not None and kind in (None, "n"):
            number = float(value)
            yield column, int(number) if number.is_integer() else number
