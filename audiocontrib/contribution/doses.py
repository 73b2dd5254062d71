"""Dose and response: how much of a clip must be heard, for a set and for an item.

The scale ``mask`` goes from ``audio`` (0 %) over ``mask:P`` to ``silence:matched``, or ``silence`` (100 %); ``snr``
from ``audio`` over ``snr:D``, the noise growing louder. Luck is what the clip of ``swap`` gives at the same dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of, texts
from audiocontrib.conditions import find_condition
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, held_conditions, scoped
from audiocontrib.contribution.votes import Votes, count_votes
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import CHANGE, Heard, gain, mean_by_clip

if TYPE_CHECKING:
    import duckdb

SCALES = ("mask", "snr")
LAST = ("silence:matched", "silence")
"""What is left where all of a clip is masked: the first of these that was asked."""
DOSE_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "model", "scale", "condition"), pa.string()),
    dose=pa.float64(),
    **dict.fromkeys(("n", "right", "wrong", "abstained", "no_choice"), pa.int64()),
    **dict.fromkeys(("accuracy", "low", "high", "credited", "chance"), pa.float64()),
    **dict.fromkeys(("by_luck", "heard", "heard_low", "heard_high"), pa.float64()),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A place on a scale, as it was asked."""

    amount: float
    """Per cent that is masked; decibels of the noise below the clip, infinite without any."""
    condition: str
    control: str | None
    """The condition that plays another clip at the same dose; None: there is none, or it was not asked."""


def steps_of(held: set[str], scale: str, audio: str) -> list[Step]:
    """The doses of a scale that were asked, the whole clip first; empty where there is none between all and nothing."""
    own: dict[float, str] = {}
    control: dict[float, str] = {}
    for spec in held:
        made = find_condition(spec)
        if made is not None and made.dose is not None and made.dose[0] == scale:
            (control if made.control else own)[made.dose[1]] = spec
    if not own:
        return []
    steps = [Step(dose, own[dose], control.get(dose)) for dose in sorted(own, reverse=scale == "snr")]
    first = Step(0.0 if scale == "mask" else np.inf, audio, "swap" if "swap" in held else None)
    none = next((spec for spec in LAST if spec in held), None)
    ends = [Step(100.0, none, None)] if scale == "mask" and none else []
    return [*([first] if audio in held else []), *steps, *ends]


def dose_response(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per data set, model, scale and dose, the whole clip first (DOSE_SCHEMA).

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        Of the items with a key that have a vote at every dose of the scale: n, right, wrong, abstained, no_choice;
        accuracy with its 95 % interval clustered by clip (low, high), credited (1/K for an abstention), chance; and,
        where the clip of ``swap`` was played at the same dose, its accuracy (by_luck) and what hearing adds to it
        (heard), credited, with its 95 % interval clustered by clip. ``dose`` is the percentage that is masked, or by
        how many decibels the noise lies below the clip (null: no noise). Empty where nothing was asked at a dose.
    """
    with scoped(run, scope, words) as (con, checked):
        return pa.Table.from_pylist(list(_rows(Doses.of(con, checked))), schema=DOSE_SCHEMA)


@dataclass(frozen=True, slots=True)
class Doses:
    """The votes at all doses that a run holds."""

    told: AnswerCounts
    cast: Votes
    clip: NDArray[np.int64]
    dataset: NDArray[np.object_]
    steps: dict[str, list[Step]]
    """By scale; those that were asked."""

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> Doses:
        """Read them; without steps where none was asked."""
        held = held_conditions(con)
        steps = {scale: found for scale in SCALES if (found := steps_of(held, scale, scope.audio))}
        wanted = {spec for found in steps.values() for one in found for spec in (one.condition, one.control) if spec}
        told = count_answers(con, conditions=sorted(wanted), method=scope.method)
        about = arrow_table(
            con.sql("select dense_rank() over (order by clip_id) as clip, dataset from items order by item_id")
        )
        names = np.array(texts(about["dataset"]), dtype=object)
        return cls(told, count_votes(told), integers(about["clip"]), names, steps)

    def asked(self) -> Iterator[tuple[str, str, list[tuple[Step, int, int | None]]]]:
        """Model, scale, and each dose that the model was asked at with the cells of its answers and of the control."""
        cells = {cell: place for place, cell in enumerate(self.told.cells)}
        for model in sorted({model for model, _ in cells}):
            for scale, steps in self.steps.items():
                own = [
                    (one, cells[model, one.condition], cells.get((model, one.control or "")))
                    for one in steps
                    if (model, one.condition) in cells
                ]
                if any(one.condition.startswith(f"{scale}:") for one, *_ in own):
                    yield model, scale, own

    def voted(self, cells: list[int]) -> NDArray[np.bool_]:
        """Items with a key and a vote in all these cells, (n,)."""
        return (self.cast.problem[:, cells] == 0).all(axis=1) & (self.told.gold >= 0)


def _rows(doses: Doses) -> Iterator[dict[str, Any]]:
    for dataset in sorted(set(doses.dataset)):
        for model, scale, steps in doses.asked():
            on = doses.voted([own for _, own, _ in steps]) & (doses.dataset == dataset)
            for step, own, control in steps if on.any() else []:
                amount = step.amount if np.isfinite(step.amount) else None
                place = {"dataset": dataset, "model": model, "scale": scale, "condition": step.condition}
                yield place | {"dose": amount} | _measured(doses, on, own) | _heard(doses, on, own, control)


def _measured(doses: Doses, on: NDArray[np.bool_], cell: int) -> dict[str, Any]:
    cast = doses.cast
    right, declined, none = cast.right[on, cell], cast.abstained[on, cell], cast.choice[on, cell] < 0
    low, high = mean_by_clip(right, doses.clip[on]).interval()
    return {
        "n": int(on.sum()),
        "right": int(right.sum()),
        "wrong": int((~right & ~none).sum()),
        "abstained": int(declined.sum()),
        "no_choice": int((none & ~declined).sum()),
        "accuracy": float(right.mean()),
        "low": low,
        "high": high,
        "credited": float((right + declined * cast.chance[on]).mean()),
        "chance": float(cast.chance[on].mean()),
    }


def _heard(doses: Doses, on: NDArray[np.bool_], cell: int, control: int | None) -> dict[str, float]:
    """What the item's own clip adds to another one at the same dose."""
    both = on & doses.voted([cell, control]) if control is not None else on & False
    if control is None or not both.any():
        return {}
    heard: Heard = doses.cast.heard(cell, control, both)
    added = gain(heard.sides())
    low, high = mean_by_clip(added, doses.clip[both], CHANGE).interval()
    by_luck = float(heard.sides()[1].mean())
    return {"by_luck": by_luck, "heard": float(added.mean()), "heard_low": low, "heard_high": high}
