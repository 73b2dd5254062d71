"""What answers to watched items say: the measures of scoring and evaluation, by their own functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import texts
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.votes import Votes, count_votes
from audiocontrib.responses import Response, response_rows
from audiocontrib.sql import arrow_table, cursor
from audiocontrib.statistics import CHANGE, SHARE, Heard, gain, mean_by_clip, relative_gain
from audiocontrib.statistics.heard import Floats, Sides
from audiocontrib.training.watch.held_out import ALL, HeldOut

SCALES: dict[str, tuple[Callable[[Sides], Floats], tuple[float, float] | None]] = {
    "gain": (gain, CHANGE),
    "relative_gain": (relative_gain, None),
}
"""Measure of what the audio adds -> its values, and between which ends they lie."""
Flags = NDArray[np.bool_]


def measured(answers: Sequence[Response], held: HeldOut, step: int) -> list[dict[str, Any]]:
    """Rows of :data:`audiocontrib.training.watch.table.WATCHED_SCHEMA`: of all items, and of each part."""
    with cursor() as con:
        con.register("items", held.items.table)
        con.register("responses", response_rows(list(answers)))
        told = count_answers(con)
        about = arrow_table(con.sql("select item_id, clip_id from items order by item_id"))
    cast, cells = count_votes(told), {condition: place for place, (_, condition) in enumerate(told.cells)}
    clips = np.unique(texts(about["clip_id"]), return_inverse=True)[1]
    own = np.array([held.parts[name] for name in texts(about["item_id"])])
    found = []
    for part in [ALL, *sorted(set(own.tolist()) - {ALL})]:
        on = np.ones(len(own), dtype=np.bool_) if part == ALL else own == part
        for row in (*_answers(cast, cells, clips, on), *_heard(cast, cells, clips, on)):
            found.append({"step": step, "part": part} | row)
    return found


def _answers(cast: Votes, cells: dict[str, int], clips: NDArray[np.intp], on: Flags) -> Iterator[dict[str, Any]]:
    """Accuracy and abstentions under each condition."""
    for condition, cell in cells.items():
        voted = on & (cast.problem[:, cell] == 0)
        for measure, values in (("accuracy", cast.right[voted, cell]), ("abstained", cast.abstained[voted, cell])):
            chance = {"chance": _known(cast.chance[voted].mean())} if measure == "accuracy" and voted.any() else {}
            yield {"measure": measure, "condition": condition} | _mean(values, clips[voted], SHARE) | chance


def _heard(cast: Votes, cells: dict[str, int], clips: NDArray[np.intp], on: Flags) -> Iterator[dict[str, Any]]:
    """What the audio adds over each condition without it, on both scales."""
    for condition in (name for name in cells if name != "audio"):
        audio, without = cells["audio"], cells[condition]
        both = on & (cast.problem[:, [audio, without]] == 0).all(axis=1)
        heard: Heard = cast.heard(audio, without, both)
        for measure, (scale, span) in SCALES.items():
            least, most = heard.bounds(scale) if both.any() else (math.nan, math.nan)
            told = _mean(scale(heard.sides()), clips[both], span) | {"least": _known(least), "most": _known(most)}
            yield {"measure": measure, "condition": condition} | told


def _mean(values: NDArray[Any], clips: NDArray[np.intp], span: tuple[float, float] | None) -> dict[str, Any]:
    """The mean with its interval; nothing where it is not known."""
    n, many = len(values), len(np.unique(clips))
    if not n or np.isnan(np.asarray(values, dtype=np.float64)).any():
        return {"n": n, "clips": many}
    found = mean_by_clip(values, clips, span)
    told = found.in_columns()
    if told["high"] is not None:
        told["high"] = min(told["high"], 1.0)  # the relative gain has no lower end, and none of these goes above
    return {"n": n, "clips": many, "value": found.mean} | told


def _known(value: Any) -> float | None:
    """A number; None where it is none."""
    return float(value) if math.isfinite(value) else None
