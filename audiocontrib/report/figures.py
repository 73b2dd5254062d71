"""The figures of a report, by name: what each shows, and how it is drawn from the facts of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.arrow import texts
from audiocontrib.checked import as_path
from audiocontrib.conditions import find_condition
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.registry import Registry
from audiocontrib.report import plots
from audiocontrib.report.run_summary import Facts, gather
from audiocontrib.store.files import make_folder, replacing
from audiocontrib.store.runs import as_run
from audiocontrib.training.watch.shown import open_watched

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from audiocontrib.store import Run

Draw = Callable[[Facts], "Figure | None"]
ENDINGS = ("pdf", "png", "svg")
STYLE: Any = {
    "svg.fonttype": "none",  # texts stay texts
    "pdf.fonttype": 42,
    "svg.hashsalt": "audiocontrib",  # the same figure is the same file
    "text.parse_math": False,  # a $ in a name is a $
    "font.family": "sans-serif",
}
"""matplotlib's settings, wherever a figure is written."""


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure of a report."""

    about: str
    """What it shows, in a line."""
    needs: str
    """What a run has to hold for it."""
    draw: Draw
    """None where the run has nothing to show in it."""


FIGURES: Registry[ReportFigure] = Registry("figure")


def figure(name: str, about: str, needs: str) -> Callable[[Draw], Draw]:
    """Decorator that files a function of a run's facts as a figure of the report."""

    def file(draw: Draw) -> Draw:
        FIGURES.register(name)(ReportFigure(about, needs, draw))
        return draw

    return file


@figure("accuracy", "accuracy by model and condition, with intervals", "answers to items with a gold")
def _accuracy(facts: Facts) -> Figure | None:
    scored = _main_conditions(facts.accuracy.filter(facts.accuracy["accuracy"].is_valid()))  # no gold: no accuracy
    return plots.accuracy_by_condition(scored) if len(scored) else None


def _main_conditions(table: pa.Table) -> pa.Table:
    """The rows without doses, conflicts and controls, which have figures of their own; all if there are no others."""
    found = [find_condition(name) for name in texts(table["condition"])]
    main = [one is None or not (one.control or one.dose is not None) for one in found]
    return table.filter(pa.array(main)) if any(main) else table


@figure("map", "contribution map: p(gold) with the audio and without it", "likelihoods with the audio and without it")
def _map(facts: Facts) -> Figure | None:
    return plots.contribution_map(facts.scores, without=facts.condition) if facts.condition and _on_map(facts) else None


@figure("types", "the contribution map by question type", "likelihoods with the audio and without it")
def _types(facts: Facts) -> Figure | None:
    return plots.contribution_by_type(facts.scores, facts.condition) if facts.condition and _on_map(facts) else None


def _on_map(facts: Facts) -> bool:
    return bool(plots.placed(facts.scores, facts.condition or "").any())


@figure("dose-mask", "accuracy by how much of the clip is masked", "answers under mask:P")
def _dose_mask(facts: Facts) -> Figure | None:
    return _dose(facts, "mask")


@figure("dose-snr", "accuracy by how loud a noise is", "answers under snr:D")
def _dose_snr(facts: Facts) -> Figure | None:
    return _dose(facts, "snr")


def _dose(facts: Facts, scale: str) -> Figure | None:
    return plots.dose_curve(facts.doses, scale) if scale in facts.doses["scale"].to_pylist() else None


@figure("conflict", "which answers follow the clip, and which the text", "answers under conflict")
def _conflict(facts: Facts) -> Figure | None:
    return plots.conflict_shares(facts.conflict) if any(facts.conflict["n"].to_pylist()) else None


@figure("sizes", "how large the parts of each split are", "a split")
def _sizes(facts: Facts) -> Figure | None:
    return plots.split_sizes({one.name: one.sizes for one in facts.splits}) if facts.splits else None


@figure("thresholds", "the parts of a split at other thresholds", "a split whose answers are there")
def _thresholds(facts: Facts) -> Figure | None:
    return plots.threshold_curve(facts.sensitivity) if facts.sensitivity is not None else None


@figure("agreement", "how far models choose the same wrong options", "two models under a condition without the audio")
def _agreement(facts: Facts) -> Figure | None:
    return plots.agreement_matrix(facts.agreement) if len(facts.agreement) else None


@figure("calibration", "accuracy by confidence", "likelihoods")
def _calibration(facts: Facts) -> Figure | None:
    return plots.calibration_curve(_main_conditions(facts.calibration)) if len(facts.calibration) else None


def figures(facts: Facts) -> dict[str, Figure]:
    """Those figures that a run has something to show in."""
    drawn = {name: one.draw(facts) for name, one in FIGURES.items()}
    return {name: made for name, made in drawn.items() if made is not None}


def plot(run: Run, name: str, /, *, out: str | os.PathLike[str], split: str | None = None) -> Path:
    """Write one figure of a run's report into a file.

    Args:
        run: a run.
        name: of the figure, in FIGURES.
        out: the file; its ending says what it is: pdf, png or svg.
        split: the split that ``thresholds`` is about; None: the one that was saved last.

    Returns:
        Where it is.

    Raises:
        UsageError: no such figure, ending or split.
        AudiocontribError: the run has nothing to show in it, or the file cannot be written.

    Example:
        >>> ac.plot(ac.open_run("runs/demo"), "map", out="map.pdf")
    """
    as_run(run)
    chosen, path = FIGURES.find(name), _figure_path(out)
    made = chosen.draw(gather(run, split))
    if made is None:
        raise AudiocontribError(f"{run.path} has nothing to show in the figure {name}: it needs {chosen.needs}")
    return _written(made, path)


def plot_training(folder: str | os.PathLike[str], /, *, out: str | os.PathLike[str], part: str = "all") -> Path:
    """Write the curve of a watched training into a file: its answers, and what the audio adds, step by step.

    Args:
        folder: of the training.
        out: the file; its ending says what it is: pdf, png or svg.
        part: of the split, or ``all``.

    Raises:
        UsageError: nothing was watched there, there is no such part, or no such ending.
        AudiocontribError: a file is damaged or cannot be written.
    """
    path, seen = _figure_path(out), open_watched(as_path(folder, "folder"))
    there = sorted(set(texts(seen.table["part"])))
    if part not in there:
        raise UsageError(f"no part is called {part!r:.80}; there are: {', '.join(there)}", argument="part")
    return _written(plots.watched_curve(seen.table, part, seen.best, seen.without), path)


def _figure_path(out: str | os.PathLike[str]) -> Path:
    path = as_path(out, "out")
    if path.suffix.lower().removeprefix(".") not in ENDINGS:
        raise UsageError(f"{path}: a figure is written as {', '.join(f'.{one}' for one in ENDINGS)}", argument="out")
    return path


def _written(made: Figure, path: Path) -> Path:
    import matplotlib as mpl

    ending = path.suffix.lower().removeprefix(".")
    make_folder(path.parent)
    dated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}, "png": {}}[ending]
    with mpl.rc_context(STYLE), replacing(path) as file:
        made.savefig(file, format=ending, dpi=200, metadata=dated)
    return path
