"""`audiocontrib plot`: one figure of a run's report, for a paper."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_option, say


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file: its ending is .pdf, .svg or .png."
)
@run_option
@click.option("--split", help="The split that `thresholds` is about.  [default: the one saved last]")
def command(name: str, out: Path, folder: Path | None, split: str | None) -> None:
    """Write one figure of a run's report into a file: vector graphics for papers, or a picture.

    Texts stay texts in PDF and SVG. Long or many names of models are M1, M2, …, with a legend below.

    \b
    Figures:
      accuracy     accuracy by model and condition, with intervals
      map          contribution map: p(gold) with the audio and without it
      types        the contribution map by question type
      dose-mask    accuracy by how much of the clip is masked
      dose-snr     accuracy by how loud a noise is
      conflict     which answers follow the clip, and which the text
      sizes        how large the parts of each split are
      thresholds   the parts of a split at other thresholds
      agreement    how far models choose the same wrong options
      calibration  accuracy by confidence

    \b
    Examples:
      audiocontrib plot accuracy --out accuracy.pdf
      audiocontrib plot map --run runs/demo --out map.svg
    """
    from audiocontrib.report.figures import plot

    say(f"written: {plot(chosen_run(folder), name, out=out, split=split)}")
