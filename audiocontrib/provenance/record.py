"""Provenance: where the rows of a training or of an export come from."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audiocontrib.provenance.runs import data_of, run_steps, split_steps
from audiocontrib.provenance.steps import DataSource, SplitSettings, Step
from audiocontrib.store import Run, SavedSplit
from audiocontrib.store.splits import SETTINGS, SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The data, the run, the split and the part of it that was taken, and the steps that make them."""

    data: DataSource
    run: str
    split: str | None = None
    """Name of a split in the run, or a folder that holds one; None: all items of the run."""
    rule: SplitSettings | None = None
    """How the split was made; None where that is not known."""
    prompt: str | None = None
    """The prompt that rows are written with, where it was named; None: the one that the run was asked with."""
    part: str = "all"
    """``weak``, ``strong`` or ``all``."""
    steps: tuple[Step, ...] = ()
    """A split in a folder of its own says how it was made, but not by which step."""


def provenance_of(run: Run, split: SavedSplit | None, part: str) -> Provenance:
    """Where the rows of a part come from; a split that is not in the run says how it was made, not by which step."""
    made = Provenance(data=data_of(run), run=str(run.path), part=part, steps=run_steps(run))
    if split is None:
        return made
    inside = split.folder.resolve().parent == (run.path / SPLITS).resolve()
    # a split of the user's own may say nothing of itself
    rule = SplitSettings.of(split.settings, split.folder / SETTINGS) if split.rule else None
    more = split_steps(run, split.name, rule) if inside and rule else ()
    return replace(made, split=split.name if inside else str(split.folder), rule=rule, steps=(*made.steps, *more))
