"""Wrong options as decoys: how many items are answered from their text, with an error bound.

If the text says nothing about the gold, luck decides whether the gold or a rival comes out on top; so rivals on top
show how often the gold gets there by luck (selective SeqStep+, Barber and Candès; target-decoy competition). Which
rivals is a choice, DECOYS, and each assumes something else. None assumes how the models' luck is shared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest, Decoys
from audiocontrib.contribution.response_matrix import Floats, Ints

DECOYS: tuple[Decoys, ...] = get_args(Decoys)
ASSUMED: dict[Decoys, str] = {
    "top-two": "that an item's gold and its strongest rival are alike, where the text says nothing and these two lead",
    "all": "that an item's gold and every wrong option are alike, where the text says nothing",
    "foreign": "that an item's gold and the gold of another item of its kind are alike, where the text says nothing",
}
"""What each kind of decoys assumes."""
POOLED_BELOW = 150
"""Strata of K with fewer trials are pooled: with the strongest rival the odds are even whatever K."""


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
    over t up to the margin. Items that do not speak for their trial have its q-value where they have its gold and it is
    on top, else 1.
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
    return q if decoys == "all" else np.where(contest.won & (contest.leader >= 0), q[contest.leader], 1.0)
