"""`audiocontrib report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_audio_option, run_option, say
from audiocontrib.cli.printed import put


@click.command()
@run_option
@run_audio_option
@click.option("--out", type=click.Path(path_type=Path), help="The HTML file.  [default: report.html in the run]")
@click.option("--split", help="The split whose parts and sensitivity are shown.  [default: the one saved last]")
@click.option(
    "--items", type=click.IntRange(min=0), default=400, show_default=True,
    help="Show at most so many items one by one: a sample by question type and part of the split.",
)  # fmt: skip
def command(folder: Path | None, audio_root: Path | None, out: Path | None, split: str | None, items: int) -> None:
    """Write a report of a run: one page that opens from disk and asks nothing of the network.

    It shows what was asked of whom, accuracy by condition, the contribution map, splits with their reasons and
    what another threshold would do, agreement, calibration, an audit if there is one, and an item browser with
    the clips.

    \b
    Examples:
      audiocontrib report
      audiocontrib report --run runs/demo --split fdr --out demo.html
    """
    from audiocontrib.report.page import report

    path = report(chosen_run(folder, audio_root=audio_root), out=out, split=split, items=items)
    say(f"{path.stat().st_size / 1e6:.1f} MB")
    put(str(path))
