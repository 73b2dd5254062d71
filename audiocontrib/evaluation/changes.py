"""The rows of a comparison: what changed on pairs of answers to the same items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import schema_of
from audiocontrib.statistics import (
    Difference,
    Heard,
    gain,
    listening_change,
    mcnemar,
    paired_difference,
    relative_gain,
)
from audiocontrib.statistics.heard import Sides

CHANGE_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "part", "model", "baseline", "measure", "quantity", "condition"), pa.string()),
    n=pa.int64(),
    **dict.fromkeys(("now", "before", "change", "low", "high", "p", "p_holm"), pa.float64()),
    interval=pa.string(),
    fixed=pa.int64(),
    broken=pa.int64(),
    mcnemar=pa.float64(),
    minimum_detectable=pa.float64(),
    **dict.fromkeys(("least", "most"), pa.float64()),
    **dict.fromkeys(("relative_now", "relative_before"), pa.float64()),
    **dict.fromkeys([f"relative_{name}" for name in ("change", "low", "high", "least", "most")], pa.float64()),
    verdict=pa.string(),
    seeds=pa.int64(),
    seed_sd=pa.float64(),
)

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one model makes of an item."""

    dataset: str
    clip: str
    part: str
    chance: float
    right: dict[str, float]
    """1 or 0 by condition, without those that have no vote."""
    declined: dict[str, bool]
    """Whether the vote is an abstention, by condition."""


def answer_rows(pairs: Sequence[tuple[Answered, Answered]], condition: str) -> Iterator[dict[str, Any]]:
    """Accuracy under a condition, and abstentions where there are any."""
    if not pairs:
        return
    clips = numbered_clips(pairs)
    x, y = (np.array([item.right[condition] for item in items]) for items in zip(*pairs, strict=True))
    fixed, broken = int(((x == 1) & (y == 0)).sum()), int(((x == 0) & (y == 1)).sum())
    counts = {"fixed": fixed, "broken": broken, "mcnemar": mcnemar(fixed, broken)}
    yield {"measure": f"accuracy, {condition}", "quantity": "accuracy"} | _change(x, y, clips) | counts
    x, y = (np.array([float(item.declined[condition]) for item in items]) for items in zip(*pairs, strict=True))
    if x.any() or y.any():
        yield {"measure": f"abstentions, {condition}", "quantity": "abstained"} | _change(x, y, clips)


def listening_rows(pairs: Sequence[tuple[Answered, Answered]], audio: str, condition: str) -> Iterator[dict[str, Any]]:
    """What the audio adds over a condition, on both scales, with the verdict."""
    if not pairs:
        return
    now, before = (heard_by(items, audio, condition) for items in zip(*pairs, strict=True))
    found = listening_change(now, before, numbered_clips(pairs))
    told = {"measure": f"what the audio adds over {condition}", "quantity": "audio gain", "verdict": found.verdict}
    yield told | _scale(gain, now, before, found.gain, found.gain_bounds) | {
        f"relative_{name}": value
        for name, value in _scale(relative_gain, now, before, found.relative, found.relative_bounds).items()
        if f"relative_{name}" in CHANGE_SCHEMA.names
    }  # fmt: skip


def _scale(
    scale: Callable[[Sides], Column], now: Heard, before: Heard, found: Difference, bounds: tuple[float, float]
) -> dict[str, Any]:
    means = {"now": float(scale(now.sides()).mean()), "before": float(scale(before.sides()).mean())}
    return change_facts(found) | means | {"least": bounds[0], "most": bounds[1]}


def heard_by(items: Sequence[Answered], audio: str, condition: str) -> Heard:
    """What a model does on items with the audio and without it."""
    right, none = ([getattr(item, name) for item in items] for name in ("right", "declined"))
    return Heard(
        right_audio=np.array([one[audio] for one in right], bool),
        right_without=np.array([one[condition] for one in right], bool),
        declined_audio=np.array([one[audio] for one in none], bool),
        declined_without=np.array([one[condition] for one in none], bool),
        chance=np.array([item.chance for item in items]),
    )


def numbered_clips(pairs: Sequence[tuple[Answered, Answered]]) -> NDArray[np.intp]:
    """The clip of each pair, as a number, (n,)."""
    return np.unique([one.clip for one, _ in pairs], return_inverse=True)[1]


def _change(now: Column, before: Column, clips: NDArray[np.intp]) -> dict[str, Any]:
    means = {"now": float(now.mean()), "before": float(before.mean())}
    return change_facts(paired_difference(now, before, clips)) | means


def change_facts(found: Difference) -> dict[str, Any]:
    """What a row of a comparison says of a paired difference."""
    return {
        "n": found.n,
        "change": found.mean,
        "low": found.low,
        "high": found.high,
        "interval": found.kind,
        "p": found.p,
        "minimum_detectable": found.minimum_detectable,
    }
