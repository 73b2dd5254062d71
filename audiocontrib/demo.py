"""The demo: the whole way on the embedded models and data, held against the planted truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from audiocontrib.contribution import accuracy, agreement, contributions
from audiocontrib.models import MODELS
from audiocontrib.report.plots import accuracy_by_condition, contribution_map
from audiocontrib.scoring import score
from audiocontrib.sources import load_items
from audiocontrib.splits import Split, split
from audiocontrib.statistics import Interval, wilson
from audiocontrib.store import Run

CONDITIONS = ("audio", "silence", "text")
TINY = tuple(name for name in MODELS if name.startswith("tiny-"))


@dataclass(frozen=True, slots=True)
class Demo:
    """What a demo run showed."""

    run: Run
    accuracy: pa.Table
    """Rows of :func:`audiocontrib.contribution.accuracy` by ``extra.needs_audio``."""
    split: Split
    agrees: int
    """Items that the split places as the planted truth has them: strong if the audio is needed."""
    placed: int
    alike: float
    """Share of items on which all models choose the same option under silence."""
    plots: tuple[Path, ...]

    @property
    def agreement(self) -> Interval:
        """95 % Wilson interval of agrees / placed."""
        return wilson(self.agrees, self.placed)


def demo(seed: int = 0, limit: int = 240, run: str | Path = "runs/demo", progress: bool = True) -> Demo:
    """Score the demo data with the three tiny models, split it by the published rule, and plot it.

    Args:
        seed: of the data; the models were trained on other seeds.
        limit: number of items.
    """
    import torch

    torch.set_num_threads(1)  # a million parameters: more threads only wait for each other
    items = load_items("demo", seed=seed, limit=limit)
    done = score(items, TINY, CONDITIONS, run=run, progress=progress)
    made = split(done, rule="votes", threshold=0.5)
    made.save(done.split_folder("paper"))
    needs = {item.id: bool(item.extra["needs_audio"]) for item in items}
    with done.connect() as con:
        parts = accuracy(con, by=["extra.needs_audio"])
        overall, scores, alike = accuracy(con), contributions(con), agreement(con)
    done.save_contributions(scores)
    truth = [needs[item] for item in scores["item_id"].to_pylist()]
    folder = done.path / "plots"
    folder.mkdir(exist_ok=True)
    plots = (folder / "accuracy.png", folder / "contribution.png")
    accuracy_by_condition(overall).savefig(plots[0], dpi=150)
    contribution_map(scores, truth).savefig(plots[1], dpi=150)
    placed = [row for row in made.table.to_pylist() if row["split"] != "undecided"]
    agrees = sum((row["split"] == "strong") == needs[row["item_id"]] for row in placed)
    return Demo(done, parts, made, agrees, len(placed), alike, plots)
