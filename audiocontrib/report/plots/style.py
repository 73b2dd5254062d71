"""What all figures share: colours (Okabe and Ito's, colour-blind safe), empty panels, and the order of conditions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, PINK = "#0072B2", "#E69F00", "#009E73", "#7F7F7F", "#CC79A7"
SKY, RED = "#56B4E9", "#D55E00"
INK = "#111111"
"""Text on a coloured ground, which stays dark on a dark page."""
COLOURS = (BLUE, GREY, ORANGE, GREEN, PINK, SKY, RED)
MARKS = "os^DvP*X"
HATCHES = ("", "//", "..", "xx", "\\\\", "++", "--", "oo")
"""Beside the colour, for who sees no colours and for grey print; one more than there are colours."""
MOST_LINES = 5
"""So many lines are told apart in one panel; more have a panel each."""
LONG_NAME, SIDE_BY_SIDE = 24, 4
"""A name of more characters stands in a legend, and every name where there are more of them than this."""

LETTER, WIDE = 0.053, 7.6
"""Inches of a letter of 7 points, and of a figure whose legend has two columns."""


def short_names(names: Iterable[str]) -> dict[str, str]:
    """What a figure calls models: their names, or M1, M2, … where these are long or many."""
    known = list(dict.fromkeys(names))
    if len(known) <= SIDE_BY_SIDE and all(len(name) <= LONG_NAME for name in known):
        return {name: name for name in known}
    return {name: f"M{number}" for number, name in enumerate(known, 1)}


def _legend_lines(names: Mapping[str, str], width: float) -> tuple[int, list[str]]:
    """Columns of a legend in a figure so wide (inches), and its entries, wrapped."""
    told = [f"{short}  {name}" for name, short in names.items() if short != name]
    columns = 2 if len(told) > 3 and width >= WIDE else 1
    room = int(width / columns / LETTER) - 4
    return columns, ["\n".join(wrap(one, room, subsequent_indent="      ")) for one in told]


def legend_height(names: Mapping[str, str], width: float) -> float:
    """Inches that :func:`name_legend` takes."""
    columns, lines = _legend_lines(names, width)
    return 0.14 * sum(line.count("\n") + 1 for line in lines) / columns + (0.2 if lines else 0)


def name_legend(figure: Figure, names: Mapping[str, str]) -> None:
    """Say below the figure what the short names stand for, where there are any."""
    from matplotlib.lines import Line2D

    columns, lines = _legend_lines(names, figure.get_figwidth())
    if lines:
        handles = [Line2D([], [], linestyle="none") for _ in lines]
        figure.legend(handles, lines, loc="outside lower left", ncols=columns, frameon=False, fontsize=7,
                      handlelength=0, handletextpad=0, borderaxespad=0.2, labelspacing=0.3)  # fmt: skip


def keys_above(figure: Figure, axes: Axes, columns: int = 4) -> None:
    """The legend of a panel, above the figure: what is below it may be names."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(columns, len(labels)), frameon=False,
                  fontsize=8)  # fmt: skip


def one_panel(width: float, height: float = 4.4) -> tuple[Figure, Axes]:
    """An empty figure with one panel; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def panels(count: int, most: int = 4, more: float = 0.0) -> tuple[Figure, list[Axes]]:
    """An empty figure with a grid of panels, none of them shown yet.

    Args:
        count: how many there are.
        most: of them side by side.
        more: inches of height for what stands beside them.
    """
    from matplotlib.figure import Figure

    columns = max(1, min(most, count))
    rows = max(1, -(-count // columns))
    figure = Figure(figsize=(max(2.5 * columns + 0.5, 4.4), 2.5 * rows + 0.6 + more), layout="constrained")
    grid = list(np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel())
    for axes in grid:
        axes.set_visible(False)
    return figure, grid


def name_axes(grid: Sequence[Axes], across: str, up: str) -> None:
    """Say what the axes of shown panels are: below the last of each column, and beside the first of each row."""
    shown = [axes for axes in grid if axes.get_visible()]
    for axes in shown:
        place = axes.get_subplotspec()
        column = place.colspan.start if place else 0
        below = [one for one in shown if (at := one.get_subplotspec()) and at.colspan.start == column]
        if axes is below[-1]:
            axes.set_xlabel(across, fontsize=8)
            axes.tick_params(labelbottom=True)
        if not column:
            axes.set_ylabel(up, fontsize=8)


def conditions_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    """The conditions of the rows: the audio first, then by name."""
    return sorted({row["condition"] for row in rows}, key=lambda name: (name != "audio", name))
