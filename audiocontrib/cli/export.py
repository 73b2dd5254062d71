"""`audiocontrib export`: rows of a split for other trainers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from audiocontrib.cli.output import open_run, run_option, say


@click.command()
@click.option("--stage", type=click.Choice(["sft", "grpo"]), required=True, help="What is trained with the rows.")
@click.option("--format", "form", required=True, metavar="NAME", help="Whose form the rows take; the list is below.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to make.")
@run_option
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
    help="What grpo may not share with sft on the weak part.  [default: clip]",
)
@click.option("--recipe", type=click.Path(path_type=Path), help="Recipe of a training, instead of the last four.")
@click.option(
    "--audio",
    type=click.Choice(["absolute", "relative", "copy", "embed"]),
    help="Rows name clips by whole path, by path in the audio folder, as copies in OUT, or hold them.  "
    "[default: absolute; datasets: embed]",
)
@click.option(
    "--prompt", metavar="NAME|FILE", help="Another prompt than the run was asked with.  [default: the run's own]"
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(folder: Path | None, form: str, split: str | None, quiet: bool, **options: Any) -> None:
    """Write the weak or strong part of a split as files that other trainers read.

    What is exported for grpo shares no clip with what is exported for sft from the same split, in whatever order.
    OUT/manifest.json says where the rows are from, and has a hash of every file; docs/export.md describes the rest.

    \b
    Formats:
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
      audiocontrib export --stage sft --format swift --split votes-0.5 --out exported/sft
      audiocontrib export --stage grpo --format swift --split votes-0.5 --out exported/grpo --audio copy
      audiocontrib export --stage sft --format datasets --split votes-0.5 --part all --copies 1 --out exported/all
      audiocontrib export --stage grpo --format verl --split votes-0.5 --out exported/verl \\
          --recipe recipes/training/omni/weak_to_strong.yaml
    """
    from audiocontrib.export import export

    run = open_run(folder)
    made = export(run, split=split, format=form, progress=not quiet, **options)
    for note in made.notes:
        say(f"note: {note}")
    done = "exported" if made.fresh else "exported before, and as it was"
    say(f"{done}: {made.items:,} items, {made.rows:,} rows in {made.folder}")
