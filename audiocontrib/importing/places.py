"""What a row of answers was given to: condition, order and repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiocontrib.conditions import condition as known_condition
from audiocontrib.errors import BadItem, UsageError

MOST_REPEATS = 10_000
FROM = {"repeat": 0, "epoch": 1}
"""Columns that tell several answers to one question apart, and the number of the first."""


def read_condition(cell: Any) -> str:
    """A condition as it is written in a run. BadItem if there is none of that name."""
    try:
        found = known_condition(str(cell))
    except UsageError as error:
        raise BadItem("condition", str(error)) from error
    if found.borrows_option:
        raise BadItem("condition", f"{found.spec} offers an option of another item, and a file does not say which")
    return found.spec


def read_order(cell: Any, k: int) -> int:
    """A rotation of k options; 0 where the cell is empty. BadItem if it is none."""
    if cell is None or cell == "":
        return 0
    try:
        order = int(cell)
    except (TypeError, ValueError):
        order = -1
    if not 0 <= order < k:
        raise BadItem("order", f"{cell!r} is no rotation of {k} options: it is 0 to {k - 1}")
    return order


def read_repeat(cells: Mapping[str, Any]) -> int | None:
    """Which repeat a row is, from 0; None where it does not say. BadItem if it says two, or no whole number."""
    told = {
        name: _whole(name, cells[name], first) - first
        for name, first in FROM.items()
        if cells.get(name) not in (None, "")
    }
    if len(set(told.values())) > 1:
        raise BadItem(
            "repeat", f"repeat {cells['repeat']!r}, from 0, and epoch {cells['epoch']!r}, from 1, are not the same"
        )
    return next(iter(told.values()), None)


def _whole(name: str, cell: Any, first: int) -> int:
    try:
        number = int(cell)
        sound = not isinstance(cell, bool) and number == float(cell) and first <= number <= MOST_REPEATS
    except (TypeError, ValueError, OverflowError):
        sound = False
    if not sound:
        raise BadItem(name, f"{cell!r} is no whole number from {first} to {MOST_REPEATS:,}")
    return number
