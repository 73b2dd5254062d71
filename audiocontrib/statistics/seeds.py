"""A mean over items and over the seeds of a training: neither other items nor other seeds would say just the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audiocontrib.statistics.clusters import ALIKE, COUNTS, mean_by_clip
from audiocontrib.statistics.intervals import LEVEL
from audiocontrib.statistics.paired import Difference, minimum_detectable_effect

OVER_SEEDS = "t, clips and seeds"
"""The kind of the interval."""


def difference_over_seeds(d: ArrayLike, clusters: NDArray[np.integer]) -> Difference:
    """The mean of differences of shape (seeds, n), with an interval for other clips and other seeds.

    SE² = that of the items' means over the seeds, by clip (CR2), + that of the seeds' means over the items; Student's t
    with the degrees of freedom of Welch and Satterthwaite. What a seed and an item have together is in both: the
    interval is a little too wide.

    Args:
        clusters: shape (n,), integers that are equal within a clip.

    Raises:
        ValueError: there are fewer than two seeds.
    """
    from scipy.special import stdtr, stdtrit

    x = np.asarray(d, dtype=np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"differences of shape {x.shape}, not of two seeds or more")
    seeds, n = x.shape
    discordance = float((x != 0).mean()) if n else math.nan
    by_clip = mean_by_clip(x.mean(axis=0), clusters, None) if n and not np.isnan(x).any() else None
    if by_clip is None or by_clip.kind == COUNTS:
        mean = float(x.mean()) if n else math.nan
        return Difference(mean, math.nan, math.nan, math.nan, discordance, n, math.nan, COUNTS)
    parts = [(float(x.mean(axis=1).var(ddof=1)) / seeds, float(seeds - 1))]
    if by_clip.error:
        parts.append((by_clip.error**2, by_clip.freedom))
    square = sum(variance for variance, _ in parts)
    if not square > 0:
        return Difference(by_clip.mean, math.nan, math.nan, math.nan, discordance, n, math.nan, ALIKE)
    error, freedom = math.sqrt(square), square**2 / sum(variance**2 / df for variance, df in parts)
    half = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(by_clip.mean) / error))
    shown = minimum_detectable_effect(1.0, square)
    return Difference(by_clip.mean, by_clip.mean - half, by_clip.mean + half, p, discordance, n, shown, OVER_SEEDS)
