"""Two measurements of the same items: are they different, are they equivalent, what could have been seen?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiocontrib.statistics.clusters import ALIKE, CHANGE, mean_by_clip
from audiocontrib.statistics.intervals import LEVEL

POWER = 0.8
DESIGNED_BELOW = 50
"""With fewer pairs, how many of them differ is too uncertain to say what could have been detected."""
HALF = 0.5
"""Share of the pairs that differ where a design says nothing better: most that two models differ by in practice."""
TOST_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean of paired differences a - b."""

    mean: float
    low: float
    high: float
    """95 % interval, clustered."""
    p: float
    """Two-sided, of no difference; clustered. Below 5 % where the interval leaves 0 out."""
    discordance: float
    """Share of the pairs that differ."""
    n: int
    """Pairs."""
    minimum_detectable: float
    """Smallest difference that such data show with power 80 % at the 5 % level. Below 50 pairs by design, and not from
    what was seen: independent clips, of which half differ."""
    kind: str
    """Of the interval, as in :class:`~audiocontrib.statistics.clusters.ClusteredMean`."""


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


def paired_difference(
    a: ArrayLike, b: ArrayLike, clusters: ArrayLike, span: tuple[float, float] | None = CHANGE
) -> Difference:  # fmt: skip
    """The mean of a - b with its clustered interval, and the smallest mean that could have been detected.

    Args:
        a: shape (n,), truth values, numbers in [0, 1] or differences of these.
        b: shape (n,), of the same items.
        clusters: shape (n,), integers that are equal within a cluster.
        span: the least and the most that a - b can be; None: it has no ends.

    Returns:
        The difference. What can be detected counts n in independent pairs: n is divided by the design effect
        (variance with clusters / variance without); the mean square of the differences stands for the share that
        differ, which it is where they are right or wrong. Where all pairs are alike, spread is no guide: the interval
        is Wilson's limit of the share of clusters that differ, and what could be detected is NaN. Below 10 pairs or
        5 clusters, the interval and p are NaN. Below 50 pairs what could be detected is by design alone.

    Raises:
        ValueError: the shapes differ.
    """
    d = _differences(a, b)
    found = mean_by_clip(d, clusters, span)
    low, high = found.interval()
    discordance = float((d != 0).mean()) if len(d) else math.nan
    detectable = math.nan
    if len(d) < DESIGNED_BELOW:
        detectable = smallest_by_design(found.clusters)
    elif found.error > 0:
        design = found.error**2 / float(d.var(ddof=1) / found.n)
        detectable = minimum_detectable_effect(found.n / design, float((d**2).mean()))
    return Difference(found.mean, low, high, found.p_value(), discordance, found.n, detectable, found.kind)


def smallest_by_design(clusters: int, square: float = HALF) -> float:
    """Smallest mean difference that so many independent pairs show, whatever they will say; NaN above 1.

    Args:
        square: mean square of the differences that is taken for granted: of right answers the share of pairs that
            differ, half of them; of a difference of two such (what the audio adds) twice as much.
    """
    found = minimum_detectable_effect(clusters, square)
    if not found > square:
        return found
    all_that_differ = found**2 / square  # Δ = (z + z') sqrt(Δ / n): every pair that differs does so the same way
    return all_that_differ if all_that_differ <= 1 else math.nan


def equivalence(a: ArrayLike, b: ArrayLike, clusters: ArrayLike, margin: float) -> Equivalence:
    """Two one-sided tests (TOST) that the mean of a - b lies within -margin and margin; clustered.

    Args:
        a: shape (n,), truth values or numbers in [0, 1].
        b: shape (n,), of the same items.
        clusters: shape (n,), integers that are equal within a cluster.
        margin: largest difference that does not matter, in (0, 1).

    Returns:
        The result. Where all pairs are alike, spread is no guide: p is then (1 - margin)^G, the probability
        that none of G clusters differs although a share ``margin`` of clusters does. Below 10 pairs or 5 clusters
        it is NaN, and not equivalent.

    Raises:
        ValueError: the shapes differ, or the margin is not between 0 and 1.
    """
    if not 0 < margin < 1:
        raise ValueError(f"a margin of {margin}")
    d = _differences(a, b)
    found = mean_by_clip(d, clusters, CHANGE)
    if found.kind == ALIKE and found.mean == 0:
        p, bound = (1 - margin) ** found.clusters, 1 - TOST_LEVEL ** (1 / found.clusters)
        return Equivalence(found.mean, -bound, bound, p, p < TOST_LEVEL)
    low, high = found.interval(1 - 2 * TOST_LEVEL)
    p = max(found.tails(-margin)[1], found.tails(margin)[0])
    return Equivalence(found.mean, low, high, p, p < TOST_LEVEL)


def _differences(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"pairs of shape {x.shape} and {y.shape}")
    return x - y
