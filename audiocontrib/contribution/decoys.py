"""Wrong options as decoys: how many items are answered from their text, with an error bound.

If the text says nothing about the gold, luck decides whether the gold or a rival comes out on top; so rivals on top
show how often the gold gets there by luck (selective SeqStep+, Barber and Candès; target-decoy competition). Which
rivals is a choice, DECOYS, and each assumes something else. None assumes how the models' luck is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import floats
from audiocontrib.contribution.agreement import agreements
from audiocontrib.contribution.contest import Contest, contest
from audiocontrib.contribution.response_matrix import Floats, Ints
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields
from audiocontrib.statistics import CHANGE, ClusteredMean, mean_by_clip

__all__ = ["Contest", "contest", "leak_share", "local_leak", "q_values", "second_share", "shared_preferences"]

Decoys = Literal["top-two", "all", "foreign"]
DECOYS: tuple[Decoys, ...] = get_args(Decoys)
ASSUMED: dict[Decoys, str] = {
    "top-two": "that an item's gold and its strongest rival are alike, where the text says nothing and these two lead",
    "all": "that an item's gold and every wrong option are alike, where the text says nothing",
    "foreign": "that an item's gold and the gold of another item of its kind are alike, where the text says nothing",
}
"""What each kind of decoys assumes."""
POOLED_BELOW = 150
"""Strata of K with fewer trials are pooled: with the strongest rival the odds are even whatever K."""
SHARED_LIMIT = 0.1
"""``shared_preferences`` above which rules that take the models' luck as independent are misled. In simulation
(``benchmarks/decoys.py``) a posterior that aims at 10 % false discoveries has 12 to 13 % at this limit, 14 % and
more at 0.2, and up to 26 % where the models always share their taste."""


def competitions(
    contest: Contest, decoys: Decoys = "top-two", strata: Ints | None = None
) -> Iterator[tuple[Ints, int]]:  # fmt: skip
    """Which trials compete with each other, as places of items, and how many decoys there are to a gold.

    Args:
        decoys: ``all``: items of equal K, every item a trial of K - 1 decoys; ``top-two`` (and ``foreign``, whose
            contest is one of two): items that speak for their trial and whose gold is first or second.
        strata: (n,): bounds hold within each; None: there is one.
    """
    groups = np.zeros(len(contest.k), np.int64) if strata is None else strata
    in_it: NDArray[np.bool_] = np.ones(len(contest.k), bool) if decoys == "all" else contest.leads & (contest.rank < 2)
    for group in np.unique(groups):
        own: NDArray[np.bool_] = in_it & (groups == group)
        sizes, counts = np.unique(contest.k[own], return_counts=True)
        if decoys == "all":
            for k in map(int, sizes):
                yield np.flatnonzero(own & (contest.k == k)), k - 1
            continue
        pooled = sizes[counts < POOLED_BELOW]
        for k in sizes[counts >= POOLED_BELOW]:
            yield np.flatnonzero(own & (contest.k == k)), 1
        if len(pooled):
            yield np.flatnonzero(own & np.isin(contest.k, pooled)), 1


def q_values(contest: Contest, decoys: Decoys = "top-two", strata: Ints | None = None) -> Floats:
    """Least false-discovery rate at which each item is called answerable, (n,); 1 where the gold lost.

    Among trials that compete, above a margin t, ``FDR(t) = (1 + lost) / (decoys · won)``; a q-value is the least FDR(t)
    over t up to the margin. Items that do not speak for their trial have its q-value where their own gold is on top.
    Calling those with q <= level has an FDR of at most the level where what :data:`ASSUMED` says holds, for independent
    trials that compete together; for all together that holds in simulation (``benchmarks/worlds.py``). Nothing is
    called with fewer than 1 / (decoys · level) golds on top.

    Args:
        decoys, strata: as for :func:`competitions`.
    """
    q = np.ones(len(contest.k))
    for own, rivals in competitions(contest, decoys, strata):
        order = own[np.argsort(-contest.margin[own], kind="stable")]
        won, margin = contest.won[order], contest.margin[order]
        last = np.append(margin[1:] != margin[:-1], True)  # equal margins are called together
        with np.errstate(divide="ignore"):
            rate: Floats = np.where(last, (1 + np.cumsum(~won)) / (rivals * np.cumsum(won)), np.inf)
        least = np.minimum.accumulate(rate[::-1])[::-1]
        q[order] = np.where(won, np.minimum(least, 1), 1)
    return q if decoys == "all" else np.where(contest.won, q[contest.leader], 1.0)


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


def shared_preferences(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> float:
    """How often two models that are both wrong choose the same option, beyond chance, over all pairs of models.

    0: independent tastes; 1: the same option always; NaN: fewer than two models, or they are never both wrong on an
    item with three options or more. It is ``wrong_kappa`` of
    :func:`~audiocontrib.contribution.agreement.agreements`. Above SHARED_LIMIT, rules that take the models'
    luck as independent are misled.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Raises:
        AudiocontribError: the run holds both methods and none is named.
    """
    kappa = floats(agreements(run, scope=scope, **words)["wrong_kappa"])
    return float(kappa[-1]) if len(kappa) else float("nan")
