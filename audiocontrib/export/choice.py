"""Which rows are exported: a recipe's, or those of a recipe made up from a few options."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import PositiveInt

from audiocontrib.config import build, config
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.export.base import Format, Stage
from audiocontrib.items import ROWS_AT_ONCE
from audiocontrib.training.recipe import GRPO, SFT, TrainingRecipe, read_training_recipe
from audiocontrib.training.rows import TrainingRows, taken
from audiocontrib.training.stage_settings import Part
from audiocontrib.training.watch.settings import Seed

Disjoint = Literal["clip", "item", "none"]

CHOOSING = ("part", "items", "copies", "seed", "rater", "pass_audio", "pass_silent", "weigh", "abstain_option")
"""Fields of a recipe's stage that decide which rows there are, and what they say."""


@config
class RowOptions:
    """What the options say of the rows, where no recipe does."""

    stage: Stage
    """What is trained with the rows."""
    part: Part | None = None
    """Of the split; None: weak for SFT, strong for GRPO."""
    copies: PositiveInt = 4
    """Each question so many times."""
    seed: Seed = 0
    """Of the orders."""
    disjoint: Disjoint = "item"
    """What GRPO may not share with SFT on the weak part."""


UNUSED: dict[str, Any] = {"learning_rate": 1.0, "batch": 8, "steps": 1}
"""A stage cannot be without them; no row depends on them."""


def choose(
    stage: Stage,
    recipe: str | Path | None = None,
    part: Part | None = None,
    copies: int | None = None,
    seed: int | None = None,
    disjoint: Disjoint | None = None,
) -> TrainingRecipe:
    """The recipe in a file, or the one that the options stand for: SFT on weak, GRPO on strong.

    By the options, GRPO is held apart from an SFT on the whole weak part, so that the two may be exported in any order.

    Raises:
        UsageError: the recipe has no such stage, or asks for what rows cannot say; recipe and options are both
            given; a number is out of its range.
    """
    given = {"stage": stage, "part": part, "copies": copies, "seed": seed, "disjoint": disjoint}
    asked = build(RowOptions, {name: value for name, value in given.items() if value is not None}, "export")
    if recipe is not None:
        if len([value for value in given.values() if value is not None]) > 1:
            raise UsageError(f"{recipe} says part, copies, seed and disjoint; leave out these options, or the recipe")
        return _checked(read_training_recipe(recipe), stage, str(recipe))
    shared = {"copies": asked.copies, "seed": asked.seed, **UNUSED}
    sft = SFT(part=asked.part or "weak", **shared) if stage == "sft" else SFT(part="weak", **shared)
    grpo = GRPO(part=asked.part or "strong", **shared) if stage == "grpo" else None
    return TrainingRecipe(
        about="options of `audiocontrib export`",
        model="none",  # nothing is trained
        sft=None if grpo and asked.disjoint == "none" else sft,
        grpo=grpo,
        disjoint="clip" if asked.disjoint == "clip" else "item",
    )


def described(recipe: TrainingRecipe, stage: Stage) -> dict[str, Any]:
    """What decides about the rows, as JSON values."""
    facts = _choosing(recipe, stage)
    if stage == "grpo" and recipe.sft is not None:
        facts |= {"disjoint": recipe.disjoint, "apart_from": _choosing(recipe, "sft")}
    return facts


def choice_notes(recipe: TrainingRecipe, stage: Stage) -> list[str]:
    """What should be known of the choice, in sentences."""
    settings = recipe.stage(stage)
    if isinstance(settings, GRPO) and (left := [name for name in ("own_rewards", "target") if getattr(settings, name)]):
        return [f"{' and '.join(left)} of the recipe are not carried over: the rewards there are those of the package"]
    if stage != "sft" or recipe.grpo is not None or settings.part == "weak":
        return []
    return [
        f"GRPO rows are held apart from an SFT on weak, not on {settings.part}; "
        "where GRPO follows, export both by one training recipe that has both stages"
    ]


def fit_rows(rows: TrainingRows, trainer: Format, stage: Stage) -> TrainingRows:
    """The rows that a trainer reads and rewards as they are meant, with a note on the others.

    Raises:
        AudiocontribError: none is left.
    """
    read = _without_tags(rows, trainer.tags)
    return read if stage == "sft" or trainer.same is None else _without_same(read, trainer.same)


def _without_tags(rows: TrainingRows, tags: Sequence[str]) -> TrainingRows:
    """The rows of items whose text holds none of the tags; a trainer would look for a clip there."""
    if not tags:
        return rows
    found = re.compile("|".join(map(re.escape, tags)))
    return _without(
        rows,
        lambda row: any(map(found.search, (row["question"], *row["choices"]))),
        f"hold one of the tags {' '.join(tags)} in their text",
    )


def _without_same(rows: TrainingRows, same: Callable[[str, str], bool]) -> TrainingRows:
    """The rows of items no wrong option of which the trainer's own reward takes for the gold."""

    def passes(row: Mapping[str, Any]) -> bool:
        gold, options = row["answer"], row["choices"]
        return any(place != gold and same(option, options[gold]) for place, option in enumerate(options))

    return _without(rows, passes, "have a wrong option that the trainer's reward takes for the gold")


def _without(rows: TrainingRows, unfit: Callable[[Mapping[str, Any]], bool], why: str) -> TrainingRows:
    """The rows of the other items, with a note."""
    places, left, place = [], [], 0
    texts = rows.items.table.select(["item_id", "question", "choices", "answer"])
    for batch in texts.to_batches(max_chunksize=ROWS_AT_ONCE):
        for row in batch.to_pylist():
            if unfit(row):
                left.append(row["item_id"])
            else:
                places.append(place)
            place += 1
    if not left:
        return rows
    note = f"{len(left):,} items {why}, e.g. {left[0]}: left out"
    if not places:
        raise AudiocontribError(f"no item is left to export: {note}; choose another format")
    return replace(rows, items=taken(rows.items, places), notes=(*rows.notes, note))


def _checked(recipe: TrainingRecipe, stage: Stage, where: str) -> TrainingRecipe:
    settings = recipe.stage(stage)
    if isinstance(settings, GRPO) and settings.silent_replies:
        raise UsageError(
            f"{where}: silent_replies is {settings.silent_replies}, but only `audiocontrib train grpo` gives replies "
            "to silence; set it to 0 to export the rows"
        )
    return recipe


def _choosing(recipe: TrainingRecipe, stage: Stage) -> dict[str, Any]:
    return {name: value for name, value in asdict(recipe.stage(stage)).items() if name in CHOOSING}
