"""What the decoy rule found out about the set as a whole, and what of it does not hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocontrib.contribution.agreement import shared_preferences
from audiocontrib.contribution.decoys import ASSUMED
from audiocontrib.contribution.discovery_band import false_proportion_limit
from audiocontrib.contribution.leak_estimates import ends_of_share, leak_share, second_share
from audiocontrib.contribution.place_habit import place_habit
from audiocontrib.contribution.strong_evidence import golds_look_worse, leaks_left
from audiocontrib.splits.decoy_warnings import Called, few, repeated_clips, second_places, worse_golds
from audiocontrib.statistics import ClusteredMean, mean_by_clip

if TYPE_CHECKING:
    from audiocontrib.splits.base import RuleInput


def told(asked: RuleInput, called: Called, strong: NDArray[np.bool_]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Findings as JSON values, and sentences on what the answers do not allow to be said."""
    share, left = leak_share(called.contest.rank, called.contest.clip), leaks_left(called.contest, strong)
    worse = golds_look_worse(called.contest, called.weak)
    second, alike = second_share(called.contest)
    certified = int(called.weak.sum())
    limit = false_proportion_limit(called.rivals, called.q, called.fdr, called.decoys, called.strata)
    findings: dict[str, Any] = {
        "decoys": called.decoys,
        "assumes": ASSUMED[called.decoys],
        "certified": certified,
        "false_at_most": _known(limit),
        **_estimate("leak_share", share),
        **(_unknown("leaks_left_in_strong") if worse else _estimate("leaks_left_in_strong", left)),
        "second_among_lost": _known(second.mean),
        "second_if_alike": _known(alike),
        "shared_preferences": _known(shared_preferences(asked.con, scope=asked.scope)),
        "least_certifiable": _least(called),
        "items_in_contest": len(called.q),
        "trials": int(called.contest.leads.sum()),
    }
    if called.strata is not None:
        counts = (np.bincount(called.strata, of, len(called.names)).astype(int) for of in (None, called.weak))
        pairs = zip(called.names, *counts, strict=True)
        findings["certified_by_stratum"] = {name: [int(weak), int(n)] for name, n, weak in pairs}
    if called.decoys == "foreign":
        look = [np.select([c.rank == 0, c.rank == 1], [1.0, -1.0]) for c in (called.contest, called.rivals)]
        more = mean_by_clip(look[0] - look[1], called.contest.clip, (-2, 2))
        findings |= _named("golds_look_like_golds", more, more.interval().ends())
    warnings = (*few(asked, called, share), *second_places(called, second, alike), *repeated_clips(called))
    return findings, (*warnings, *(worse_golds() if worse else ()), *place_habit(asked.con, asked.scope))


def _least(called: Called) -> int | dict[int, int]:
    """How many golds on top it takes to call anything weak."""
    if called.decoys != "all":
        return math.ceil(1 / called.fdr)
    return {int(k): math.ceil(1 / ((k - 1) * called.fdr)) for k in np.unique(called.contest.k)}


def _estimate(name: str, found: ClusteredMean) -> dict[str, Any]:
    """A share whose estimate may lie below 0, where it is 0."""
    ends = (None, None) if math.isnan(found.interval().low) else ends_of_share(found)
    return _named(name, found, ends) | {name: _known(max(found.mean, 0.0))}


def _unknown(name: str) -> dict[str, Any]:
    return {name: None, f"{name}_interval": [None, None], f"{name}_interval_kind": None}


def _named(name: str, found: ClusteredMean, ends: tuple[float | None, float | None]) -> dict[str, Any]:
    return {name: _known(found.mean), f"{name}_interval": [*ends], f"{name}_interval_kind": found.kind}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
