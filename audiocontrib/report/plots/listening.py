"""How much must be heard, and what is followed where clip and text disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiocontrib.report.plots.style import BLUE, COLOURS, GREY, INK, ORANGE, PINK, one_panel

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

AXES = {"mask": "share of the clip that is masked (%)", "snr": "noise below the clip (dB)"}
MARKS = "osD^v"


def dose_curve(table: pa.Table, scale: str = "mask") -> Figure:
    """Accuracy against the dose, a line for each model and data set, with 95 % intervals; dashed: with another clip.

    Args:
        table: of :func:`audiocontrib.contribution.dose_response.dose_response`.
        scale: ``mask`` or ``snr``.
    """
    rows = [row for row in table.to_pylist() if row["scale"] == scale]
    lines = list(dict.fromkeys((row["dataset"], row["model"]) for row in rows))
    amounts = sorted({row["dose"] for row in rows if row["dose"] is not None}, reverse=scale == "snr")
    ticks = [None] * any(row["dose"] is None for row in rows) + amounts  # no noise stands first, a step away
    figure, axes = one_panel(width=6.6, height=3.9)
    for place, line in enumerate(lines):
        own = [row for row in rows if (row["dataset"], row["model"]) == line]
        at = np.array([ticks.index(row["dose"]) if scale == "snr" else row["dose"] for row in own], float)
        value, low, high = (np.array([row[name] for row in own], float) for name in ("accuracy", "low", "high"))
        colour = COLOURS[place % len(COLOURS)]
        spread = np.nan_to_num([value - low, high - value]).clip(0)
        label = f"{line[1]} ({line[0]}, n = {own[0]['n']:,})"
        axes.errorbar(at, value, yerr=spread, fmt=f"{MARKS[place % len(MARKS)]}-", color=colour, capsize=3, label=label)
        luck = [(x, row["by_luck"]) for x, row in zip(at, own, strict=True) if row["by_luck"] is not None]
        if luck:
            axes.plot(*zip(*luck, strict=True), "--", color=colour, linewidth=1, label="with another clip")
    axes.axhline(np.mean([row["chance"] for row in rows]), color="black", linewidth=1, linestyle=":", label="chance")
    if scale == "snr":
        axes.set_xticks(range(len(ticks)), ["none" if tick is None else f"{tick:g}" for tick in ticks])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(AXES[scale])
    axes.set_ylabel("accuracy (share of items)")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def conflict_shares(table: pa.Table) -> Figure:
    """Where clip and text say different options: the shares that follow each, a bar for each model and data set.

    Args:
        table: of :func:`audiocontrib.contribution.conflicts.conflicts`.
    """
    rows = [row for row in table.to_pylist() if row["n"]][::-1]
    figure, axes = one_panel(width=6.6, height=1.4 + 0.5 * len(rows))
    names = [f"{row['model']} ({row['dataset']}, n = {row['n']:,})" for row in rows]
    start = np.zeros(len(rows))
    for part, colour, hatch in (("ear", BLUE, ""), ("text", ORANGE, "//"), ("neither", GREY, ".."),
                                ("abstained", PINK, "xx")):  # fmt: skip
        shares = np.array([row[part] for row in rows])
        bars = axes.barh(names, shares, left=start, color=colour, hatch=hatch, edgecolor="white", label=part)
        axes.bar_label(bars, [f"{share:.2f}" if share else "" for share in shares], label_type="center", fontsize=8,
                       color=INK, bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1})  # fmt: skip
        start += shares
    for place, row in enumerate(rows):
        axes.plot([row["chance"]] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1, linestyle=":")
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the answers that follow the clip, the text, or neither (dotted: guessing)")
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure
