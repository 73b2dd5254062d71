"""`audiocontrib export`: rows of a split for other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiocontrib.cli.marked import marked_options
from audiocontrib.cli.output import chosen_run, run_audio_option, run_option, say
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.errors import UsageError

PATHS = ["absolute", "relative"]


@click.command()
@click.option("--stage", type=click.Choice(["sft", "grpo"]), required=True, help="What is trained with the rows.")
@click.option(
    "--for", "trainer", cls=RenamedOption, old="--format", required=True, metavar="TRAINER",
    help="Who reads the rows; the list is below.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@run_option
@run_audio_option
@click.option("--split", help="Name of a split in the run, or its folder.  [default: the only one]")
@click.option(
    "--part",
    type=click.Choice(["weak", "strong", "all"]),
    help="Of the split.  [default: weak for sft, strong for grpo]",
)
@click.option("--copies", type=int, help="Each question so often, its options in random orders.  [default: 4]")
@click.option("--seed", type=int, help="Of the orders.  [default: 0]")
@click.option(
    "--disjoint",
    type=click.Choice(["clip", "item", "none"]),
    help="What grpo may not share with sft on the weak part: clips, or questions.  [default: item]",
)
@click.option(
    "--training-recipe", "recipe", cls=RenamedOption, old="--recipe", type=click.Path(path_type=Path),
    help="YAML file of a training, instead of the last four.",
)  # fmt: skip
@click.option(
    "--clip-paths", cls=RenamedOption, old="--audio", type=click.Choice(PATHS),
    translate=lambda way: None if way in ("copy", "embed") else way,
    help="Rows name clips where they lie: by whole path, or by path in the audio folder.  [default: absolute]",
)  # fmt: skip
@click.option(
    "--copy-clips", cls=RenamedOption, old="--audio", translate=lambda way: way == "copy" or None, is_flag=True,
    help="Rows name copies of the clips, made in OUT.",
)  # fmt: skip
@click.option(
    "--embed-clips", cls=RenamedOption, old="--audio", translate=lambda way: way == "embed" or None, is_flag=True,
    help="Rows hold the clips.  [default for datasets]",
)  # fmt: skip
@click.option(
    "--prompt", metavar="NAME|FILE", help="Another prompt than the run was asked with.  [default: the run's own]"
)
@marked_options
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    folder: Path | None,
    audio_root: Path | None,
    trainer: str,
    split: str | None,
    clip_paths: str | None,
    copy_clips: bool,
    embed_clips: bool,
    quiet: bool,
    marking: dict[str, Any],
    **options: Any,
) -> None:
    """Write the weak or strong part of a split as files that other trainers read.

    What is exported for grpo shares no question with what is exported for sft from the same split, in whatever order.
    OUT/manifest.json says where the rows are from, and has a hash of every file; docs/export.md describes the rest.

    \b
    Trainers:
      swift         ms-swift >= 4
      trl           TRL
      nemo-rl       NVIDIA NeMo RL
      verl          verl (grpo)
      llamafactory  LLaMA-Factory (sft)
      r1-aqa        R1-AQA (grpo)
      jsonl         plain JSON lines
      datasets      a folder for datasets.load_from_disk, the audio inside

    \b
    Examples:
      audiocontrib export --stage sft --for swift --split votes-0.5 --out exported/sft
      audiocontrib export --stage grpo --for swift --split votes-0.5 --out exported/grpo --copy-clips
      audiocontrib export --stage sft --for datasets --split votes-0.5 --part all --copies 1 --out exported/all
      audiocontrib export --stage sft --for trl --split votes-0.5 --without-marked leak --out exported/trl
      audiocontrib export --stage grpo --for verl --split votes-0.5 --out exported/verl \\
          --training-recipe recipes/training/omni/weak_to_strong.yaml
    """
    from audiocontrib.export import export

    audio = _clips_as(clip_paths, copy_clips, embed_clips)
    run = chosen_run(folder, audio_root=audio_root)
    made = export(run, split=split, format=trainer, audio=audio, progress=not quiet, **options, **marking)
    for note in made.notes:
        say(f"note: {note}")
    done = "exported" if made.fresh else "exported before, and as it was"
    say(f"{done}: {made.items:,} items, {made.rows:,} rows in {made.folder}")


def _clips_as(paths: str | None, copies: bool, embedded: bool) -> Any:
    """How rows refer to clips; None: as the trainer's form has it."""
    ways = [*([paths] if paths else []), *(["copy"] if copies else []), *(["embed"] if embedded else [])]
    if len(ways) > 1:
        raise UsageError("rows refer to clips in one way: give one of --clip-paths, --copy-clips and --embed-clips")
    return ways[0] if ways else None
