"""Lines on whether a model listens more, shared by the commands that compare two."""

from __future__ import annotations

from typing import Any


def listening_words(rows: list[dict[str, Any]]) -> list[str]:
    """Does it listen more? In a line for each data set and condition without the audio."""
    return [
        f"{row['dataset']}: {row['measure']}: {row['verdict']} ({_interval(row)}"
        + (f"; {row['least']:+.3f} to {row['most']:+.3f} by what abstentions are worth" if _open_ended(row) else "")
        + f"; of what is open without it: {_interval(row, 'relative_')})"
        for row in rows
        if row["part"] == "all" and row["verdict"]
    ]


def _interval(row: dict[str, Any], of: str = "") -> str:
    change, low, high = (row[f"{of}{name}"] for name in ("change", "low", "high"))
    if low is None or low != low:
        return f"{change:+.3f}, without an interval"
    return f"{change:+.3f}, {low:+.3f} to {high:+.3f}"


def _open_ended(row: dict[str, Any]) -> bool:
    return bool(row["most"] - row["least"] > 1e-9)
