"""The rows of a comparison of several trainings, which differ in their seed, with one baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocontrib.evaluation.changes import Answered, Column, change_facts, heard_by, numbered_clips
from audiocontrib.statistics import Difference, Heard, difference_over_seeds, gain, listening_change, relative_gain
from audiocontrib.statistics.heard import Sides
from audiocontrib.statistics.listening import LESS, MORE, NONE_SHOWN

Pairs = Sequence[tuple[Answered, Answered]]
"""The answers of a training and of the baseline to the same items."""


def answer_rows_of_seeds(seeds: Sequence[Pairs], condition: str) -> Iterator[dict[str, Any]]:
    """Accuracy under a condition, and abstentions where there are any; the same items in every training."""
    if not seeds[0]:
        return
    clips = numbered_clips(seeds[0])
    now, before = _columns(seeds, lambda one: one.right[condition])
    yield {"measure": f"accuracy, {condition}", "quantity": "accuracy"} | _change(now, before, clips)
    now, before = _columns(seeds, lambda one: float(one.declined[condition]))
    if now.any() or before.any():
        yield {"measure": f"abstentions, {condition}", "quantity": "abstained"} | _change(now, before, clips)


def listening_rows_of_seeds(seeds: Sequence[Pairs], audio: str, condition: str) -> Iterator[dict[str, Any]]:
    """What the audio adds over a condition, on both scales, with the verdict."""
    if not seeds[0]:
        return
    clips = numbered_clips(seeds[0])
    heard = [tuple(heard_by(items, audio, condition) for items in zip(*pairs, strict=True)) for pairs in seeds]
    gains, relatives = (_scale(scale, heard, clips) for scale in (gain, relative_gain))
    alone = [listening_change(now, before, clips).verdict.startswith(MORE) for now, before in heard]
    told = {"measure": f"what the audio adds over {condition}", "quantity": "audio gain"}
    told["verdict"] = f"{_verdict(heard, clips)}; {sum(alone)} of {len(alone)} seeds by themselves: {MORE}"
    yield told | gains | {
        f"relative_{name}": relatives[name] for name in ("now", "before", "change", "low", "high", "least", "most")
    }  # fmt: skip


def _verdict(heard: Sequence[tuple[Heard, ...]], clips: NDArray[np.intp]) -> str:
    """More or less only where both scales say so over all seeds, whatever abstentions are worth."""
    treatments = max((side.treatments for pair in heard for side in pair), key=len)
    sides = set()
    for scale in (gain, relative_gain):
        for one in treatments:
            found = difference_over_seeds([scale(n.sides(one)) - scale(b.sides(one)) for n, b in heard], clips)
            sides.add(int(found.low > 0) - int(found.high < 0))
    return MORE if sides == {1} else LESS if sides == {-1} else NONE_SHOWN


def _scale(
    scale: Callable[[Sides], Column], heard: Sequence[tuple[Heard, ...]], clips: NDArray[np.intp]
) -> dict[str, Any]:
    now, before = (np.array([scale(pair[place].sides()) for pair in heard]) for place in (0, 1))
    bounds = [tuple(a - b for a, b in zip(*(side.bounds(scale) for side in pair), strict=True)) for pair in heard]
    least, most = (float(np.mean(ends)) for ends in zip(*map(sorted, bounds), strict=True))
    return _change(now, before, clips) | {"least": least, "most": most}


def _columns(seeds: Sequence[Pairs], value: Callable[[Answered], float]) -> tuple[Column, Column]:
    """Of the trainings and of the baseline, (seeds, items) each."""
    now, before = (np.array([[value(pair[place]) for pair in pairs] for pairs in seeds]) for place in (0, 1))
    return now, before


def _change(now: Column, before: Column, clips: NDArray[np.intp]) -> dict[str, Any]:
    found: Difference = difference_over_seeds(now - before, clips)
    return change_facts(found) | {
        "seeds": len(now),
        "seed_sd": float(now.mean(axis=1).std(ddof=1)),
        "now": float(now.mean()),
        "before": float(before.mean()),
    }
