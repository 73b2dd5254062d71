"""Accuracy of models by condition and by group, and how well their confidence foretells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocontrib.report.plots.style import (
    COLOURS,
    GREY,
    HATCHES,
    MARKS,
    MOST_LINES,
    WIDE,
    conditions_of,
    keys_above,
    legend_height,
    name_axes,
    name_legend,
    one_panel,
    panels,
    short_names,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


MOST_BARS = 24
"""So many bars stand side by side; more models or conditions are points, a row for each model."""


def accuracy_by_condition(table: pa.Table) -> Figure:
    """Accuracy per model and condition, with 95 % intervals, and chance as a line: bars, or points where they are many.

    What was abstained is stacked on the bars, pale and hatched; from a point a dotted line goes on by it.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy`.
    """
    rows = table.to_pylist()
    names = short_names(sorted({row["model"] for row in rows}))
    conditions = conditions_of(rows)
    if len(names) * len(conditions) <= MOST_BARS:
        figure = _bars(rows, names, conditions)
    else:
        figure = _points(rows, [(name, short) for name, short in names.items()], "model", legend_height(names, WIDE))
    figure.axes[0].set_title(
        f"Accuracy by condition, n = {max(row['n'] for row in rows):,} items, 95 % intervals by clip", fontsize=10
    )
    name_legend(figure, names)
    return figure


def _bars(rows: list[dict[str, Any]], names: Mapping[str, str], conditions: list[str]) -> Figure:
    models = list(names)
    room = max(4.6, 1.6 + 2.2 * len(models))
    figure, axes = one_panel(width=room, height=4.4 + legend_height(names, room))
    width = 0.8 / len(conditions)
    for place, name in enumerate(conditions):
        found = {row["model"]: row for row in rows if row["condition"] == name}
        at = [i + (place - (len(conditions) - 1) / 2) * width for i, m in enumerate(models) if m in found]
        own = [found[m] for m in models if m in found]
        heights = [row["accuracy"] for row in own]
        axes.bar(at, heights, width * 0.92, color=COLOURS[place % len(COLOURS)], hatch=HATCHES[place % len(HATCHES)],
                 edgecolor="white", linewidth=0, label=name, yerr=_spread(own), ecolor="black", capsize=3)  # fmt: skip
        declined = [row.get("abstained", 0) / row["n"] for row in own]
        if any(declined):
            label = None if any("abstained" in str(one.get_label()) for one in axes.containers) else "abstained"
            axes.bar(at, declined, width * 0.92, bottom=heights, color="white", edgecolor=GREY, hatch="\\\\\\",
                     linewidth=0, label=label)  # fmt: skip
    chance = float(np.mean([row["chance"] for row in rows]))
    axes.axhline(chance, color="black", linewidth=1, linestyle="--", label=f"chance ({chance:.0%})")
    axes.set_xticks(range(len(models)), list(names.values()))
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy (share of items)")
    keys_above(figure, axes)
    return figure


def _points(rows: list[dict[str, Any]], at: list[tuple[Any, str]], by: str, more: float) -> Figure:
    """A row for each value of the column ``by`` (the last on top), a point for each condition."""
    conditions, places = conditions_of(rows), {value: place for place, (value, _) in enumerate(reversed(at))}
    row_height = max(0.36, 0.09 * len(conditions) + 0.08)
    figure, axes = one_panel(width=WIDE, height=1.4 + row_height * len(at) + more)
    dotted = False
    for place, name in enumerate(conditions):
        found = [row for row in rows if row["condition"] == name and row[by] in places]
        shift = 0.7 / len(conditions) * ((len(conditions) - 1) / 2 - place)
        y = [places[row[by]] + shift for row in found]
        axes.errorbar(
            [row["accuracy"] for row in found], y, xerr=_spread(found), fmt=MARKS[place % len(MARKS)], markersize=4,
            capsize=2, linewidth=1.2, color=COLOURS[place % len(COLOURS)], label=name,
        )  # fmt: skip
        for row, height in zip(found, y, strict=True):
            if row.get("abstained"):
                reach = row["accuracy"] + row["abstained"] / row["n"]
                axes.plot([row["accuracy"], reach], [height, height], ":", color=GREY, linewidth=1.5, zorder=1,
                          label=None if dotted else "abstained")  # fmt: skip
                dotted = True
    chance = {row[by]: row["chance"] for row in rows if row[by] in places}
    axes.plot(list(chance.values()), [places[value] for value in chance], "|", color="black", markersize=14,
              label="chance", zorder=0)  # fmt: skip
    axes.set_yticks(range(len(at)), [label for _, label in reversed(at)])
    axes.set_ylim(-0.6, len(at) - 0.4)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("accuracy (share of items)")
    keys_above(figure, axes, 6)
    return figure


def _spread(rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """How far intervals reach below and above their value, (2, n)."""
    ends = [(row["accuracy"] - interval(row)[0], interval(row)[1] - row["accuracy"]) for row in rows]
    return np.maximum(np.array(ends, float).reshape(-1, 2).T, 0)


def accuracy_by_group(table: pa.Table, by: str) -> Figure:
    """Points of one model's accuracy, a row for each group, with 95 % intervals clustered by clip and chance as a tick.

    A dotted line goes on from a point by the share that was abstained.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy` by one group.
        by: name of that group's column.
    """
    rows = [row for row in table.to_pylist() if row["n"]]
    first = conditions_of(rows)[0]
    best = sorted((row for row in rows if row["condition"] == first), key=lambda row: -row["accuracy"])
    figure = _points(rows, [(row[by], f"{row[by]} ({row['n']})") for row in best], by, 0.0)
    figure.axes[0].set_title("Accuracy by group (items), 95 % intervals by clip", fontsize=10)
    return figure


def interval(row: dict[str, Any]) -> tuple[float, float]:
    """A row's 95 % interval; the value itself, twice, where there are too few items or clips for one.

    Args:
        row: of :func:`audiocontrib.contribution.accuracy`.
    """
    low, high = row["low"], row["high"]
    return (row["accuracy"], row["accuracy"]) if low is None or low != low else (low, high)


def calibration_curve(table: pa.Table) -> Figure:
    """Accuracy against the confidence in the chosen option, a line for each model and a panel for each condition.

    Args:
        table: model, condition, confidence, accuracy, n.
    """
    rows = table.to_pylist()
    conditions = conditions_of(rows)[:3] or ["–"]
    names = short_names(sorted({row["model"] for row in rows}))
    many = len(names) > MOST_LINES  # a panel for each model then, and a line for each condition
    across, lines = (list(names), conditions) if many else (conditions, list(names))
    height = legend_height(names, 2.5 * min(4, len(across)) + 0.5)
    figure, grid = panels(len(across), more=0.4 + height)
    for axes, panel in zip(grid, across, strict=False):
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        for place, line in enumerate(lines):
            model, condition = (panel, line) if many else (line, panel)
            found = [row for row in rows if row["condition"] == condition and row["model"] == model]
            x, y = ([row[name] for row in found] for name in ("confidence", "accuracy"))
            colour, dash = COLOURS[place % len(COLOURS)], ("-", "--", "-.", ":")[place % 4]
            axes.plot(x, y, dash, linewidth=1, color=colour, label=line if many else names[line])
            # a bin of few answers is a small point: its place is mostly luck
            most = max((row["n"] for row in found), default=1)
            axes.scatter(x, y, [4 + 60 * row["n"] / most for row in found], color=colour, alpha=0.6, linewidths=0,
                         marker=MARKS[place % len(MARKS)])  # fmt: skip
        shown = (row for row in rows if row["condition"] in conditions)
        n = sum(row["n"] for row in shown if row["model" if many else "condition"] == panel)
        axes.set_title(f"{names.get(panel, panel)}, n = {n:,} answers", fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_visible(True)
    name_axes(grid, "posterior of the chosen option", "accuracy (share of answers)")
    keys_above(figure, grid[0], 3)
    name_legend(figure, names)
    return figure
