"""Accuracy of models by condition and by group, and how well their confidence foretells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from audiocontrib.report.plots.style import COLOURS, GREY, conditions_of, one_panel, panels

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


def accuracy_by_condition(table: pa.Table) -> Figure:
    """Bars of accuracy per model, one per condition, with 95 % intervals, and chance as a line.

    What was abstained is stacked on them, pale and hatched.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy`.
    """
    rows = table.to_pylist()
    models = sorted({row["model"] for row in rows})
    conditions = conditions_of(rows)
    figure, axes = one_panel(width=1.6 + 2.2 * len(models))
    width = 0.8 / len(conditions)
    for place, name in enumerate(conditions):
        found = {row["model"]: row for row in rows if row["condition"] == name}
        at = [i + (place - (len(conditions) - 1) / 2) * width for i, m in enumerate(models) if m in found]
        heights = [found[m]["accuracy"] for m in models if m in found]
        spread = [
            [found[m]["accuracy"] - interval(found[m])[0] for m in models if m in found],
            [interval(found[m])[1] - found[m]["accuracy"] for m in models if m in found],
        ]
        axes.bar(
            at,
            heights,
            width * 0.92,
            color=COLOURS[place % len(COLOURS)],
            label=name,
            yerr=np.maximum(spread, 0),
            capsize=3,
        )
        declined = [found[m].get("abstained", 0) / found[m]["n"] for m in models if m in found]
        if any(declined):
            label = None if any("abstained" in str(one.get_label()) for one in axes.containers) else "abstained"
            axes.bar(at, declined, width * 0.92, bottom=heights, color="white", edgecolor=GREY, hatch="///",
                     linewidth=0, label=label)  # fmt: skip
    chance = float(np.mean([row["chance"] for row in rows]))
    axes.axhline(chance, color="black", linewidth=1, linestyle="--", label=f"chance ({chance:.2f})")
    axes.set_xticks(range(len(models)), models)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy (share of items)")
    axes.set_title(f"Accuracy by condition, n = {max(row['n'] for row in rows):,} items, 95 % intervals by clip")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=min(6, len(conditions) + 2), frameon=False)
    return figure


def accuracy_by_group(table: pa.Table, by: str) -> Figure:
    """Points of one model's accuracy, a row for each group, with 95 % intervals clustered by clip and chance as a tick.

    A dotted line goes on from a point by the share that was abstained.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy` by one group.
        by: name of that group's column.
    """
    rows = [row for row in table.to_pylist() if row["n"]]
    conditions = conditions_of(rows)
    best = sorted((r for r in rows if r["condition"] == conditions[0]), key=lambda r: r["accuracy"])
    at = {row[by]: place for place, row in enumerate(best)}
    figure, axes = one_panel(width=7, height=1.4 + 0.36 * len(at))
    dotted = False
    for place, name in enumerate(conditions):
        found = [row for row in rows if row["condition"] == name and row[by] in at]
        y = [at[row[by]] + 0.22 * ((len(conditions) - 1) / 2 - place) for row in found]
        spread = [[r["accuracy"] - interval(r)[0] for r in found], [interval(r)[1] - r["accuracy"] for r in found]]
        axes.errorbar(
            [row["accuracy"] for row in found], y, xerr=np.maximum(spread, 0), fmt="o", markersize=4, capsize=2,
            linewidth=1.2, color=COLOURS[place % len(COLOURS)], label=name,
        )  # fmt: skip
        for row, height in zip(found, y, strict=True):
            if row.get("abstained"):
                reach = row["accuracy"] + row["abstained"] / row["n"]
                axes.plot([row["accuracy"], reach], [height, height], ":", color=GREY, linewidth=1.5, zorder=1,
                          label=None if dotted else "abstained")  # fmt: skip
                dotted = True
    axes.plot([r["chance"] for r in best], range(len(at)), "|", color="black", markersize=14, label="chance")
    axes.set_yticks(range(len(at)), [f"{row[by]} ({row['n']})" for row in best])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("accuracy (share of items)")
    axes.set_title("Accuracy by group (items), 95 % intervals by clip", fontsize=10)
    figure.legend(loc="outside lower center", ncols=min(6, len(conditions) + 2), frameon=False)
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
    models = sorted({row["model"] for row in rows})
    figure, grid = panels(1, len(conditions))
    for axes, condition in zip(grid, conditions, strict=False):
        axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle=":")
        for place, model in enumerate(models):
            found = [row for row in rows if row["condition"] == condition and row["model"] == model]
            x, y = ([row[name] for row in found] for name in ("confidence", "accuracy"))
            colour, dash = COLOURS[place % len(COLOURS)], ("-", "--", "-.", ":")[place % 4]
            axes.plot(x, y, dash, linewidth=1, color=colour, label=model)
            # a bin of few answers is a small point: its place is mostly luck
            most = max((row["n"] for row in found), default=1)
            axes.scatter(x, y, [4 + 60 * row["n"] / most for row in found], color=colour, alpha=0.6, linewidths=0)
        n = sum(row["n"] for row in rows if row["condition"] == condition)
        axes.set_title(f"{condition}, n = {n:,} answers", fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_visible(True)
    figure.supxlabel("posterior of the chosen option", fontsize=9)
    figure.supylabel("accuracy (share of answers)", fontsize=9)
    figure.legend(*grid[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return figure
