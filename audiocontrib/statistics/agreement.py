"""Agreement between raters who put cases into the same categories, corrected for chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def cohen_kappa(a: ArrayLike, b: ArrayLike) -> float:
    """Cohen's kappa of two raters, each with one category per case.

    Args:
        a: shape (n,), categories as integers, texts or truth values.
        b: shape (n,), of the same kind.

    Returns:
        1: always alike, 0: as alike as their category shares make likely, below 0: less; NaN for no case and
        where both use one and the same category throughout.
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"ratings of shape {first.shape} and {second.shape}")
    names, codes = np.unique(np.concatenate([first, second]), return_inverse=True)
    if len(names) < 2:
        return float("nan")
    table = np.zeros((len(names), len(names)))
    np.add.at(table, (codes[: len(first)], codes[len(first) :]), 1)
    return float(cohens_kappa(table, return_results=False))


def fleiss_kappa(table: ArrayLike) -> float:
    """Fleiss' kappa of any number of raters.

    Args:
        table: shape (n, categories): how many raters put case i into each category; every row has the same sum.

    Returns:
        As :func:`cohen_kappa`.
    """
    from statsmodels.stats.inter_rater import fleiss_kappa as fleiss

    counts = np.asarray(table)
    if counts.ndim != 2 or len(np.unique(counts.sum(axis=1))) > 1:
        raise ValueError(f"a table of shape {counts.shape} in which every case needs the same number of ratings")
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return float("nan")
    return float(fleiss(counts))
