"""The rows that each stage of a recipe trains on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from audiocontrib.arrow import texts
from audiocontrib.errors import UsageError
from audiocontrib.prompts import PromptFormat
from audiocontrib.store import Run
from audiocontrib.training.recipe import GRPO, Stage, TrainingRecipe
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.rows.pass_rates import filter_by_pass_rate
from audiocontrib.training.rows.split_part import marked_for, training_rows


def stage_rows(
    recipe: TrainingRecipe,
    stage: str,
    run: Run | str | Path,
    split: str | Path | None,
    *,
    prompt: str | Path | PromptFormat | None = None,
) -> TrainingRows:
    """The rows of the stage ``sft`` or ``grpo`` of a recipe; those of GRPO share nothing with those of SFT.

    Args:
        prompt: another one than the run was asked with; None: the run's own.

    Raises:
        UsageError, AudiocontribError: as :func:`rows`; or the run lacks answers that pass rates need.
    """
    run = marked_for(run, split)
    settings = recipe.stage(stage)
    if not isinstance(settings, GRPO):
        return replace(_drawn(settings, run, split, prompt), recipe=recipe)
    barred: set[str] = set()
    if recipe.sft is not None:
        first = _drawn(recipe.sft, run, split, prompt).items.table
        barred = set(texts(first["clip_id" if recipe.disjoint == "clip" else "item_id"]))
    drawn = _drawn(settings, run, split, prompt, barred)
    made = filter_by_pass_rate(drawn, settings, run, run.split(split).table if split else None)
    return replace(made, extra_option=settings.abstain_option, recipe=recipe)


def _drawn(
    settings: Stage,
    run: Run,
    split: str | Path | None,
    prompt: str | Path | PromptFormat | None,
    without: Collection[str] = (),
) -> TrainingRows:
    count = settings.items
    if count == "weak":
        if split is None:
            raise UsageError("items is 'weak', but no split was named")
        count = len(run.split(split).part("weak"))
    return training_rows(
        run, split, settings.part, items=count, copies=settings.copies, seed=settings.seed, without=without,
        prompt=prompt,
    )  # fmt: skip
