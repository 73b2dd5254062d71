"""What the decoy rule found out about the set as a whole, and what of it does not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.contribution.contest import Contest
from audiocontrib.contribution.decoys import (
    ASSUMED,
    Decoys,
    ends_of_share,
    leak_share,
    second_share,
    shared_preferences,
)
from audiocontrib.contribution.discovery_band import false_proportion_limit
from audiocontrib.contribution.place_habit import place_habit
from audiocontrib.contribution.response_matrix import Floats, Ints
from audiocontrib.contribution.strong_evidence import leaks_left
from audiocontrib.statistics import ClusteredMean, mean_by_clip

if TYPE_CHECKING:
    from audiocontrib.splits.base import RuleInput

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


def told(asked: RuleInput, called: Called, strong: NDArray[np.bool_]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Findings as JSON values, and sentences on what the answers do not allow to be said."""
    share, left = leak_share(called.contest.rank, called.contest.clip), leaks_left(called.contest, strong)
    second, alike = second_share(called.contest)
    certified = int(called.weak.sum())
    limit = false_proportion_limit(called.rivals, called.q, called.fdr, called.decoys, called.strata)
    findings: dict[str, Any] = {
        "decoys": called.decoys,
        "assumes": ASSUMED[called.decoys],
        "certified": certified,
        "false_at_most": _known(limit),
        **_estimate("leak_share", share),
        **_estimate("leaks_left_in_strong", left),
        "second_among_lost": _known(second.mean),
        "second_if_alike": _known(alike),
        "shared_preferences": _known(shared_preferences(asked.con, scope=asked.scope)),
        "least_certifiable": _least(called),
        "items_in_contest": len(called.q),
        "trials": len(np.unique(called.contest.leader)),
    }
    if called.strata is not None:
        counts = (np.bincount(called.strata, of, len(called.names)).astype(int) for of in (None, called.weak))
        pairs = zip(called.names, *counts, strict=True)
        findings["certified_by_stratum"] = {name: [int(weak), int(n)] for name, n, weak in pairs}
    if called.decoys == "foreign":
        look = [np.select([c.rank == 0, c.rank == 1], [1.0, -1.0]) for c in (called.contest, called.rivals)]
        findings |= _estimate("golds_look_like_golds", mean_by_clip(look[0] - look[1], called.contest.clip, (-2, 2)))
    warnings = (*_few(asked, called, share), *_second(called, second, alike), *_repeats(called))
    return findings, (*warnings, *place_habit(asked.con, asked.scope))


def _least(called: Called) -> int | dict[int, int]:
    """How many golds on top it takes to call anything weak."""
    if called.decoys != "all":
        return math.ceil(1 / called.fdr)
    return {int(k): math.ceil(1 / ((k - 1) * called.fdr)) for k in np.unique(called.contest.k)}


def _few(asked: RuleInput, called: Called, share: ClusteredMean) -> Iterator[str]:
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


def _second(called: Called, second: ClusteredMean, alike: float) -> Iterator[str]:
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


def _repeats(called: Called) -> Iterator[str]:
    sizes = np.bincount(called.contest.leader, minlength=1)
    if not (again := int((sizes - 1).clip(min=0).sum())):
        return
    if called.decoys == "all":
        yield (
            f"{again} items ask about a clip again with the same options: they are no independent trials, so the bound "
            "of all wrong options does not hold; top-two counts one of each"
        )
    else:
        yield f"{again} items ask about a clip again with the same options: one, drawn blindly, speaks for all of them"


def _estimate(name: str, found: ClusteredMean) -> dict[str, Any]:
    ends = [None, None] if math.isnan(found.interval().low) else [*ends_of_share(found)]
    return {name: _known(found.mean), f"{name}_interval": ends, f"{name}_interval_kind": found.kind}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
