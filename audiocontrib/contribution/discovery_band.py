"""An upper band of the false-discovery proportion: of this one set, where the false-discovery rate is an average.

Luck puts a gold or a decoy ahead by a coin. So the golds that luck puts ahead before the d-th decoy are a sum of d
geometric numbers, and a band over all d at once bounds them at whatever threshold is chosen (the standardised band of
Ebadi, Luo, Freestone, Keich and Noble 2023, arXiv 2302.11837).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from audiocontrib.contribution.contest import Contest, Decoys
from audiocontrib.contribution.decoys import competitions
from audiocontrib.contribution.response_matrix import Floats, Ints

LEVEL = 0.95
DRAWS = 4000


def false_proportion_limit(
    contest: Contest, q: Floats, fdr: float, decoys: Decoys = "top-two", strata: Ints | None = None
) -> float:  # fmt: skip
    """With probability LEVEL, at most this share of the trials with q <= fdr owe it to luck; NaN where there are none.

    Where items compete in several sequences, each has its part of what may go wrong (Bonferroni).

    Args:
        q: of :func:`~audiocontrib.contribution.decoys.q_values` by the same ``decoys`` and ``strata``.
    """
    sequences = list(competitions(contest, decoys, strata))
    called = lucky = 0
    for own, rivals in sequences:
        won = contest.won[own] & (q[own] <= fdr)
        if not won.any():
            continue
        lost = int((~contest.won[own] & (contest.margin[own] >= contest.margin[own][won].min())).sum())
        most = max(lost + 1, int(fdr * len(own)) + 1)
        called += int(won.sum())
        lucky += min(int(won.sum()), _most_lucky(lost + 1, rivals, most, (1 - LEVEL) / len(sequences)))
    return lucky / called if called else float("nan")


def _most_lucky(lost: int, rivals: int, most: int, error: float) -> int:
    """The most golds that luck puts ahead before the ``lost``-th decoy, in a band over 1 to ``most`` decoys."""
    grid, height = _band(rivals, 1 << int(most - 1).bit_length(), round(error, 6))
    d = int(grid[np.searchsorted(grid, lost)])
    return int(d / rivals + height * np.sqrt(d * (1 + 1 / rivals) / rivals))


@cache
def _band(rivals: int, most: int, error: float) -> tuple[Ints, float]:
    """Where the band is looked at, and how many standard deviations it lies above the mean."""
    grid = np.unique(np.geomspace(1, most, 200).round().astype(np.int64))
    steps = np.diff(grid, prepend=0)
    drawn = np.random.default_rng(0).negative_binomial(steps, rivals / (1 + rivals), (DRAWS, len(grid)))
    golds = drawn.cumsum(axis=1)  # before each decoy of the grid
    height = (golds - grid / rivals) / np.sqrt(grid * (1 + 1 / rivals) / rivals)
    return grid, float(np.quantile(height.max(axis=1), 1 - error))
