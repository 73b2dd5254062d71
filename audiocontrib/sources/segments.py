"""The part of a recording that a row is about: its start, and its end or duration, in seconds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, NoColumn

SEGMENT = ("start", "end", "duration")
"""The fields of a mapping that say it."""
NONE = "-"
_UNIT = r"(?:_?(?:time|s|sec|secs|seconds))?"
_COLUMNS = {
    "start": re.compile(rf"(?:segment_|seg_|clip_)?(?:start|begin|onset){_UNIT}|offset{_UNIT}", re.IGNORECASE),
    "end": re.compile(rf"(?:segment_|seg_|clip_)?(?:end|stop){_UNIT}", re.IGNORECASE),
    "duration": re.compile(rf"(?:segment_|seg_|clip_)?(?:duration|dur|length){_UNIT}", re.IGNORECASE),
}
_OTHER_UNIT = re.compile(r"(?:\w+_)?(?:start|end|onset|offset)_?(?:ms|msec|millis\w*|samples?|frames?)", re.IGNORECASE)


def segment_columns(there: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """Which of the columns ``there`` say the start, and the end or the duration; none where recordings are whole.

    Args:
        given: field to column; ``start: -`` says that all of each recording is meant.

    Raises:
        NoColumn: a column is not there, one is missing beside another, or they are in another unit than seconds.
    """
    if given.get("start") == NONE:
        return {}
    for name in SEGMENT:
        if name in given and given[name] not in (*there, NONE):
            raise NoColumn(name, f"there is no column {given[name]!r}; there are: {', '.join(there)}")
    found = {name: column for name in SEGMENT if (column := given.get(name) or _usual(name, there)) and column != NONE}
    if "start" in given:
        return found if "end" not in found else {name: found[name] for name in ("start", "end")}
    way_out = "name the column in seconds, or say start=- if all of each recording is meant"
    if "start" not in found and "end" not in found:
        if other := next((name for name in there if _OTHER_UNIT.fullmatch(name)), None):
            raise NoColumn("start", f"column {other!r} is not in seconds: {way_out}")
        return {}  # a duration alone is that of the recording
    if "start" not in found or not found.keys() & {"end", "duration"}:
        lone = found.get("start") or found["end"]
        raise NoColumn("start", f"column {lone!r} has no end, start or duration beside it: {way_out}")
    return {name: found[name] for name in ("start", "end" if "end" in found else "duration")}


def segment_of(row: Columns, columns: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Start and end of a row, in seconds; None for a recording that is heard as a whole.

    Raises:
        BadItem: one is missing or no number, or the end is not behind the start.
    """
    cells = {name: _seconds(name, row[column]) for name, column in columns.items()}
    if all(cell is None for cell in cells.values()):
        return None, None
    for name, cell in cells.items():
        if cell is None:
            raise BadItem(name, "is empty")
    start, end = cells.get("start") or 0.0, cells.get("end")
    if "duration" in cells:
        end = round(start + (cells["duration"] or 0.0), 9)
    if end is not None and end <= start:
        raise BadItem("end", f"{end:g} s is not behind the start, {start:g} s")
    return start, end


def _usual(name: str, there: Sequence[str]) -> str | None:
    """The first column that is called so. An ``offset`` beside an ``onset`` is the end."""
    if name == "end" and "onset" in there and "offset" in there:
        return "offset"
    found = [column for column in there if _COLUMNS[name].fullmatch(column)]
    return next((column for column in found if column != "offset"), found[0] if found else None)


def _seconds(name: str, cell: Any) -> float | None:
    if cell is None or cell == "":
        return None
    try:
        seconds = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise BadItem(name, f"{cell!r:.40} is no number of seconds")
    return seconds
