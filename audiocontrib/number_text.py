"""Numbers as people read them, in one style everywhere: shares in percent, differences with a sign, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

NONE = "–"
"""There is no value."""


def percent(share: float | None) -> str:
    """A share, clipped to what can be: whole percents, and one digit more below 1 % and above 99 %."""
    if share is None or share != share:
        return NONE
    value = min(max(share, 0.0), 1.0)
    if 0 < value < 0.0005:
        return "<0.1%"
    if 0.9995 < value < 1:
        return ">99.9%"
    return f"{value:.1%}" if 0 < value < 0.0095 or 0.9905 < value < 1 else f"{value:.0%}"


def at_most(share: float | None) -> str:
    """An upper bound of a share, rounded up: whole percents, and one digit more below 10 %."""
    if share is None or share != share:
        return NONE
    value = min(max(share, 0.0), 1.0)
    tenths = ceil(round(value * 1000, 6))
    return f"{tenths / 10:.1f}%" if tenths < 100 else f"{ceil(round(value * 100, 6))}%"


def signed(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """``+0.91 [0.68,1.10]``; never clipped, and the interval is one word, so that no line ends within it."""
    if value is None or value != value:
        return NONE
    if low is None or high is None or low != low or high != high:
        return f"{value:+.2f}"
    return f"{value:+.2f} [{low:.2f},{high:.2f}]"


def share_between(share: float | None, low: float, high: float) -> str:
    """A share with its interval: ``95% (86%–98%)``."""
    return f"{percent(share)} ({percent(low)}–{percent(high)})"


def share_or_bound(share: float, low: float, high: float, kind: str = "") -> str:
    """A share that an estimate may put below 0: with its interval and the kind of it, or what it is at most.

    ``31% (12%–50%; CR2 t, clustered)``; ``cannot be told from 0; at most 17% (CR2 t, clustered)``.
    """
    if low > 0:
        return f"{percent(share)} ({percent(low)}–{percent(high)}{f'; {kind}' if kind else ''})"
    return f"cannot be told from 0; at most {at_most(high)}{f' ({kind})' if kind else ''}"


def accuracy_text(row: Mapping[str, Any]) -> str:
    """``82% (75%–88%)`` from a row of accuracies; ``7 of 9`` where there are too few for an interval."""
    low, high = row["low"], row["high"]
    if low is None or low != low:
        return f"{row['right']:,} of {row['n']:,}"
    return share_between(row["accuracy"], low, high)


def audio_adds(low: float | None, high: float | None) -> str:
    """What follows from the interval of what the audio adds, in words."""
    if low is None or high is None or low != low or high != high:
        return "there are too few clips for an interval of what the audio adds"
    if low > 0:
        return f"the audio helps: at least {low:.2f} of what is open without it"
    if high < 0:
        return "with the audio it answers worse than without"
    return f"what the audio adds cannot be told from 0; at most {high:.2f} of what is open without it"


def as_words(value: object) -> str:
    """A cell of any kind in words: – for none, three figures of a number."""
    if value is None or value != value:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {as_words(one)}" for name, one in value.items())
    return ", ".join(map(as_words, value)) if isinstance(value, list | tuple) else str(value)
