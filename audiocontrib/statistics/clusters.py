"""The interval of a mean whose cases come in clusters: the one that every table prints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiocontrib.checked import number
from audiocontrib.statistics.intervals import LEVEL, Interval

LEAST_ITEMS, LEAST_CLIPS = 10, 5
"""Below either there are counts, and no interval."""
SHARE = (0.0, 1.0)
CHANGE = (-1.0, 1.0)
WILSON, STUDENT, ALIKE, COUNTS = "Wilson, clustered", "t, clustered", "all alike, clustered", "counts only"
"""The kinds of an interval."""
TINY = 1e-12
"""A standard error below it is rounding: the clusters do not differ."""


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean of n values in G clusters, and what is needed for its interval and tests."""

    mean: float
    n: int
    clusters: int
    error: float
    """CR2 cluster-robust standard error."""
    freedom: float
    """Satterthwaite's degrees of freedom of the error."""
    least: float
    most: float
    """Ends of the values' span; infinite where they have none."""
    effective: float
    """Independent values that would fix the mean as well; for Wilson's interval on the span."""
    kind: str
    """WILSON, STUDENT, ALIKE (all values are equal), or COUNTS (too few for an interval)."""

    def interval(self, level: float = LEVEL) -> Interval:
        """The interval, within the span and never without width; NaN for COUNTS, and for equal values without span."""
        from scipy.special import stdtrit

        if self.kind == COUNTS or (self.kind == ALIKE and not self._spanned()):
            return Interval(math.nan, math.nan)
        z = float(stdtrit(self.freedom, (1 + number(level, "level", 0, 1)) / 2))
        if self.kind == STUDENT:
            return Interval(self.mean - z * self.error, self.mean + z * self.error)
        if self.kind == ALIKE:  # Wilson's limit of the share of clusters that differ, towards either end
            differ = z**2 / (self.effective + z**2)
            return Interval(self.mean - differ * (self.mean - self.least), self.mean + differ * (self.most - self.mean))
        width = self.most - self.least
        p, n = (self.mean - self.least) / width, self.effective
        centre, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        low, high = ((centre + side * half) / (1 + z**2 / n) for side in (-1, 1))
        return Interval(self.least + width * max(low, 0.0), self.least + width * min(high, 1.0))

    def in_columns(self) -> dict[str, Any]:
        """The columns of a table: low, high (95 %; None where there are none) and interval, the kind."""
        low, high = (None if math.isnan(end) else end for end in self.interval())
        return {"low": low, "high": high, "interval": self.kind}

    def p_value(self, null: float = 0.0) -> float:
        """Two-sided, of the mean being ``null``: below 1 - level exactly where the interval leaves it out."""
        return min(2 * min(self.tails(null)), 1.0)

    def tails(self, null: float) -> tuple[float, float]:
        """P(a mean so low, so high) if it is ``null``; NaN where there is no interval."""
        from scipy.special import stdtr

        if self.kind == COUNTS or (self.kind == ALIKE and not self._spanned()):
            return math.nan, math.nan
        if self.kind == STUDENT:
            z = (self.mean - null) / self.error
        elif self.kind == ALIKE:
            room = self.most - self.mean if null > self.mean else self.mean - self.least
            differ = min(abs(null - self.mean) / room, 1.0) if room else float(null != self.mean)
            z = math.copysign(math.sqrt(self.effective * differ / (1 - differ)) if differ < 1 else math.inf,
                              self.mean - null)  # fmt: skip
        else:
            width = self.most - self.least
            p, p0 = ((value - self.least) / width for value in (self.mean, null))
            luck = p0 * (1 - p0) / self.effective
            z = (p - p0) / math.sqrt(luck) if luck > 0 else math.copysign(math.inf, p - p0)
        return float(stdtr(self.freedom, z)), float(stdtr(self.freedom, -z))

    def _spanned(self) -> bool:
        return math.isfinite(self.least) and math.isfinite(self.most)


