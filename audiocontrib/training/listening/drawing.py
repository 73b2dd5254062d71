"""Which questions GRPO asks: by what the model gets right now, and others in the place of those that teach nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import seeded
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.rows.base import TrainingRows

KEPT = "pass_rates.json"
"""Beside a checkpoint: what the next questions are drawn by."""


class Questions:
    """Rows of the next questions. What is drawn depends on the seed, the step and the pass rates alone."""

    def __init__(self, settings: GRPO, rows: TrainingRows) -> None:
        self.settings, self.copies = settings, rows.copies
        self.items = texts(rows.items.table["item_id"])
        self.known: dict[str, float] = {}
        """Item id -> pass rate, as of the last renewal."""
        self.since: dict[str, tuple[int, int]] = {}
        """Item id -> (replies that were right, replies) since then."""
        self.renewed = 0
        """The step of the last renewal."""

    def first(self, usual: Sequence[int], step: int) -> list[int]:
        """Rows for the groups of a step: the usual ones until pass rates are known, then drawn by these."""
        return self.draw(len(usual), step, 0) if self.known else list(usual)

    def draw(self, count: int, step: int, again: int, asked: Collection[int] = ()) -> list[int]:
        """So many rows, no two of one item and none of an item that was asked, as far as there are others."""
        dice = seeded(self.settings.seed, "questions", step, again)
        chances = np.array([self.chance(name) for name in self.items])
        chances[[row // self.copies for row in asked]] = 0.0
        places: list[int] = []
        while len(places) < count:
            some = int(np.count_nonzero(chances))
            if not some:  # too few: those that are left over first, then all of them again
                chances = np.ones(len(self.items))
                chances[places] = len(places) >= len(self.items)
                continue
            size = min(count - len(places), some)
            found = dice.choice(len(chances), size=size, replace=False, p=chances / chances.sum())
            places += found.tolist()
            chances[found] = 0.0
        return [place * self.copies + int(dice.integers(self.copies)) for place in places]

    def left(self, asked: Collection[int]) -> int:
        """How many items there are of which none of these rows is."""
        return len(self.items) - len({row // self.copies for row in asked})

    def chance(self, item_id: str) -> float:
        """How likely an item is drawn, up to a factor. An unknown pass rate is taken for one half."""
        rate, between = self.known.get(item_id, 0.5), self.settings.curriculum_between
        if not self.settings.curriculum:
            return 1.0
        return rate * (1 - rate) if between is None else float(between[0] < rate < between[1])

    def count(self, rows: Sequence[int], right: Sequence[float]) -> None:
        """Note the accuracy rewards of replies, each with its row."""
        for row, one in zip(rows, right, strict=True):
            name = self.items[row // self.copies]
            was = self.since.get(name, (0, 0))
            self.since[name] = (was[0] + (one >= 1), was[1] + 1)

    def renew(self, step: int) -> None:
        """Take over what was counted, once so many steps are over.

        Right replies plus 1 of all plus 2 (Laplace's rule), so that no item is left for ever after one bad group.
        """
        if self.settings.curriculum and step >= self.renewed + self.settings.curriculum:
            self.known |= {name: (right + 1) / (all_ + 2) for name, (right, all_) in self.since.items()}
            self.since, self.renewed = {}, step

    def save(self, checkpoint: Path) -> None:
        """Keep the pass rates beside a checkpoint."""
        told = {"known": self.known, "since": self.since, "renewed": self.renewed}
        (checkpoint / KEPT).write_text(json.dumps(told), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        """Take them up again. AudiocontribError if they are not there, or damaged."""
        path = checkpoint / KEPT
        try:
            told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self.known = {str(name): float(rate) for name, rate in told["known"].items()}
            self.since = {str(name): (int(right), int(all_)) for name, (right, all_) in told["since"].items()}
            self.renewed = int(told["renewed"])
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise AudiocontribError(
                f"{path}: the pass rates cannot be read ({one_line(error)}); remove {checkpoint}, and the same command "
                "goes on from the checkpoint before"
            ) from error


LEFT = ("prompt_ids", "prompt_mask")
"""Padded on the left; everything else on the right."""
Batch = dict[str, Any]


def replaced(batch: Batch, other: Batch, rows: Sequence[int], pad: int) -> Batch:
    """A batch of replies with the rows ``rows`` replaced by those of another one, in their order.

    Args:
        batch: tensors of shape (replies, …), and numbers of the whole, which are added up anew by the caller.
        pad: token that fills up prompts and replies.
    """
    made: Batch = {}
    for name, value in batch.items():
        new = other[name]
        if not isinstance(value, Tensor) or value.dim() == 0:
            made[name] = value
            continue
        shape = [max(sizes) for sizes in zip(value.shape[1:], new.shape[1:], strict=True)]
        filling = pad if name in ("prompt_ids", "completion_ids") else 0
        wide, narrow = (_padded(one, shape, filling, left=name in LEFT) for one in (value, new))
        wide[list(rows)] = narrow
        made[name] = wide
    return made


def _padded(value: Tensor, shape: Sequence[int], filling: int, *, left: bool) -> Tensor:
    made = value.new_full((len(value), *shape), filling)
    ends = [slice(-size, None) if left else slice(size) for size in value.shape[1:]]
    made[(slice(None), *ends)] = value
    return made


def mean_of_calls(values: list[float], sizes: Sequence[int]) -> list[float]:
    """One value for several calls of a step, by how many replies each had; as it was where they are not one each."""
    if len(values) != len(sizes):
        return values
    return [float(np.average(values, weights=sizes))]


def replies_of(groups: Sequence[int], generations: int) -> list[int]:
    """Places of the replies of such groups."""
    return [group * generations + i for group in groups for i in range(generations)]
