"""Two measurements of the same items: are they different, are they equivalent, what could have been seen?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiocontrib.statistics.intervals import LEVEL, clustered_fit, wilson_upper

POWER = 0.8
TOST_LEVEL = 0.05
TINY = 1e-12
"""A standard error below it is rounding: the clusters do not differ."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean of paired differences a - b."""

    mean: float
    low: float
    high: float
    """95 % interval, clustered."""
    p: float
    """Two-sided, of no difference; clustered t-test."""
    discordance: float
    """Share of the pairs that differ."""
    n: int
    """Pairs."""
    minimum_detectable: float
    """Smallest difference that such data show with power 80 % at the 5 % level."""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether a mean of paired differences a - b lies within a margin round 0."""

    mean: float
    low90: float
    high90: float
    """90 % interval, clustered: within the margin exactly where p < 5 %."""
    p: float
    """Of two one-sided t-tests (TOST), the larger."""
    equivalent: bool
    """p < 5 %."""


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided p-value of McNemar's test, from the pairs that only a and that only b has right.

    It takes the pairs as independent; for items that share clips see :func:`paired_difference`.
    """
    from statsmodels.stats.contingency_tables import mcnemar as exact

    return float(exact([[0, only_a], [only_b, 0]], exact=True).pvalue)


def minimum_detectable_effect(n: float, discordance: float, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest mean paired difference of right answers that n independent pairs show: Δ = (z + z') sqrt(d / n).

    z is the normal quantile of 1 - (1 - level) / 2, z' that of the power, d the share of the pairs that
    differ: the variance of a difference in {-1, 0, 1} with mean near 0. NaN for no pairs.
    """
    from scipy.stats import norm

    z = norm.ppf((1 + level) / 2) + norm.ppf(power)
    return float(z * math.sqrt(discordance / n)) if n > 0 else math.nan


def paired_difference(a: ArrayLike, b: ArrayLike, clusters: ArrayLike) -> Difference:
    """The mean of a - b with its clustered interval, and the smallest mean that could have been detected.

    Args:
        a: shape (n,), truth values, numbers in [0, 1] or differences of these.
        b: shape (n,), of the same items.
        clusters: shape (n,), integers that are equal within a cluster.

    Returns:
        The difference. What can be detected counts n in independent pairs: n is divided by the design effect
        (variance with clusters / variance without); the mean square of the differences stands for the share that
        differ, which it is where they are right or wrong. Where all pairs are alike, spread is no guide: the
        interval is then Wilson's limit of the share of clusters that differ, to both sides, and p is 1. What
        fewer than two clusters, or clusters that all differ by the same, do not fix is NaN.

    Raises:
        ValueError: the shapes differ.
    """
    d = _differences(a, b)
    n, mean = len(d), float(d.mean()) if len(d) else math.nan
    discordance = float((d != 0).mean()) if n else math.nan
    fit = clustered_fit(d, clusters)
    if fit is not None and discordance == 0:
        bound = wilson_upper(0, _clusters(fit), 1 - (1 - LEVEL) / 2)
        return Difference(mean, -bound, bound, 1.0, discordance, n, math.nan)
    if fit is None or not fit.bse[0] > TINY:
        return Difference(mean, math.nan, math.nan, math.nan, discordance, n, math.nan)
    low, high = fit.conf_int(alpha=1 - LEVEL)[0]
    design = float(fit.bse[0] ** 2 / (d.var(ddof=1) / n))
    detectable = minimum_detectable_effect(n / design, float((d**2).mean()))
    return Difference(mean, float(low), float(high), float(fit.pvalues[0]), discordance, n, detectable)


def equivalence(a: ArrayLike, b: ArrayLike, clusters: ArrayLike, margin: float) -> Equivalence:
    """Two one-sided tests (TOST) that the mean of a - b lies within -margin and margin; clustered.

    Args:
        a: shape (n,), truth values or numbers in [0, 1].
        b: shape (n,), of the same items.
        clusters: shape (n,), integers that are equal within a cluster.
        margin: largest difference that does not matter, in (0, 1).

    Returns:
        The result. Where all pairs are alike, spread is no guide: p is then (1 - margin)^G, the probability
        that none of G clusters differs although a share ``margin`` of clusters does. What fewer than two
        clusters, or clusters that all differ by the same, do not fix is NaN, and not equivalent.

    Raises:
        ValueError: the shapes differ, or the margin is not between 0 and 1.
    """
    from scipy.stats import t

    if not 0 < margin < 1:
        raise ValueError(f"a margin of {margin}")
    d = _differences(a, b)
    mean = float(d.mean()) if len(d) else math.nan
    fit = clustered_fit(d, clusters)
    if fit is not None and not d.any():
        p, bound = (1 - margin) ** _clusters(fit), 1 - TOST_LEVEL ** (1 / _clusters(fit))
        return Equivalence(mean, -bound, bound, p, p < TOST_LEVEL)
    if fit is None or not fit.bse[0] > TINY:
        return Equivalence(mean, math.nan, math.nan, math.nan, False)
    error, free = float(fit.bse[0]), _clusters(fit) - 1
    p = float(max(t.sf((mean + margin) / error, free), t.cdf((mean - margin) / error, free)))
    low, high = fit.conf_int(alpha=2 * TOST_LEVEL)[0]
    return Equivalence(mean, float(low), float(high), p, p < TOST_LEVEL)


def _clusters(fit: Any) -> int:
    return int(fit.df_resid_inference) + 1


def _differences(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"pairs of shape {x.shape} and {y.shape}")
    return x - y
