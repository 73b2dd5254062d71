"""Splits: how large their parts are, and how they change with the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiocontrib.report.plots.style import BLUE, GREY, INK, ORANGE, one_panel

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


def split_sizes(sizes: dict[str, dict[str, int]]) -> Figure:
    """How many items are strong, weak and undecided, a bar for each split.

    Args:
        sizes: name of the split -> part -> items.
    """
    figure, axes = one_panel(width=6.2, height=1.2 + 0.5 * len(sizes))
    names = list(sizes)[::-1]
    start = np.zeros(len(names))
    for part, colour, hatch in (("strong", BLUE, ""), ("weak", ORANGE, "//"), ("undecided", GREY, "..")):
        counts = np.array([sizes[name].get(part, 0) for name in names], dtype=float)
        bars = axes.barh(names, counts, left=start, color=colour, hatch=hatch, edgecolor="white", label=part)
        labels = [f"{count:,.0f}" if count else "" for count in counts]
        axes.bar_label(bars, labels, label_type="center", fontsize=8, color=INK,
                       bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1})  # fmt: skip
        start += counts
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("items")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def threshold_curve(table: pa.Table) -> Figure:
    """Shares of the items that are weak, strong and undecided at every threshold; a ring is the split as it was made.

    Where it is known, what of the weak part luck explains, and how many are rightly found, with two standard errors.

    Args:
        table: of :func:`audiocontrib.splits.sensitivity.sensitivity`.
    """
    rows = table.to_pylist()
    asked = rows[0]
    told = sorted(
        (row for row in rows if row["n"] and row["varies"] in (None, "threshold")), key=lambda row: row["threshold"]
    )
    figure, axes = one_panel(width=6.2, height=3.6)
    at = [row["threshold"] for row in told]
    for part, colour, mark in (("strong", BLUE, "o-"), ("weak", ORANGE, "s--"), ("undecided", GREY, "^:")):
        shares = [row[part] / row["n"] for row in told]
        if any(shares):
            axes.plot(at, shares, mark, color=colour, markersize=5, label=part)
            axes.plot(asked["threshold"], asked[part] / asked["n"], "o", color="black", fillstyle="none", markersize=11)
    for name, label, mark in (("false_share", "luck's share of weak", "x"), ("found", "rightly weak", "+")):
        known = [row for row in told if row.get(name) is not None]
        if known:
            axes.errorbar(
                [row["threshold"] for row in known], [row[name] for row in known],
                yerr=[2 * (row.get(f"{name}_error") or 0.0) for row in known],
                fmt=mark, color="black", markersize=6, capsize=3, linewidth=1, label=label,
            )  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("threshold of the score")
    axes.set_ylabel("share of the items")
    axes.set_title(f"{asked['variant']} (ringed) and others, n = {asked['n']:,} items", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
