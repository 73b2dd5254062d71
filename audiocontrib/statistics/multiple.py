"""P-values of several tests at once. (statsmodels has both, and collects the garbage of the process at each call.)"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values, shape (n,): rejecting those <= a makes any false rejection at most a likely.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    given = _checked(p)
    order = given.argsort()
    adjusted = np.empty_like(given)
    adjusted[order] = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1)).clip(max=1)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values, shape (n,): of those <= q, at most the share q is false on average (independent tests)."""
    from scipy.stats import false_discovery_control

    given = _checked(p)
    return np.asarray(false_discovery_control(given)) if given.size else given


def _checked(p: ArrayLike) -> NDArray[np.float64]:
    given = np.asarray(p, dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("p-values lie between 0 and 1")
    return given
