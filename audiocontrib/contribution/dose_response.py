"""Dose and response: how much of a clip must be heard, by model and data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.doses import Doses
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.statistics import CHANGE, Heard, gain, mean_by_clip

DOSE_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "model", "scale", "condition"), pa.string()),
    dose=pa.float64(),
    **dict.fromkeys(("n", "right", "wrong", "abstained", "no_choice"), pa.int64()),
    **dict.fromkeys(("accuracy", "low", "high", "credited", "chance"), pa.float64()),
    **dict.fromkeys(("by_luck", "heard", "heard_low", "heard_high"), pa.float64()),
)


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
    low, high = mean_by_clip(right, doses.clip[on]).interval().ends()
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


def _heard(doses: Doses, on: NDArray[np.bool_], cell: int, control: int | None) -> dict[str, float | None]:
    """What the item's own clip adds to another one at the same dose."""
    both = on & doses.voted([cell, control]) if control is not None else on & False
    if control is None or not both.any():
        return {}
    heard: Heard = doses.cast.heard(cell, control, both)
    added = gain(heard.sides())
    low, high = mean_by_clip(added, doses.clip[both], CHANGE).interval().ends()
    by_luck = float(heard.sides()[1].mean())
    return {"by_luck": by_luck, "heard": float(added.mean()), "heard_low": low, "heard_high": high}
