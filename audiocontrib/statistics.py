"""Statistics: intervals and chance correction. Thin, typed wrappers round scipy and statsmodels."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95


class Interval(NamedTuple):
    """A confidence interval; NaN at both ends where the data do not fix one."""

    low: float
    high: float


UNKNOWN = Interval(math.nan, math.nan)


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval for a share of independent cases; UNKNOWN for n = 0.

    Raises:
        ValueError: ``successes`` is not between 0 and ``n``.
    """
    from statsmodels.stats.proportion import proportion_confint

    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return UNKNOWN
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return Interval(float(low), float(high))


def clustered_mean(values: ArrayLike, clusters: ArrayLike, level: float = LEVEL) -> Interval:
    """Interval for a mean whose values within a cluster (items on one clip) need not be independent.

    Cluster-robust (sandwich) standard error of the intercept of a least-squares fit on a constant,
    SE² = G / (G - 1) · Σ_c (Σ_{i in c} (x_i - mean))² / n² over G clusters (CR1: Miller 2024,
    arXiv 2411.00640, times G / (G - 1)), with Student's t of G - 1 degrees of freedom.

    Args:
        values: shape (n,), numbers or truth values.
        clusters: shape (n,), integers that are equal within a cluster.

    Returns:
        The interval, not cut at 0 and 1; UNKNOWN with fewer than two clusters. Where all values are equal
        it has no width: read Wilson's interval there.

    Raises:
        ValueError: the shapes differ.
    """
    from statsmodels.regression.linear_model import OLS

    x, groups = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if x.shape != groups.shape or x.ndim != 1:
        raise ValueError(f"values of shape {x.shape}, clusters of shape {groups.shape}")
    names, codes = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        return UNKNOWN
    fit = OLS(x, np.ones_like(x)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    low, high = fit.conf_int(alpha=1 - level)[0]
    return Interval(float(low), float(high))


def chance_corrected(accuracy: float, chance: float) -> float:
    """(accuracy - chance) / (1 - chance): 0 for guessing, 1 for always right, negative below chance."""
    return (accuracy - chance) / (1 - chance)


def binomial_at_least(successes: ArrayLike, n: ArrayLike, p: ArrayLike) -> NDArray[np.float64]:
    """P(X >= successes) for X ~ Binomial(n, p), exact; the arguments broadcast against each other."""
    from scipy.stats import binom

    return np.asarray(binom.sf(np.asarray(successes) - 1, n, p), dtype=np.float64)
