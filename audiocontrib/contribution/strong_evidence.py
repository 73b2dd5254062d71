"""What is left in a strong set: leaks that the decoys do not find, by the options that help least.

A text that helps lifts the gold, so it is rarely among the weakest options of a leak; luck leaves it there as often as
anywhere. So golds among the weakest third count the items that need their audio (a Storey estimate with the gold's
rank as p-value), and the rest are leaks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest
from audiocontrib.contribution.leak_estimates import second_share, weakest
from audiocontrib.contribution.response_matrix import Floats
from audiocontrib.statistics import ClusteredMean, mean_by_clip

UPPER = 0.9
"""Two-sided level whose upper end is the one-sided 95 % limit."""


def golds_that_may_be_strong(contest: Contest, weak: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """Golds on top that luck explains: all below the margins that are called weak, or none, (n,).

    All where at most ``share`` of them are leaks, by the one-sided 95 % limit of golds on top less golds among the
    weakest options. With two options the gold's only rival is the strongest too: those say nothing, and stay out. None
    where golds look worse than wrong options (:func:`golds_look_worse`): golds among the weakest then count nothing.
    """
    if golds_look_worse(contest, weak):
        return np.zeros(len(contest.k), bool)
    below = contest.margin < (contest.margin[weak].min() if weak.any() else np.inf)
    region: NDArray[np.bool_] = below & (contest.k > 2)
    first: Floats = (contest.rank == 0).astype(np.float64)
    excess = (1 - share) * first - _weak_golds(contest)
    found = mean_by_clip(excess[region], contest.clip[region], (-1.0, 1.0))
    bounded = found.interval(UPPER).high < 0
    return region & contest.won & ~weak if bounded else np.zeros(len(first), bool)


def golds_look_worse(contest: Contest, weak: NDArray[np.bool_]) -> bool:
    """Whether wrong options look more like answers than golds do, beyond noise; of items with three options or more.

    Seen where golds are among the weakest options more often than by luck, second less often where they lost, or where
    the leaks left outside ``weak`` come out below 0. Golds among the weakest then do not count the items that need
    their audio, and estimates of leaks are too low.
    """
    of: NDArray[np.bool_] = contest.k > 2
    last = mean_by_clip(_weak_golds(contest)[of] - 1 / contest.k[of], contest.clip[of], (-1.0, 1.0))
    second, alike = second_share(contest)
    left = [leaks_left(contest, strong) for strong in (contest.rank > 0, ~weak)]
    below = any(one.mean + one.error < 0 for one in left)
    return below or last.interval(UPPER).low > 0 or second.interval(UPPER).high < alike


def leaks_left(contest: Contest, strong: NDArray[np.bool_]) -> ClusteredMean:
    """The share of leaks in a strong set, of its items with three options or more.

    Where options attract nobody, or golds look like golds, the gold is rarely among the weakest for that reason, and
    this is too high; where golds look worse than wrong options it is too low, and an estimate below 0 says so.

    Args:
        strong: (n,): the set; golds on top in it as :func:`golds_that_may_be_strong` has them.
    """
    of: NDArray[np.bool_] = strong & (contest.k > 2)
    low = _weak_golds(contest)
    golds = of & contest.won
    lost: Floats = 1 - (contest.k - 1) * low
    if golds.any():  # the lucky golds on top are as many as golds among the weakest options at such margins
        lost = lost - low * (contest.margin <= contest.margin[golds].max())
    values: Floats = np.where(contest.won, 1.0, lost)[of]
    least = -float(contest.k[of].max()) if of.any() else -1.0
    return mean_by_clip(values, contest.clip[of], (least, 1.0))


def _weak_golds(contest: Contest) -> Floats:
    """1 / m where the gold is among the m weakest options, else 0."""
    m = np.array([weakest(k) for k in range(int(contest.k.max(initial=2)) + 1)])[contest.k]
    return np.where(contest.rank >= contest.k - m, 1 / m, 0.0)
