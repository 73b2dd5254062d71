"""The rows that each stage of a recipe trains on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow.compute as pc

from audiocontrib.errors import UsageError
from audiocontrib.store import Run
from audiocontrib.training.pass_rates import filter_by_pass_rate
from audiocontrib.training.recipe import GRPO, Stage, TrainingRecipe
from audiocontrib.training.rows import TrainingRows, training_rows


def stage_rows(recipe: TrainingRecipe, stage: str, run: Run | str | Path, split: str | Path | None) -> TrainingRows:
    """The rows of the stage ``sft`` or ``grpo`` of a recipe; those of GRPO share nothing with those of SFT.

    Raises:
        UsageError, AudiocontribError: as :func:`rows`; or the run lacks answers that pass rates need.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    settings = recipe.stage(stage)
    if not isinstance(settings, GRPO):
        return _noted(_drawn(settings, run, split), recipe)
    barred: set[str] = set()
    if recipe.sft is not None:
        first = _drawn(recipe.sft, run, split).items.table
        barred = set(first["clip_id" if recipe.disjoint == "clip" else "item_id"].to_pylist())
    drawn = _drawn(settings, run, split, barred)
    made = filter_by_pass_rate(drawn, settings, run, run.split(split).table if split else None)
    return _noted(replace(made, extra_option=settings.abstain_option), recipe)


def _noted(rows: TrainingRows, recipe: TrainingRecipe) -> TrainingRows:
    return replace(rows, source={**rows.source, "recipe": asdict(recipe)})


def _drawn(settings: Stage, run: Run, split: str | Path | None, without: Collection[str] = ()) -> TrainingRows:
    count = settings.items
    if count == "weak":
        if split is None:
            raise UsageError("items is 'weak', but no split was named")
        count = pc.sum(pc.equal(run.split(split).table["split"], "weak")).as_py()
    return training_rows(
        run, split, settings.part, items=count, copies=settings.copies, seed=settings.seed, without=without
    )  # fmt: skip
