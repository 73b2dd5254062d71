"""The demo: the whole way on the embedded models and data, held against the planted truth."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from audiocontrib.arrow import texts
from audiocontrib.checked import whole_number
from audiocontrib.contribution import accuracy, unanimity
from audiocontrib.demo.rules import CONDITIONS, split_by_all
from audiocontrib.models import MODELS
from audiocontrib.report.plots import accuracy_by_condition, contribution_map
from audiocontrib.scoring import score
from audiocontrib.sources import load_items
from audiocontrib.splits import Split
from audiocontrib.statistics import Interval, wilson
from audiocontrib.store import Run

TINY = tuple(name for name in MODELS if name.startswith("tiny-"))
SPLITS = {"votes": "paper", "group": "group", "posterior": "posterior", "fdr": "fdr"}
"""The rules that the demo compares, and the names of their splits in the run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A split held against the truth: weak means that the text answers the item."""

    rule: str
    weak: int
    strong: int
    undecided: int
    truly_weak: int
    """Weak items whose text does answer them."""
    leaks: int
    """Items whose text answers them, of all."""
    right: int
    """Weak and strong items that are placed as the truth has them."""

    @property
    def precision(self) -> Interval:
        """95 % Wilson interval of truly_weak / weak."""
        return wilson(self.truly_weak, self.weak)

    @property
    def false_discovery(self) -> Interval:
        """95 % Wilson interval of the realised false-discovery rate: weak items that need their audio / weak."""
        return wilson(self.weak - self.truly_weak, self.weak)

    @property
    def recall(self) -> Interval:
        """95 % Wilson interval of truly_weak / leaks."""
        return wilson(self.truly_weak, self.leaks)


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo run showed."""

    run: Run
    accuracy: pa.Table
    """Rows of :func:`audiocontrib.contribution.accuracy` by ``extra.needs_audio``."""
    splits: tuple[Split, ...]
    """By each rule of SPLITS."""
    verdicts: tuple[Verdict, ...]
    """The same, held against the truth."""
    notes: tuple[str, ...]
    """What the answers do not allow a rule to say."""
    alike: float
    """Share of items on which all models choose the same option under silence."""
    plots: tuple[Path, ...]


def demo(*, seed: int = 0, limit: int = 240, run: str | os.PathLike[str] = "runs/demo", progress: bool = True) -> Demo:
    """Score the demo data with the three tiny models, split it by several rules, and plot it.

    Args:
        seed: of the data; the models were trained on other seeds.
        limit: number of items, from 10.
        run: folder of the run.

    Raises:
        UsageError: a seed or a limit that there is not.

    Example:
        >>> done = ac.demo(limit=60, run="runs/demo-60")
        >>> done.accuracy.to_pandas()
    """
    whole_number(seed, "seed", most=999_999)
    whole_number(limit, "limit", least=10)
    import torch

    torch.set_num_threads(1)  # a million parameters: more threads only wait for each other
    items = load_items("demo", seed=seed, limit=limit)
    done = score(items, TINY, CONDITIONS, run=run, progress=progress)
    made, notes = split_by_all(done, SPLITS)
    scores = made[0].scores
    done.save_contributions(scores)
    with done.views() as con:
        parts = accuracy(con, by=["extra.needs_audio"])
        overall, alike = accuracy(con), unanimity(con)
    needs = {item.id: bool(item.extra["needs_audio"]) for item in items}
    folder = done.path / "plots"
    folder.mkdir(exist_ok=True)
    plots = (folder / "accuracy.png", folder / "contribution.png")
    accuracy_by_condition(overall).savefig(plots[0], dpi=150)
    contribution_map(scores, [needs[item] for item in texts(scores["item_id"])]).savefig(plots[1], dpi=150)
    verdicts = tuple(verdict(one, needs) for one in made)
    return Demo(done, parts, tuple(made), verdicts, tuple(notes), alike, plots)


def verdict(made: Split, needs_audio: Mapping[str, bool]) -> Verdict:
    """A split held against the truth: item id -> whether the item needs its audio."""
    placed = [(row["split"], needs_audio[row["item_id"]]) for row in made.table.to_pylist()]
    weak, strong, undecided = ([p for p, _ in placed].count(part) for part in ("weak", "strong", "undecided"))
    return Verdict(
        made.rule,
        weak,
        strong,
        undecided,
        truly_weak=placed.count(("weak", False)),
        leaks=sum(not needs for _, needs in placed),
        right=placed.count(("weak", False)) + placed.count(("strong", True)),
    )
