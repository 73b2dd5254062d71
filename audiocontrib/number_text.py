"""Numbers as people read them, in one style everywhere: shares in percent, differences with a sign, intervals."""

from __future__ import annotations

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


def audio_adds(low: float | None, high: float | None) -> str:
    """What follows from the interval of what the audio adds, in words."""
    if low is None or high is None or low != low or high != high:
        return "there are too few clips for an interval of what the audio adds"
    if low > 0:
        return f"the audio helps: at least {low:.2f} of what is open without it"
    if high < 0:
        return "with the audio it answers worse than without"
    return f"what the audio adds cannot be told from 0; at most {high:.2f} of what is open without it"
