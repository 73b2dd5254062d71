"""Numbers and paths that a caller gives, checked: a whole number is no truth value, and no number is NaN."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError

LARGEST = 2**63 - 1
"""Whole numbers reach other libraries in 64 bits."""


def whole_number(value: Any, name: str, least: int = 0, most: int = LARGEST) -> int:
    """The value, if it is a whole number in this range. UsageError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        words = f"of at least {least}" if most == LARGEST else f"from {least} to {most:,}"
        raise UsageError(f"{name} is {value!r:.40}, but must be a whole number {words}", argument=name)
    return value


def number(value: Any, name: str, least: float, most: float = math.inf) -> float:
    """The value, if it is a finite number in this range. UsageError that names the argument."""
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not (known and least <= value <= min(most, sys.float_info.max)):
        words = f"of at least {least:g}" if most == math.inf else f"between {least:g} and {most:g}"
        raise UsageError(f"{name} is {value!r:.40}, but must be a number {words}", argument=name)
    return float(value)


def as_path(value: Any, name: str) -> Path:
    """The value as a path. UsageError that names the argument if it is none."""
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise UsageError(f"{name} is {value!r:.40}, but must be the path of a file or folder", argument=name)
    return Path(value)
