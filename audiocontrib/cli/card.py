"""`audiocontrib card`: a data card for a split."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_option, say
from audiocontrib.cli.printed import put


@click.command()
@run_option
@click.option("--split", help="Name of the split.  [default: the only one of the run]")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file.  [default: stdout]")
def command(folder: Path | None, split: str | None, out: Path | None) -> None:
    """Print a data card of a split: Markdown with the hub's YAML header.

    Origin, models asked, prompt, conditions, rule and threshold, sizes by stratum, error bounds, certificate,
    known limits, and the commands that make it again.

    \b
    Examples:
      audiocontrib card --split votes
      audiocontrib card --run runs/demo --split fdr --out README.md
    """
    from audiocontrib.report.card import card
    from audiocontrib.store.files import make_folder, replacing

    text = card(chosen_run(folder), split=split)
    if out is None:
        return put(text, nl=False)
    make_folder(out.parent)
    with replacing(out) as file:
        file.write(text.encode())
    return say(f"written: {out}")
