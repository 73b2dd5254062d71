"""What was asked while a model was trained: its answers, and what the audio adds, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audiocontrib.report.plots.style import BLUE, GREEN, GREY, INK, ORANGE, PINK, keys_above

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ANSWERS = (("accuracy", "audio", BLUE, "o-"), ("accuracy", "silence", GREY, "s-"), ("accuracy", "text", ORANGE, "^-"),
           ("abstained", "silence", PINK, "x:"))  # fmt: skip
ADDS = (("gain", BLUE, "o-", "A - S"), ("relative_gain", GREEN, "D--", "(A - S) / (1 - S)"))
NAMES = {"accuracy": "right: {}", "abstained": "abstained: {}"}
MOST_MARKS = 60
"""Steps beyond which points are lines alone."""


def watched_curve(table: pa.Table, part: str = "all", best: int | None = None, without: str = "silence") -> Figure:
    """Answers to watched items above, what the audio adds over a condition below, with 95 % intervals as bands.

    Args:
        table: of :data:`audiocontrib.training.watch.table.WATCHED_SCHEMA`.
        part: of the split, or ``all``.
        best: a step to mark.
        without: the condition.
    """
    from matplotlib.figure import Figure

    rows = [row for row in table.to_pylist() if row["part"] == part]
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for measure, condition, colour, style in ANSWERS:
        own = [row for row in rows if (row["measure"], row["condition"]) == (measure, condition)]
        if measure == "accuracy" or any(row["value"] for row in own):
            _line(above, own, colour, style, NAMES[measure].format(condition), band=measure == "accuracy")
    chances = [row["chance"] for row in rows if row["chance"] is not None]
    if chances:
        above.axhline(float(np.mean(chances)), color="black", linewidth=1, linestyle=":", label="guessing")
    for measure, colour, style, name in ADDS:
        own = [row for row in rows if (row["measure"], row["condition"]) == (measure, without)]
        _line(below, own, colour, style, name, band=True)
    below.axhline(0, color=INK, linewidth=0.8)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
        if best is not None:
            axes.axvline(best, color=INK, linewidth=0.8, linestyle="-.", label="best" if axes is above else None)
    above.set_ylim(-0.02, 1.02)
    most = max((row["n"] or 0 for row in rows), default=0)
    above.set_ylabel(f"share of {most:,} watched items", fontsize=8)
    below.set_ylabel(f"the audio adds (over {without})", fontsize=8)
    below.set_xlabel("optimiser steps")
    below.legend(frameon=False, fontsize=8, ncols=2)
    keys_above(figure, above, 6)
    return figure


def _line(axes: Axes, rows: list[dict[str, Any]], colour: str, style: str, label: str, *, band: bool) -> None:
    step, value, low, high = (
        np.array([row[name] if row[name] is not None else np.nan for row in rows], float)
        for name in ("step", "value", "low", "high")
    )
    mark, line = (style[0], style[1:]) if len(rows) <= MOST_MARKS else ("", style[1:])
    axes.plot(step, value, marker=mark, linestyle=line, color=colour, markersize=4, linewidth=1.4, label=label)
    if band:
        axes.fill_between(step, low, high, color=colour, alpha=0.13, linewidth=0)
