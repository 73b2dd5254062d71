"""`audiocontrib plot`: one figure of a run's report, for a paper."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, run_option, say
from audiocontrib.errors import UsageError

WATCHED = "watched"
"""The figure that is of a training, and not of a run."""


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The file: its ending is .pdf, .svg or .png."
)
@run_option
@click.option("--split", help="The split that `thresholds` is about.  [default: the one saved last]")
@click.option("--training", type=click.Path(path_type=Path), help="The folder of the training that `watched` is about.")
@click.option("--part", help="Of the split, of `watched`: all, weak, strong or undecided.  [default: all]")
def command(
    name: str, out: Path, folder: Path | None, split: str | None, training: Path | None, part: str | None
) -> None:
    """Write one figure of a run's report, or of a training, into a file: vector graphics for papers, or a picture.

    Texts stay texts in PDF and SVG. Long or many names of models are M1, M2, …, with a legend below. The figure
    `watched` is of a training (--training): its answers to watched items, and what the audio adds, step by step.

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
      audiocontrib plot watched --training trained/watched/sft --out watched.svg
    """
    from audiocontrib.report.figures import plot, plot_training

    if (name == WATCHED) is not bool(training):
        raise UsageError("the figure watched is of a training, and no other is: name its folder with --training")
    if training:
        if folder or split:
            raise UsageError("the figure watched is of a training: leave --run and --split out")
        say(f"written: {plot_training(training, out=out, part=part or 'all')}")
        return
    if part:
        raise UsageError("--part belongs to the figure watched")
    say(f"written: {plot(chosen_run(folder), name, out=out, split=split)}")
