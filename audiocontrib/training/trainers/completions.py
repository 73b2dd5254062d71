"""The replies of the last steps, as a table that can be read while training goes on: ``completions.parquet``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import schema_of
from audiocontrib.store.files import write_table_atomic
from audiocontrib.training.output.folder import COMPLETIONS
from audiocontrib.training.reward_functions import BUILT_IN
from audiocontrib.training.rows.base import TrainingRow

COLUMNS = {
    "step": "the first that learns from it, from 1",
    "item_id": "of the question",
    "prompt": "the user's text",
    "gold": "the right option",
    "heard": "`audio`, or `silence`",
    "reply": "all that was written",
    "ended": "whether by itself; false: it was cut off",
    "reward": "weighted sum",
    "advantage": "what the step learns from",
}
"""Column -> what it says; and one for each reward, named as in the metrics."""
SCHEMA = schema_of(
    step=pa.int64(), item_id=pa.string(), prompt=pa.string(), gold=pa.string(), heard=pa.string(), reply=pa.string(),
    ended=pa.bool_(), reward=pa.float64(), advantage=pa.float64(),
)  # fmt: skip


def column_of(reward: str) -> str:
    """The column of a reward, as in the metrics."""
    return reward if reward in BUILT_IN else f"reward_{reward}"


def told_replies(
    rows: Sequence[TrainingRow],
    silent: Sequence[bool],
    texts: Sequence[str],
    ended: Sequence[bool],
    rewards: Sequence[Sequence[float]],
    weights: Mapping[str, float],
) -> list[dict[str, Any]]:
    """What is kept of some replies, each with its row, what was heard, and its rewards (NaN: it has none of that kind).

    Args:
        weights: name of a reward -> its weight, in the order of ``rewards``.
    """
    made = []
    for row, deaf, text, whole, given in zip(rows, silent, texts, ended, rewards, strict=True):
        found = {name: None if math.isnan(value) else value for name, value in zip(weights, given, strict=True)}
        made.append({
            "item_id": row.item.id, "prompt": row.prompt.user, "gold": row.prompt.options[row.gold],
            "heard": "silence" if deaf else "audio", "reply": text, "ended": whole,
            "reward": sum(weights[name] * value for name, value in found.items() if value is not None),
            **{column_of(name): value for name, value in found.items()},
        })  # fmt: skip
    return made


class Completions:
    """Replies of the last steps that sampled.

    Args:
        out: folder of the training.
        steps: so many of these steps are kept; 0: none.
        rewards: names of all rewards.
    """

    def __init__(self, out: Path, steps: int, rewards: Sequence[str]) -> None:
        self.path, self.steps = out / COMPLETIONS, steps
        self.schema = pa.schema([*SCHEMA, *(pa.field(column_of(name), pa.float64()) for name in rewards)])
        self.kept: list[dict[str, Any]] | None = None
        """None: what an earlier process left was not read yet."""

    def add(self, step: int, replies: Sequence[Mapping[str, Any]]) -> None:
        """Keep the replies from which ``step`` is the first to learn; what lies after it was not done."""
        kept = self._left() if self.kept is None else self.kept
        before = [row for row in kept if row["step"] < step]
        latest = sorted({row["step"] for row in before})[-(self.steps - 1) :] if self.steps > 1 else []
        self.kept = [row for row in before if row["step"] in latest] + [{"step": step, **one} for one in replies]

    def newest(self) -> pa.Table:
        """The replies of the last step."""
        kept = self.kept or []
        return self._table([row for row in kept if row["step"] == kept[-1]["step"]])

    def write(self) -> None:
        """Bring the file up to date."""
        if self.kept:
            write_table_atomic(self._table(self.kept), self.path)

    def _table(self, rows: list[dict[str, Any]]) -> pa.Table:
        return pa.Table.from_pylist(rows, schema=self.schema)

    def _left(self) -> list[dict[str, Any]]:
        try:
            return pq.read_table(self.path).to_pylist()
        except (OSError, pa.ArrowException):  # there is none, or a disk spoilt it: it is no part of what was learned
            return []
