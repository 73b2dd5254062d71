"""Plots: each takes a table and gives a matplotlib Figure. Colours are Okabe and Ito's (colour-blind safe)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, PINK = "#0072B2", "#E69F00", "#009E73", "#7F7F7F", "#CC79A7"
COLOURS = (BLUE, GREY, ORANGE, GREEN, PINK)


def accuracy_by_condition(table: pa.Table) -> Figure:
    """Bars of accuracy per model, one per condition, with 95 % intervals, and chance as a line.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy`.
    """
    rows = table.to_pylist()
    models = sorted({row["model"] for row in rows})
    conditions = _first_seen(row["condition"] for row in sorted(rows, key=_condition_rank))
    figure, axes = _figure(width=1.6 + 2.2 * len(models))
    width = 0.8 / len(conditions)
    for place, name in enumerate(conditions):
        found = {row["model"]: row for row in rows if row["condition"] == name}
        at = [i + (place - (len(conditions) - 1) / 2) * width for i, m in enumerate(models) if m in found]
        heights = [found[m]["accuracy"] for m in models if m in found]
        spread = [
            [found[m]["accuracy"] - found[m]["low"] for m in models if m in found],
            [found[m]["high"] - found[m]["accuracy"] for m in models if m in found],
        ]
        axes.bar(at, heights, width * 0.92, color=COLOURS[place % len(COLOURS)], label=name, yerr=spread, capsize=3)
    chance = float(np.mean([row["chance"] for row in rows]))
    axes.axhline(chance, color="black", linewidth=1, linestyle="--", label=f"chance ({chance:.2f})")
    axes.set_xticks(range(len(models)), models)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy (share of items)")
    axes.set_title(f"Accuracy by condition, n = {max(row['n'] for row in rows)} items, 95 % intervals")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=len(conditions) + 1, frameon=False)
    return figure


def contribution_map(table: pa.Table, truth: Sequence[bool] | None = None) -> Figure:
    """Each item by p(gold) with audio against p(gold) under silence (after dataset cartography).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions`.
        truth: per row, whether the audio is needed, where that is known: colours the points.
    """
    x = np.array(table["p_silence"].to_pylist(), dtype=float)
    y = np.array(table["p_audio"].to_pylist(), dtype=float)
    figure, axes = _figure(width=6.2)
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
    axes.set_xlabel("mean p(gold) under silence")
    axes.set_ylabel("mean p(gold) with audio")
    shown = int(np.isfinite(x + y).sum())
    axes.set_title(f"Contribution map, n = {shown} items")
    axes.text(0.01, 0.93, "the audio decides", va="top", fontsize=8, color=GREY)
    axes.text(0.99, 0.93, "answerable anyway", va="top", ha="right", fontsize=8, color=GREY)
    return figure


def _figure(width: float, height: float = 4.4) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _condition_rank(row: dict[str, Any]) -> tuple[bool, str]:
    return row["condition"] != "audio", row["condition"]


def _first_seen(values: Any) -> list[str]:
    return list(dict.fromkeys(values))
