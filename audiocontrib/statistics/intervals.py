"""Confidence intervals for shares and means, of independent and of clustered cases."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiocontrib.checked import number, whole_number

LEVEL = 0.95

CELLS = 10_000_000
"""Numbers that a step of the bootstrap may hold at once (80 MB)."""


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
    fit = clustered_fit(values, clusters)
    if fit is None:
        return UNKNOWN
    low, high = fit.conf_int(alpha=1 - number(level, "level", 0, 1))[0]
    return Interval(float(low), float(high))


def clustered_fit(values: ArrayLike, clusters: ArrayLike) -> Any | None:
    """The fit behind :func:`clustered_mean`, a statsmodels result; None with fewer than two clusters."""
    x, codes, n_clusters = _coded(values, clusters)
    return _fit(x, codes) if n_clusters > 1 else None


def two_way_mean(values: ArrayLike, first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Interval:
    """As :func:`clustered_mean`, for values that are not independent where they share either of two clusters.

    Two-way cluster-robust standard error (Cameron, Gelbach and Miller 2011): SE² of the one clustering + SE² of
    the other - SE² of their intersection, not below 0; degrees of freedom of the one with fewer clusters.

    Args:
        values: shape (n,), numbers or truth values.
        first: shape (n,), integers that are equal within a cluster of the one kind.
        second: shape (n,), of the other kind.
    """
    from scipy.stats import t

    x, codes, n_first = _coded(values, first)
    _, others, n_second = _coded(values, second)
    if min(n_first, n_second) < 2:
        return UNKNOWN
    variance = float(_fit(x, np.stack([codes, others], axis=1)).cov_params()[0, 0])
    half = float(t.ppf((1 + number(level, "level", 0, 1)) / 2, min(n_first, n_second) - 1)) * math.sqrt(
        max(variance, 0.0)
    )
    return Interval(float(x.mean()) - half, float(x.mean()) + half)


def cluster_bootstrap(
    values: ArrayLike,
    clusters: ArrayLike,
    weights: ArrayLike | None = None,
    seed: int = 0,
    resamples: int = 2000,
    level: float = LEVEL,
) -> Interval:
    """Percentile interval of Σ w x / Σ w when whole clusters are drawn with replacement.

    Clusters with the same sums are interchangeable, so what is drawn is how often each distinct pair of sums
    occurs (a multinomial): the same distribution, and quick where shares are counted. scipy's bootstrap would
    draw every cluster one by one.

    Args:
        values: shape (n,), numbers or truth values.
        clusters: shape (n,), integers that are equal within a cluster.
        weights: shape (n,), >= 0; None: all 1.
        seed: the same seed gives the same interval, in whatever order the rows come.
        resamples: how many times the clusters are drawn.

    Returns:
        The interval; UNKNOWN with fewer than two clusters or without weight.

    Raises:
        ValueError: the shapes differ.
    """
    number(level, "level", 0, 1)
    whole_number(resamples, "resamples", least=1)
    whole_number(seed, "seed")
    x, codes, n_clusters = _coded(values, clusters)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    if w.shape != x.shape:
        raise ValueError(f"values of shape {x.shape}, weights of shape {w.shape}")
    if n_clusters < 2 or not w.sum() > 0:
        return UNKNOWN
    sums = np.stack([np.bincount(codes, w * x), np.bincount(codes, w)], axis=1)
    # rounded, because the last digits of a sum depend on the order of the rows
    distinct, times = np.unique(sums.round(12), axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    step = max(1, CELLS // len(distinct))
    drawn = np.concatenate(
        [
            random.multinomial(n_clusters, times / n_clusters, min(step, resamples - start)) @ distinct
            for start in range(0, resamples, step)
        ]
    )
    means = drawn[drawn[:, 1] > 0]
    low, high = np.quantile(means[:, 0] / means[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _coded(values: ArrayLike, clusters: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.intp], int]:
    """The values, their clusters as codes 0 to G - 1, and G."""
    x, groups = np.asarray(values, dtype=np.float64), np.asarray(clusters)
    if x.shape != groups.shape or x.ndim != 1:
        raise ValueError(f"values of shape {x.shape}, clusters of shape {groups.shape}")
    names, codes = np.unique(groups, return_inverse=True)
    return x, codes, len(names)


def _fit(x: NDArray[np.float64], codes: NDArray[np.intp]) -> Any:
    """The mean as a least-squares fit on a constant, with its cluster-robust covariance."""
    from statsmodels.regression.linear_model import OLS

    return OLS(x, np.ones_like(x)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
