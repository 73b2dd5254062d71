"""What of the decoy rule does not hold, or cannot be told, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest, Decoys
from audiocontrib.contribution.leak_estimates import ends_of_share
from audiocontrib.contribution.response_matrix import Floats, Ints
from audiocontrib.statistics import ClusteredMean

if TYPE_CHECKING:
    from audiocontrib.splits.base import RuleInput

SMALL = 500
"""Items of mixed K below which the rule of all wrong options was seen above its target."""
CERTIFIED_FEW = 0.1
"""Certified items, as a share of the leaks that the set holds, below which items cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Called:
    """What the rule was given, and what it called weak."""

    contest: Contest
    """The gold against its own wrong options."""
    rivals: Contest
    """The gold against the decoys: the same, but under ``foreign``."""
    q: Floats
    weak: NDArray[np.bool_]
    fdr: float
    decoys: Decoys
    names: list[str]
    """Of the strata; empty: one."""
    strata: Ints | None


def few(asked: RuleInput, called: Called, share: ClusteredMean) -> Iterator[str]:
    """Where hardly an item can be called weak although the set holds leaks."""
    certified, n = int(called.weak.sum()), len(called.q)
    low, high = ends_of_share(share)
    if not (low > 0 and certified < CERTIFIED_FEW * share.mean * n):
        return
    unsolved = pc.sum(asked.scores["unsolved"]).as_py()
    keys = f"; {unsolved} items are solved by no model with the audio" if unsolved else ""
    yield (
        f"{certified} items can be called answerable from their text at a false-discovery rate of {called.fdr:g}, "
        f"although {share.mean:.0%} ({low:.0%} to {high:.0%}) of the set is: item by item that is not identified, only "
        "the set-level share is (too few items; models that share their preferences: ask models of other families; or "
        f"wrong keys, which put a wrong option on top by a wide margin{keys})"
    )


def second_places(called: Called, second: ClusteredMean, alike: float) -> Iterator[str]:
    """Where the decoys do not hold, or may not."""
    if called.decoys == "all" and len(called.q) < SMALL and len(np.unique(called.contest.k)) > 1:
        yield (
            f"{len(called.q)} items with several numbers of options: the bound of all wrong options is an average over "
            "each number, and in simulations of so few the rate was up to .13 at .10; top-two keeps it"
        )
    low, _ = second.interval()
    if not low > alike:
        return
    seen = f"the gold is second in {second.mean:.0%} of the items that it lost, {alike:.0%} if wrong options were alike"
    after = "; the leaks left in strong are then at most what is said"
    if called.decoys == "all":
        yield (
            f"{seen}: so the bound of all wrong options does not hold (some attract nobody, or golds look like golds); "
            f"use the decoys top-two, or foreign{after}"
        )
    elif called.decoys == "top-two":
        yield (
            f"{seen}: some wrong options attract nobody or the text helps without deciding, and the bound holds; or "
            f"golds look like golds (longer, more specific), and it does not: foreign decoys tell them apart{after}"
        )


def worse_golds() -> Iterator[str]:
    """Where golds are so often last, or so seldom second, that what counts leaks does not hold."""
    yield (
        "wrong options look more like answers than golds do: these are last more often, or second less often, than by "
        "luck. What is called weak holds; but P(leak) and the leak share are too low, no gold on top is strong by "
        "top-two or foreign decoys, and the leaks left in strong cannot be told"
    )


def repeated_clips(called: Called) -> Iterator[str]:
    """How many items are no trials of their own."""
    if not (again := int((~called.contest.leads).sum())):
        return
    if called.decoys == "all":
        yield (
            f"{again} items ask about a clip again with the same options: they are no independent trials, so the bound "
            "of all wrong options does not hold; top-two counts one of each"
        )
    else:
        yield (
            f"{again} items ask about a clip again with the same options: one of them, drawn blindly, "
            "speaks for those with its gold"
        )
