"""The contribution map: items by p(gold) with the audio and without it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.report.plots.style import BLUE, name_axes, panels

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


BINS = 25
"""Of a side of the map."""
TICKS = (0, 0.5, 1)


def contribution_map(table: pa.Table, truth: Sequence[bool] | None = None, without: str = "silence") -> Figure:
    """Items by p(gold) with audio against p(gold) without (after dataset cartography): how many lie where.

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions`.
        truth: per row, whether the audio is needed, where that is known: a panel for those, and one for the others.
        without: ``silence`` or ``text``.
    """
    x, y = _places(table, without)
    there = np.isfinite(x + y)
    parts = [("", there)]
    if truth is not None:
        needs = np.array(truth, dtype=bool)
        parts = [("audio needed, ", there & needs), ("text betrays the answer, ", there & ~needs)]
    figure, grid = panels(len(parts))
    figure.set_size_inches((5.6, 4.6) if truth is None else (8.2, 4.0))
    _densities(figure, grid, [(f"{name}n = {own.sum():,} items", x[own], y[own]) for name, own in parts], without)
    for axes, _ in zip(grid, parts, strict=False):  # off the edges, where most items lie
        axes.text(0.06, 0.9, "the audio decides", va="top", fontsize=8, style="italic")
        axes.text(0.94, 0.08, "the audio misleads", ha="right", fontsize=8, style="italic")
    return figure


def contribution_by_type(table: pa.Table, without: str = "silence") -> Figure:
    """The contribution map, one panel for each question type (the eight largest).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions` with a column ``question_type``.
        without: ``silence`` or ``text``.
    """
    x, y = _places(table, without)
    there = np.isfinite(x + y)
    kinds = np.array([kind or "" for kind in table["question_type"].to_pylist()], dtype=object)
    names, counts = np.unique(kinds[there].astype(str), return_counts=True)
    shown = list(names[np.argsort(-counts, kind="stable")][:8]) or [""]
    figure, grid = panels(len(shown))
    owns = [there & (kinds == name) for name in shown]
    titles = [fill(f"{name or '–'}, n = {own.sum():,}", 30) for name, own in zip(shown, owns, strict=True)]
    told = [(title, x[own], y[own]) for title, own in zip(titles, owns, strict=True)]
    _densities(figure, grid, told, without)
    return figure


def _densities(figure: Figure, grid: Sequence[Axes], parts: Sequence[tuple[str, Floats, Floats]], without: str) -> None:
    """A panel for each part: its title, and of its items the places without the audio and with it."""
    from matplotlib.colors import LinearSegmentedColormap, LogNorm
    from matplotlib.ticker import LogLocator, NullLocator

    # from pale to full, and nothing where there is nothing: it reads on light and dark paper, and in grey
    depth = LinearSegmentedColormap.from_list("depth", [(*_rgb(BLUE), 0.35), (*_rgb(BLUE), 1.0)])
    counts = [np.histogram2d(x, y, bins=BINS, range=[[0, 1], [0, 1]])[0].T for _, x, y in parts]
    # the log of the counts: most items lie in the corners, and the few elsewhere are what one looks for
    scale = LogNorm(1, max(2, *(count.max(initial=0) for count in counts)))
    for axes, (title, *_), count in zip(grid, parts, counts, strict=False):
        image = axes.imshow(
            np.ma.masked_equal(count, 0), cmap=depth, norm=scale, origin="lower", extent=(0, 1, 0, 1),
            interpolation="nearest",
        )  # fmt: skip
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        axes.set_title(title, fontsize=9)
        axes.set_xticks(TICKS)
        axes.set_yticks(TICKS)
        axes.set_visible(True)
    shown = [axes for axes in grid if axes.get_visible()]
    bar = figure.colorbar(image, ax=shown, shrink=0.8, aspect=30, pad=0.02, format="{x:,.0f}",
                          ticks=LogLocator(subs=(1, 2, 5)))  # fmt: skip
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.set_label("items", fontsize=9)
    name_axes(grid, f"mean p(gold) {_under(without)}", "mean p(gold) with audio")


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)


def placed(table: pa.Table, without: str = "silence") -> NDArray[np.bool_]:
    """Which items have a place on the contribution map; the arguments are its own."""
    return np.isfinite(np.add(*_places(table, without)))


def _places(table: pa.Table, without: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """p(gold) without the audio and with it; NaN where it is not known."""
    named = f"p_{without}" if f"p_{without}" in table.column_names else "p_condition"
    x, y = (table[name].to_numpy().astype(np.float64) for name in (named, "p_audio"))
    return x, y


def _under(without: str) -> str:
    return "from the text alone" if without == "text" else f"under {without}"
