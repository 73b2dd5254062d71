"""The contribution map: items by p(gold) with the audio and without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.report.plots.style import BLUE, GREY, ORANGE, one_panel, panels

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


def contribution_map(table: pa.Table, truth: Sequence[bool] | None = None, without: str = "silence") -> Figure:
    """Each item by p(gold) with audio against p(gold) without (after dataset cartography).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions`.
        truth: per row, whether the audio is needed, where that is known: colours the points.
        without: ``silence`` or ``text``.
    """
    x, y = _places(table, without)
    figure, axes = one_panel(width=6.2)
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
    if truth is None:
        axes.scatter(x, y, s=16, alpha=0.6, color=BLUE, linewidths=0)
    else:
        needs = np.array(truth, dtype=bool)
        for mask, colour, mark, label in (
            (needs, BLUE, "o", "audio needed"),
            (~needs, ORANGE, "^", "text betrays the answer"),
        ):
            axes.scatter(x[mask], y[mask], s=18, alpha=0.6, color=colour, marker=mark, linewidths=0, label=label)
        axes.legend(loc="lower right", frameon=False)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel(f"mean p(gold) {_under(without)}")
    axes.set_ylabel("mean p(gold) with audio")
    axes.set_title(f"Contribution map, n = {placed(table, without).sum():,} items")
    axes.text(0.01, 0.93, "the audio decides", va="top", fontsize=8, color=GREY)
    axes.text(0.99, 0.93, "answerable anyway", va="top", ha="right", fontsize=8, color=GREY)
    return figure


def contribution_by_type(table: pa.Table, without: str = "silence") -> Figure:
    """The contribution map as density, one panel for each question type (the eight largest).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions` with a column ``question_type``.
        without: ``silence`` or ``text``.
    """
    from matplotlib.colors import to_rgb

    x, y = _places(table, without)
    there = np.isfinite(x + y)
    kinds = np.array([kind or "" for kind in table["question_type"].to_pylist()], dtype=object)
    names, counts = np.unique(kinds[there].astype(str), return_counts=True)
    shown = list(names[np.argsort(-counts, kind="stable")][:8]) or [""]
    columns = min(4, len(shown))
    figure, grid = panels(-(-len(shown) // columns), columns)
    for axes, name in zip(grid, shown, strict=False):
        own = there & (kinds == name)
        share, _, _ = np.histogram2d(x[own], y[own], bins=20, range=[[0, 1], [0, 1]])
        # root: most items lie in the corners, and the few elsewhere are what one looks for
        # transparent where there is nothing, so that it reads on light and dark paper alike
        depth = np.sqrt(share.T / max(share.max(), 1))
        image = np.dstack(
            [*(np.full_like(depth, part) for part in to_rgb(BLUE)), np.where(depth, 0.2 + 0.8 * depth, 0)]
        )
        axes.imshow(image, origin="lower", extent=(0, 1, 0, 1), interpolation="nearest")
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        axes.set_title(f"{name or '–'}, n = {own.sum():,}", fontsize=9)
        axes.set_visible(True)
    figure.supxlabel(f"mean p(gold) {_under(without)}", fontsize=9)
    figure.supylabel("mean p(gold) with audio", fontsize=9)
    return figure


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
