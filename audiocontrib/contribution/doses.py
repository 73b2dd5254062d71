"""The doses that a run was asked at, and their votes.

The scale ``mask`` goes from ``audio`` (0 %) over ``mask:P`` to ``silence:matched``, or ``silence`` (100 %); ``snr``
from ``audio`` over ``snr:D``, the noise growing louder. Luck is what the clip of ``swap`` gives at the same dose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.arrow import integers, texts
from audiocontrib.conditions import find_condition
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import CheckedScope, held_conditions
from audiocontrib.contribution.votes import Votes, count_votes
from audiocontrib.sql import arrow_table

if TYPE_CHECKING:
    import duckdb

SCALES = ("mask", "snr")
LAST = ("silence:matched", "silence")
"""What is left where all of a clip is masked: the first of these that was asked."""


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
