"""`audiocontrib train`: SFT and GRPO on the parts of a split."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_audio_option, run_option, say
from audiocontrib.cli.renames import RenamedOption

if TYPE_CHECKING:
    from audiocontrib.api.train import Stage


@click.command()
@click.argument("stage", type=click.Choice(["sft", "grpo"]))
@click.option(
    "--training-recipe", "recipe", cls=RenamedOption, old="--recipe", type=click.Path(path_type=Path), required=True,
    help="YAML file; recipes/training/ has some.",
)  # fmt: skip
@run_option
@run_audio_option
@click.option("--split", help="Name of a split in the run, or its folder.  [default: the only one]")
@click.option("--model", help="Where to start from.  [default: the recipe's; for grpo after sft, what sft made]")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to fill.  [default: trained/RECIPE/STAGE]")
@click.option(
    "--set", "changes", multiple=True, metavar="FIELD=VALUE", help="Another value of a field of the stage; repeatable."
)
@click.option("--dry-run", cls=RenamedOption, old="--plan", is_flag=True, help="Only say what it would take.")
@click.option(
    "--prompt", metavar="NAME|FILE", help="Another prompt than the run was asked with.  [default: the run's own]"
)
@click.option(
    "--reward",
    "rewards",
    multiple=True,
    metavar="FILE.py:FUNCTION[=WEIGHT]",
    help="A reward of your own for grpo, or the name of one that a plugin has; repeatable.  [default weight: the "
    "recipe's, or 1]",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@format_option
def command(
    stage: str,
    recipe: Path,
    folder: Path | None,
    audio_root: Path | None,
    split: str | None,
    model: str | None,
    out: Path | None,
    changes: tuple[str, ...],
    dry_run: bool,
    prompt: str | None,
    rewards: tuple[str, ...],
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
      audiocontrib query "select step, reward from 'trained/weak_to_strong/grpo/metrics.parquet'" --file trained
    """
    from audiocontrib.api.train import changed_recipe, plan_training
    from audiocontrib.config import assignments
    from audiocontrib.training import read_training_recipe

    given, kind = assignments(changes, "--set", "--set batch=4"), cast("Stage", stage)
    changed_recipe(read_training_recipe(recipe), kind, given, "--set", rewards)  # before a run is looked for

    asked: dict[str, Any] = {
        "recipe": recipe,
        "split": split,
        "model": model,
        "out": out,
        "changes": given,
        "prompt": prompt,
        "rewards": rewards,
    }
    planned = plan_training(chosen_run(folder, audio_root=audio_root), kind, **asked)
    first = os.environ.get("RANK", "0") == "0"
    speak = say if first else lambda _: None  # of the processes that a launcher started, one speaks
    for note in planned.rows.notes:
        speak(f"note: {note}")
    if dry_run:
        emit(planned.estimate(), form)
        return
    speak(planned.about)
    trained = planned.train(progress=not quiet)
    if trained.resumed is not None:
        speak(f"went on from step {trained.resumed}")
    if first:
        emit(_last(trained.metrics), form)
    speak(f"model: {trained.model}")


def _last(metrics: Path) -> Any:
    """The last step, as far as it has values."""
    import pyarrow.parquet as pq

    last = pq.read_table(metrics.absolute())
    last = last.slice(max(0, len(last) - 1))
    return last.select([name for name in last.column_names if last[name].null_count < len(last)])
