"""Confidence intervals: what they are, and those of a share of independent cases."""

from __future__ import annotations

import math
from typing import NamedTuple

from audiocontrib.checked import number

LEVEL = 0.95


class Interval(NamedTuple):
    """A confidence interval; NaN at both ends where the data do not fix one."""

    low: float
    high: float

    def ends(self) -> tuple[float | None, float | None]:
        """Both ends as tables have them: None where they are not known."""
        low, high = (None if math.isnan(end) else end for end in self)
        return low, high


UNKNOWN = Interval(math.nan, math.nan)


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval for a share of independent cases; UNKNOWN for n = 0.

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``.
    """
    from statsmodels.stats.proportion import proportion_confint

    number(level, "level", 0, 1)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return UNKNOWN
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return Interval(float(low), float(high))


def wilson_upper(successes: int, n: int, level: float = LEVEL) -> float:
    """Wilson's one-sided upper limit: the share is below it with confidence ``level``; NaN for n = 0.

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``.
    """
    return wilson(successes, n, 2 * level - 1).high
