"""What a training keeps of its watching, in ``training.json`` and in the card of its model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from audiocontrib.number_text import percent, signed
from audiocontrib.training.watch.settings import CONDITIONS, Watch
from audiocontrib.training.watch.table import best_step, logged

MOST_LINES = 30
"""Steps of a curve in a card: the first, the last, the best, and others between them."""
HEAD = ("step", "audio", "silence", "text", "abstained: audio / silence / text", "the audio adds", "of what is open")
SCALES = {"gain": "A - S", "relative_gain": "(A - S) / (1 - S)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedCurve:
    """The curve of a stage."""

    items: tuple[str, ...]
    """Ids of the items that were watched: none of them is among the rows, and none may be reported."""
    clips: int
    curve: tuple[Mapping[str, float], ...]
    """Of each asking ``step``, and what was found of all items, as trackers are told it."""
    best: int | None = None
    """The step that is best by what the settings say, 0 apart."""
    taken: bool = False
    """The model has the weights of the best step, and not of the last."""
    ended: bool = False
    """Training was ended by it."""


def recorded(table: pa.Table, watch: Watch, items: Sequence[str], clips: int, *, ended: bool) -> WatchedCurve:
    """The record of a training that is done."""
    rows = table.to_pylist()
    steps = dict.fromkeys(row["step"] for row in rows)
    told = tuple({"step": step, **logged([row for row in rows if row["step"] == step])} for step in steps)
    best = best_step(table, watch)
    taken = watch.keep_best and best is not None
    return WatchedCurve(items=tuple(items), clips=clips, curve=told, best=best, taken=taken, ended=ended)


def curve_in_words(watch: Watch, held: WatchedCurve, steps: int) -> list[str]:
    """What a card says below the curve, in sentences."""
    by, name = "accuracy with the audio", "watch/audio"
    if watch.by != "accuracy":
        by, name = f"what the audio adds over {watch.without}, {SCALES[watch.by]}", f"watch/{watch.by}_{watch.without}"
    said = [
        f"{len(held.items):,} held-out items on {held.clips:,} clips, asked {len(held.curve):,} times: method "
        f"{watch.method}, option orders {watch.orders}. They are not among its rows."
    ]
    if held.best is None:
        return [*said, f"No step is best by {by}: it is not known after any."]
    values = {one["step"]: one.get(name) for one in held.curve}
    before, best = values.get(0), values.get(held.best)
    worse = before is not None and best is not None and before > best
    said.append(f"Best by {by}: step {held.best:,}" + (", and it was higher still before training." if worse else "."))
    if held.ended:
        said.append(f"Training was ended at step {steps:,}: patience {watch.patience}, and no later step was better.")
    if held.taken:
        said.append(
            f"The model has the weights of step {held.best:,}. It was chosen by these items, so that what they say of "
            "it is too good to report: measure it on others."
        )
    return said


def curve_lines(held: WatchedCurve, without: str) -> list[list[str]]:
    """The curve as rows of a table below HEAD; what the audio adds is over the condition ``without`` it."""
    count, most = len(held.curve), min(len(held.curve), MOST_LINES)
    shown = {round(place * (count - 1) / max(1, most - 1)) for place in range(most)}
    return [_line(one, without) for place, one in enumerate(held.curve) if place in shown or one["step"] == held.best]


def _line(told: Mapping[str, float], without: str) -> list[str]:
    def value(name: str) -> float | None:
        return told.get(f"watch/{name}")

    declined = " / ".join(percent(value(f"abstained_{name}")) for name in CONDITIONS)
    adds = [
        signed(*(value(f"{scale}_{without}{end}") for end in ("", "_low", "_high"))) for scale in SCALES
    ]  # fmt: skip
    return [f"{told['step']:,.0f}", *(percent(value(name)) for name in CONDITIONS), declined, *adds]
