"""`audiocontrib train`: SFT and GRPO on the parts of a split."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option, say
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from audiocontrib.training import TrainingRecipe


@click.command()
@click.argument("stage", type=click.Choice(["sft", "grpo"]))
@click.option(
    "--training-recipe", "recipe", cls=RenamedOption, old="--recipe", type=click.Path(path_type=Path), required=True,
    help="YAML file; recipes/training/ has some.",
)  # fmt: skip
@run_option
@click.option("--split", help="Name of a split in the run, or its folder.  [default: the only one]")
@click.option("--model", help="Where to start from.  [default: the recipe's; for grpo after sft, what sft made]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to fill.  [default: trained/RECIPE/STAGE]")
@click.option(
    "--set", "changes", multiple=True, metavar="FIELD=VALUE", help="Another value of a field of the stage; repeatable."
)
@click.option("--dry-run", cls=RenamedOption, old="--plan", is_flag=True, help="Only say what it would take.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@format_option
def command(
    stage: str,
    recipe: Path,
    folder: Path | None,
    split: str | None,
    model: str | None,
    out: Path | None,
    changes: tuple[str, ...],
    dry_run: bool,
    quiet: bool,
    form: str,
) -> None:
    """Train a model on the weak or strong part of a split, with its audio.

    The recipe says which part, and how; docs/training.md describes every field. The same command goes on after a
    kill. The trained model is OUT/model, for `audiocontrib score --model`; OUT/metrics.parquet has a row a step.
    On several GPUs: accelerate launch --config_file recipes/training/accelerate/zero2.yaml -m audiocontrib train …

    \b
    Examples:
      audiocontrib train sft --training-recipe recipes/training/tiny/weak_to_strong.yaml --run runs/demo --split paper
      audiocontrib train grpo --training-recipe recipes/training/tiny/weak_to_strong.yaml --run runs/demo --split paper
      audiocontrib train sft --training-recipe recipes/training/omni/sft_all.yaml --set tune=lora --dry-run
      audiocontrib query "select step, reward from 'trained/weak_to_strong/grpo/metrics.parquet'"
    """
    from audiocontrib.training import GRPO, read_training_recipe, stage_rows, train_grpo, train_sft
    from audiocontrib.training.estimate import estimate_training

    asked = _changed(read_training_recipe(recipe), stage, changes)
    settings = asked.stage(stage)
    made = Path("trained") / recipe.stem
    start = model or _start(asked, stage, made)
    run = open_run(folder)
    only = None if split else run.only_split()
    rows = stage_rows(asked, stage, run, split or (only.name if only else None))
    first = os.environ.get("RANK", "0") == "0"
    speak = say if first else lambda _: None  # of the processes that a launcher started, one speaks
    for note in rows.notes:
        speak(f"note: {note}")
    if dry_run:
        emit(estimate_training(settings, rows, start), form)
        return
    speak(f"{asked.about}: {stage} of {start} on {len(rows.items):,} items, {len(rows):,} rows")
    into = out or made / stage
    train = train_grpo if isinstance(settings, GRPO) else train_sft
    trained = train(settings, rows, start, into, progress=not quiet)  # type: ignore[arg-type]
    if trained.resumed is not None:
        speak(f"went on from step {trained.resumed}")
    if first:
        emit(_last(trained.metrics), form)
    speak(f"model: {trained.model}")


def _changed(recipe: TrainingRecipe, stage: str, changes: tuple[str, ...]) -> TrainingRecipe:
    """The recipe with values of ``--set`` in the stage."""
    import yaml

    from audiocontrib.training.fields import build

    settings = recipe.stage(stage)
    given: dict[str, Any] = {one.name: getattr(settings, one.name) for one in fields(settings)}
    for text in changes:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise UsageError(f"--set {text!r}: it is FIELD=VALUE, e.g. --set batch=4")
        try:
            given[name.strip()] = json.loads(value)
        except ValueError:
            given[name.strip()] = yaml.safe_load(value)
    for one, other in (("steps", "epochs"), ("epochs", "steps")):  # to give one is to take the other back
        if any(text.partition("=")[0].strip() == one for text in changes):
            given[other] = None
    changed: Any = build(type(settings), given, "--set")
    return replace(recipe, sft=changed) if stage == "sft" else replace(recipe, grpo=changed)


def _start(recipe: TrainingRecipe, stage: str, made: Path) -> str:
    if stage == "sft" or recipe.sft is None:
        return recipe.model
    before = made / "sft" / "model"
    if not before.exists():
        raise UsageError(f"{before} is not there: give `audiocontrib train sft` first, or name --model")
    return str(before)


def _last(metrics: Path) -> Any:
    """The last step, as far as it has values."""
    import pyarrow.parquet as pq

    last = pq.read_table(metrics)
    last = last.slice(max(0, len(last) - 1))
    return last.select([name for name in last.column_names if last[name].null_count < len(last)])
