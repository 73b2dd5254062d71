"""`audiocontrib weak-to-strong`: the whole loop from a plan."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, paper_format_option, say
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.cli.verdicts import listening_words


@click.command()
@click.option(
    "--plan", cls=RenamedOption, old="--recipe", type=click.Path(path_type=Path), required=True,
    help="YAML file; recipes/weak_to_strong/ has some.",
)  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), help="Folder to fill.  [default: trained/PLAN]")
@click.option("--device", help="cpu, cuda, cuda:1, …  [default: a GPU if there is one]")
@click.option("--quiet", is_flag=True, help="No progress bars.")
@paper_format_option
def command(plan: Path, out: Path | None, device: str | None, quiet: bool, form: str) -> None:
    """Score, split, SFT on weak, GRPO on strong, score again, and print what changed.

    All of the plan is tried on a few questions before any model is asked, and the smallest change that it can show is
    said. The base and the trained model are compared on held-out items, under the same conditions: accuracy, and what
    the audio adds, on all items and on the weak and the strong part. The same command goes on after a kill.

    \b
    Examples:
      audiocontrib weak-to-strong --plan recipes/weak_to_strong/tiny.yaml
      audiocontrib weak-to-strong --plan recipes/weak_to_strong/omni.yaml --out trained/omni --device cuda
    """
    from audiocontrib.weak_to_strong import weak_to_strong

    options = {"device": device} if device else {}
    learned = weak_to_strong(
        plan, out or Path("trained") / plan.stem, progress=not quiet, say=say, model_options=options
    )
    emit(learned.changes, form, "changes")
    for line in listening_words(learned.changes.to_pylist()):
        say(line)
    for model in learned.models:
        say(f"model: {model}")
    say(f"runs: {learned.run} and {learned.held_out}")
