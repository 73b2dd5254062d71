"""The rows that each stage of a recipe trains on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from audiocontrib.arrow import texts
from audiocontrib.errors import UsageError
from audiocontrib.prompts import PromptFormat
from audiocontrib.store import Run
from audiocontrib.training.recipe import GRPO, KINDS, TrainingRecipe
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.rows.pass_rates import filter_by_pass_rate
from audiocontrib.training.rows.split_part import holds_none, marked_for, part_of_each, training_rows
from audiocontrib.training.stage_settings import Stage
from audiocontrib.training.target import GOLD, unfitting
from audiocontrib.training.watch.held_out import HeldOut, clips_of, draw


def stage_rows(
    recipe: TrainingRecipe,
    stage: str,
    run: Run | str | Path,
    split: str | Path | None,
    *,
    prompt: str | Path | PromptFormat | None = None,
) -> TrainingRows:
    """The rows of the stage ``sft`` or ``grpo`` of a recipe; those of GRPO share no question with those of SFT.

    What a stage watches is among the rows of neither.

    Args:
        prompt: another one than the run was asked with; None: the stage's, or the run's own.

    Raises:
        UsageError, AudiocontribError: as :func:`rows`; a prompt asks for a thought that the form does not allow; or
            the run lacks answers that pass rates need.
    """
    run = marked_for(run, split)
    settings = recipe.stage(stage)
    watched = watched_items(recipe, run, split)
    seen, told = clips_of(watched.values()), _told(watched, stage)
    own = watched.get(stage)
    elsewhere = tuple({one.digest: one for one in watched.values() if own is None or one.digest != own.digest}.values())
    if not isinstance(settings, GRPO):
        drawn = _drawn(settings, run, split, prompt, watched=seen)
        unfit = unfitting(settings.target or GOLD, drawn.prompt)
        notes = [*drawn.notes, *told, *([f"{unfit}: training teaches to leave it out"] if unfit else [])]
        return replace(
            drawn, recipe=recipe, target=settings.target, watched=own, watched_elsewhere=elsewhere, notes=tuple(notes)
        )  # fmt: skip
    sft = None if recipe.sft is None or holds_none(run, split, recipe.sft.part) else recipe.sft
    first = None if sft is None else _drawn(sft, run, split, prompt, watched=seen).items.table
    barred = set[str]() if first is None else _of_sft(first, run, recipe.disjoint)
    drawn = _drawn(settings, run, split, prompt, barred, seen)
    check_form(settings, drawn.prompt)
    made = filter_by_pass_rate(drawn, settings, run, run.split(split).table if split else None)
    notes = [*made.notes, *told]
    if first is not None and recipe.disjoint == "item" and (both := _on_clips_of(first, made.items.table)):
        notes.append(f"{both:,} of {len(made.items):,} items are other questions about recordings that SFT has too")
    option = settings.abstain_option
    return replace(
        made, extra_option=option, recipe=recipe, watched=own, watched_elsewhere=elsewhere, notes=tuple(notes)
    )  # fmt: skip


def watched_items(recipe: TrainingRecipe, run: Run, split: str | Path | None) -> dict[str, HeldOut]:
    """What each stage of a recipe watches, by its name; stages that watch alike watch the same items.

    Raises:
        UsageError: a stage watches more items than there are.
    """
    asked = {name: watch for name in KINDS if (kind := getattr(recipe, name)) and (watch := kind.watch)}
    if not asked:
        return {}
    parts, held = part_of_each(run, split), run.load_items()
    where = f"{run.path}, split {split}" if split else str(run.path)
    return {name: draw(watch, held, parts, where) for name, watch in asked.items()}


def _told(watched: Mapping[str, HeldOut], stage: str) -> list[str]:
    return [f"{watched[stage]} are watched, and trained on by no stage"] if stage in watched else []


def check_rows(settings: Stage, rows: TrainingRows, devices: int = 1) -> None:
    """UsageError if the rows show something else than the settings say, or do not fill a step."""
    if isinstance(settings, GRPO):
        name, said, shown = "abstain_option", settings.abstain_option, rows.extra_option
        check_enough(settings, len(rows), devices)
    else:
        name, said, shown = "target", settings.target, rows.target
    if said != shown:
        told = [repr(one) if one else "none" for one in (said, shown)]
        raise UsageError(f"{name} of the settings is {told[0]}, of the rows {told[1]}; take rows from stage_rows")


def check_enough(settings: GRPO, rows: int, devices: int = 1) -> None:
    """UsageError if so many rows do not fill a step: the sampler leaves that out, and nothing would be trained."""
    asked = settings.batch * settings.accumulate * devices // settings.generations
    if rows < asked:
        raise UsageError(f"there are {rows:,} rows, but a step asks {asked:,} questions; lower batch or accumulate")


def check_form(settings: GRPO, prompt: PromptFormat) -> None:
    """UsageError if a prompt asks for what the reward for the form punishes."""
    if settings.format and (unfit := unfitting(settings.target or GOLD, prompt)):
        raise UsageError(
            f"{unfit}: the reward for the form would punish what is asked for; name it in target, as in "
            f"<think>{{thought}}</think>{GOLD}, or set format to 0"
        )


def _of_sft(first: pa.Table, run: Run, disjoint: str) -> set[str]:
    """Ids of what SFT has: its items, whatever id the same question has elsewhere, and if asked its clips."""
    ids = set(texts(first["item_id"]))
    if disjoint == "clip":
        return ids | set(texts(first["clip_id"]))
    held = run.load_items().table
    questions = set(zip(texts(first["clip_id"]), texts(first["question"]), strict=True))
    rows = zip(texts(held["item_id"]), texts(held["clip_id"]), texts(held["question"]), strict=True)
    return ids | {name for name, *question in rows if tuple(question) in questions}


def _on_clips_of(first: pa.Table, second: pa.Table) -> int:
    """How many items of the second table are about clips of the first."""
    clips = set(texts(first["clip_id"]))
    return sum(clip in clips for clip in texts(second["clip_id"]))


def _drawn(
    settings: Stage,
    run: Run,
    split: str | Path | None,
    prompt: str | Path | PromptFormat | None,
    without: Collection[str] = (),
    watched: Collection[str] = (),
) -> TrainingRows:
    count = settings.items
    if count == "weak":
        if split is None:
            raise UsageError("items is 'weak', but no split was named")
        count = len(run.split(split).part("weak"))
    return training_rows(
        run, split, settings.part, items=count, copies=settings.copies, seed=settings.seed, without=without,
        prompt=settings.prompt if prompt is None else prompt, watched=watched,
    )  # fmt: skip