def mean_by_clip(
    values: ArrayLike,
    clusters: ArrayLike,
    span: tuple[float, float] | None = SHARE,
    others: ArrayLike | None = None,
) -> ClusteredMean:
    """The mean of values that need not be independent within a cluster (items on one clip).

    The variance is CR2 (Bell and McCaffrey 2002), with Satterthwaite's degrees of freedom: statsmodels has neither.
    Values with a span have Wilson's interval on the effective n, n_eff = p (1 - p) / variance on the span (Franco,
    Little, Louis and Slud 2019), for shares at most n; values without one have Student's. Where all are alike, n_eff
    is n² / sum of squared cluster sizes.

    Args:
        values: shape (n,), numbers or truth values.
        clusters: shape (n,), integers that are equal within a cluster.
        span: the least and the most that a value can be: SHARE, CHANGE, or others; None: it has no ends.
        others: clusters of another kind, within which values need not be independent either: the variances of both,
            less that of their intersection (Cameron, Gelbach and Miller 2011), and the fewer degrees of freedom.

    Returns:
        With the kind COUNTS below LEAST_ITEMS values or LEAST_CLIPS clusters.

    Raises:
        ValueError: the shapes differ, or a value lies outside the span.
    """
    x = np.asarray(values, dtype=np.float64)
    groups = [np.asarray(one) for one in (clusters, others) if one is not None]
    if x.ndim != 1 or any(one.shape != x.shape for one in groups):
        raise ValueError(f"values of shape {x.shape}, clusters of shape {groups[0].shape}")
    least, most = span or (-math.inf, math.inf)
    if len(x) and not (least - 1e-9 <= x.min() and x.max() <= most + 1e-9):
        raise ValueError(f"values from {x.min():g} to {x.max():g}; they lie between {least:g} and {most:g}")
    kinds = [np.unique(one, return_inverse=True)[1] for one in groups]
    n, fewest = len(x), min((codes.max() + 1 for codes in kinds), default=0) if len(x) else 0
    mean = float(np.clip(x.mean(), least, most)) if n else math.nan
    if n < LEAST_ITEMS or fewest < LEAST_CLIPS:
        return ClusteredMean(mean, n, int(fewest), math.nan, math.nan, least, most, math.nan, COUNTS)
    parts = [_robust(x - mean, codes) for codes in kinds]
    variance, freedom = sum(part[0] for part in parts), min(part[1] for part in parts)
    if len(kinds) > 1:
        variance -= _robust(x - mean, np.unique(kinds[0] * (kinds[1].max() + 1) + kinds[1], return_inverse=True)[1])[0]
    error = math.sqrt(max(variance, 0.0))
    if not error > TINY * max(1.0, abs(mean)):
        alike = min(n**2 / float((np.bincount(codes) ** 2.0).sum()) for codes in kinds)
        return ClusteredMean(mean, n, int(fewest), 0.0, freedom, least, most, alike, ALIKE)
    if span is None:
        return ClusteredMean(mean, n, int(fewest), error, freedom, least, most, math.nan, STUDENT)
    effective = (mean - least) * (most - mean) / error**2
    if (least, most) == SHARE:
        effective = min(effective, float(n))
    return ClusteredMean(mean, n, int(fewest), error, freedom, least, most, effective, WILSON)


def _robust(residuals: NDArray[np.float64], codes: NDArray[np.intp]) -> tuple[float, float]:
    """CR2 variance of a mean and its degrees of freedom."""
    sizes, sums = np.bincount(codes), np.bincount(codes, residuals)
    n = len(codes)
    adjusted = 1 / (1 - sizes / n)
    variance = float((adjusted * sums**2).sum()) / n**2
    # the covariance of the adjusted sums, if values were independent: diag(own) - outer(a m, a m) / n
    own, cross = adjusted * sizes, adjusted * sizes**2.0
    trace = float(own.sum() - cross.sum() / n)
    square = float((own**2).sum() - 2 * (own * cross).sum() / n + cross.sum() ** 2 / n**2)
    return variance, trace**2 / square
