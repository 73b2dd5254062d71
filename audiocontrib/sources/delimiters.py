"""What divides the cells of a CSV file: seen from its first lines, or refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from audiocontrib.errors import AudiocontribError

SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def csv_delimiter(path: Path, lines: Sequence[str]) -> tuple[str, bool]:
    """The sign that divides the cells, and whether the first line only says it (``sep=;``, as Excel writes).

    Args:
        lines: the first lines of the file; the last may be cut in the middle of a row.

    Raises:
        AudiocontribError: two signs divide the header, and the rows as evenly.
    """
    if lines and (said := re.fullmatch(r"\ufeff?sep=(.)\r?\n?", lines[0], re.IGNORECASE)):
        return said[1], True
    able = {sign: _even(lines, sign) for sign in SIGNS}
    wide = [sign for sign, (names, _) in able.items() if names > 1]
    even = [sign for sign in wide if able[sign][1]]
    if len(wide) <= 1 or len(even) == 1:
        return (even or wide or [","])[0], False
    named = " or ".join(SIGNS[sign] for sign in wide)
    raise AudiocontribError(f"{path}: its cells may be divided by {named}; put texts that hold one in quotes")


def _even(lines: Sequence[str], sign: str) -> tuple[int, bool]:
    """Names in the header so divided, and whether the rows behind it have as many cells; the last is passed over."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=sign) if row]
    except csv.Error:
        return 0, False
    whole = rows[1:-1] or rows[1:]
    return len(rows[0]) if rows else 0, all(len(row) == len(rows[0]) for row in whole)
