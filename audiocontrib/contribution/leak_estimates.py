"""What the decoys say without a threshold: of the set as a whole, and of golds on top at a margin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest, Decoys
from audiocontrib.contribution.response_matrix import Floats, Ints
from audiocontrib.statistics import CHANGE, ClusteredMean, mean_by_clip


def leak_share(rank: Ints, clip: Ints) -> ClusteredMean:
    """The share of the items that their text answers, without any threshold; its interval is by clip.

    The mean of 1 where the gold is on top, -1 where it is second and 0 elsewhere; items that need the audio add 0 on
    average, whatever K, where their gold and its strongest rival are alike. An item that the text surely answers adds
    1, one that it only helps less: it is a lower bound of the share of items whose text helps.

    Args:
        rank: options above the gold, (n,).
        clip: equal for items on one clip, (n,).
    """
    return mean_by_clip(np.where(rank == 0, 1.0, np.where(rank == 1, -1.0, 0.0)), clip, CHANGE)


def ends_of_share(found: ClusteredMean) -> tuple[float, float]:
    """The interval of a share whose estimate may lie below 0: within [0, 1], and not without width."""
    low, high = found.interval()
    return max(low, 0.0), min(max(high, 3 / max(found.n, 3)), 1.0)


def second_share(contest: Contest) -> tuple[ClusteredMean, float]:
    """How often the gold is second among the items that it lost, and how often it were if all wrong options were alike.

    Of items with three options or more. Above 1 / (K - 1): some options attract nobody, the text helps without
    deciding, or golds look like golds.
    """
    of: NDArray[np.bool_] = (contest.rank > 0) & (contest.k > 2)
    expected = float((1 / (contest.k[of] - 1)).mean()) if of.any() else float("nan")
    return mean_by_clip(contest.rank[of] == 1, contest.clip[of]), expected


def local_leak(contest: Contest, decoys: Decoys = "top-two") -> Floats:
    """P(answerable | margin) where the gold is on top, (n,); 0 where it lost.

    Empirical Bayes: with g(t) the share of golds on top at margin t among golds and decoys, ``1 - (1 - g) / (d g)``
    for d decoys to a gold. g never falls (isotonic regression). Decoys that are too many make it too low: so it is
    ``all`` wrong options for the rule of that name (one more at the greatest margin, as in its q-values; too low below
    0.6), and else the weakest third of the wrong options, which a text that helps leaves to luck alone.
    """
    from sklearn.isotonic import IsotonicRegression

    p = np.zeros(len(contest.k))
    for k in map(int, np.unique(contest.k[contest.won])):
        rivals = k - 1 if decoys == "all" else weakest(k)
        own: NDArray[np.bool_] = (contest.k == k) & (contest.won | (contest.rank >= k - rivals))
        won, margin = contest.won[own], contest.margin[own]
        fit = IsotonicRegression().fit(np.append(margin, margin.max()), np.append(won, False))
        g: Floats = fit.predict(margin)[won]
        p[own & contest.won] = np.clip(1 - (1 - g) / (rivals * g), 0, 1)
    return p


def weakest(k: int) -> int:
    """How many of the K - 1 wrong options are the weakest third."""
    return max(1, (k - 1) // 3)
