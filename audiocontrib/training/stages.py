"""The rows that each stage of a recipe trains on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow.compute as pc

from audiocontrib.errors import UsageError
from audiocontrib.store import Run
from audiocontrib.training.passing import narrowed
from audiocontrib.training.recipe import GRPO, Recipe, Stage
from audiocontrib.training.rows import Rows, rows, table_of


def stage_rows(recipe: Recipe, stage: str, run: Run | str | Path, split: str | Path | None) -> Rows:
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
    made = narrowed(drawn, settings, run, table_of(run, split) if split else None)
    return _noted(replace(made, extra_option=settings.abstain_option), recipe)


def _noted(rows: Rows, recipe: Recipe) -> Rows:
    return replace(rows, source={**rows.source, "recipe": asdict(recipe)})


def _drawn(settings: Stage, run: Run, split: str | Path | None, without: Collection[str] = ()) -> Rows:
    count = settings.items
    if count == "weak":
        if split is None:
            raise UsageError("items is 'weak', but no split was named")
        count = pc.sum(pc.equal(table_of(run, split)["split"], "weak")).as_py()
    return rows(
        run, split, settings.part, items=count, copies=settings.copies, seed=settings.seed, without=without
    )  # fmt: skip
