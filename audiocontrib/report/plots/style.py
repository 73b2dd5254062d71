"""What all figures share: colours (Okabe and Ito's, colour-blind safe), empty panels, and the order of conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, PINK = "#0072B2", "#E69F00", "#009E73", "#7F7F7F", "#CC79A7"
INK = "#111111"
"""Text on a coloured ground, which stays dark on a dark page."""
COLOURS = (BLUE, GREY, ORANGE, GREEN, PINK)


def one_panel(width: float, height: float = 4.4) -> tuple[Figure, Axes]:
    """An empty figure with one panel; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def panels(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    """An empty figure with a grid of panels, none of them shown yet."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.5 * columns + 0.5, 2.5 * rows + 0.6), layout="constrained")
    grid = list(np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel())
    for axes in grid:
        axes.set_visible(False)
    return figure, grid


def conditions_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    """The conditions of the rows: the audio first, then by name."""
    return sorted({row["condition"] for row in rows}, key=lambda name: (name != "audio", name))
