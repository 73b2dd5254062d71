"""What was measured of a trained model, against the model from which it started."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from huggingface_hub import EvalResult

from audiocontrib.number_text import as_words, percent, signed


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredChange:
    """One measure on one part of the held-out items: a row of :data:`audiocontrib.evaluation.CHANGE_SCHEMA`."""

    dataset: str
    part: str
    """``all``, or a part of a split of the held-out items."""
    measure: str
    """What was measured, in words."""
    quantity: str
    """``accuracy``, or ``audio gain`` for what the audio adds."""
    condition: str
    n: int
    before: float
    now: float
    change: float
    low: float | None = None
    high: float | None = None
    """95 % interval of the change; None or NaN where it is not known."""
    p_holm: float | None = None
    verdict: str | None = None
    """Of what the audio adds: whether the model listens more, or what else moved."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From a row of the table that :func:`audiocontrib.evaluation.compare` gives."""
        own: dict[str, Any] = {one.name: row.get(one.name) for one in fields(cls)}
        return cls(**own)

    def cells(self) -> list[str]:
        """A row of the card's table."""
        value = signed if self.quantity == "audio gain" else percent
        return [self.part, self.measure, f"{self.n:,}", value(self.before), value(self.now),
                signed(self.change, self.low, self.high), as_words(self.p_holm)]  # fmt: skip

    def in_words(self) -> str | None:
        """What is said of listening; None where the row is about something else."""
        return f"{self.part}, {self.measure}: {self.verdict}" if self.verdict else None

    def for_hub(self) -> EvalResult | None:
        """The accuracy as the hub's header has it; None for what is no accuracy."""
        if self.quantity != "accuracy" or not math.isfinite(self.now):
            return None
        return EvalResult(
            task_type="audio-text-to-text",
            dataset_type=self.dataset,
            dataset_name=self.dataset,
            dataset_config=self.part,
            metric_type="accuracy",
            metric_name=self.measure,
            metric_value=round(self.now, 4),
        )
