"""How much must be heard, and what is followed where clip and text disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiocontrib.number_text import percent
from audiocontrib.report.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    INK,
    MARKS,
    MOST_LINES,
    ORANGE,
    PINK,
    WIDE,
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

AXES = {"mask": "share of the clip that is masked (%)", "snr": "noise below the clip (dB)"}


def dose_curve(table: pa.Table, scale: str = "mask") -> Figure:
    """Accuracy against the dose, a line for each model and data set, with 95 % intervals; dashed: with another clip.

    Args:
        table: of :func:`audiocontrib.contribution.dose_response.dose_response`.
        scale: ``mask`` or ``snr``.
    """
    rows = [row for row in table.to_pylist() if row["scale"] == scale]
    lines = list(dict.fromkeys((row["dataset"], row["model"]) for row in rows))
    names, several = short_names(sorted({model for _, model in lines})), len({dataset for dataset, _ in lines}) > 1
    amounts = sorted({row["dose"] for row in rows if row["dose"] is not None}, reverse=scale == "snr")
    ticks = [None] * any(row["dose"] is None for row in rows) + amounts  # no noise stands first, a step away
    many = len(lines) > MOST_LINES  # a panel for each line then
    if many:
        figure, grid = panels(len(lines), more=0.4 + legend_height(names, 10.5))
    else:
        figure, axes = one_panel(width=WIDE, height=3.9 + legend_height(names, WIDE))
        grid = [axes] * len(lines)
    for place, (axes, line) in enumerate(zip(grid, lines, strict=False)):
        own = [row for row in rows if (row["dataset"], row["model"]) == line]
        label = names[line[1]] + (f" ({line[0]})" if several else "") + f", n = {own[0]['n']:,}"
        colour, mark = (BLUE, "o") if many else (COLOURS[place % len(COLOURS)], MARKS[place % len(MARKS)])
        at = np.array([ticks.index(row["dose"]) if scale == "snr" else row["dose"] for row in own], float)
        value, low, high = (np.array([row[name] for row in own], float) for name in ("accuracy", "low", "high"))
        spread = np.nan_to_num([value - low, high - value]).clip(0)
        axes.errorbar(at, value, yerr=spread, fmt=f"{mark}-", color=colour, capsize=3, markersize=4,
                      label="own clip" if many else label)  # fmt: skip
        luck = [(x, row["by_luck"]) for x, row in zip(at, own, strict=True) if row["by_luck"] is not None]
        if luck:
            told = many or not any(one.get_label() == "with another clip" for one in axes.lines)
            axes.plot(*zip(*luck, strict=True), "--", color=colour, linewidth=1,
                      label="with another clip" if told else None)  # fmt: skip
        if many:
            axes.set_title(label, fontsize=9)
    for axes in dict.fromkeys(grid[: len(lines)]):
        axes.axhline(np.mean([row["chance"] for row in rows]), color="black", linewidth=1, linestyle=":",
                     label="chance")  # fmt: skip
        if scale == "snr":
            axes.set_xticks(range(len(ticks)), ["none" if tick is None else f"{tick:g}" for tick in ticks])
        axes.set_ylim(0, 1.02)
        axes.set_visible(True)
    name_axes(grid[:1] if not many else grid, AXES[scale], "accuracy (share of items)")
    keys_above(figure, grid[0], 3)
    name_legend(figure, names)
    return figure


def conflict_shares(table: pa.Table) -> Figure:
    """Where clip and text say different options: the shares that follow each, a bar for each model and data set.

    Args:
        table: of :func:`audiocontrib.contribution.conflicts.conflicts`.
    """
    rows = [row for row in table.to_pylist() if row["n"]][::-1]
    short, several = short_names(sorted({row["model"] for row in rows})), len({row["dataset"] for row in rows}) > 1
    figure, axes = one_panel(width=WIDE, height=1.4 + 0.42 * len(rows) + legend_height(short, WIDE))
    names = [short[row["model"]] + (f" ({row['dataset']})" if several else "") + f", n = {row['n']:,}" for row in rows]
    start = np.zeros(len(rows))
    for part, colour, hatch in (("ear", BLUE, ""), ("text", ORANGE, "//"), ("neither", GREY, ".."),
                                ("abstained", PINK, "xx")):  # fmt: skip
        shares = np.array([row[part] for row in rows])
        bars = axes.barh(names, shares, left=start, color=colour, hatch=hatch, edgecolor="white", label=part)
        labels = [percent(share) if share > 0.04 else "" for share in shares]
        axes.bar_label(bars, labels, label_type="center", fontsize=8,
                       color=INK, bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1})  # fmt: skip
        start += shares
    for place, row in enumerate(rows):
        axes.plot([row["chance"]] * 2, [place - 0.4, place + 0.4], color="black", linewidth=1, linestyle=":")
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("share of the answers that follow the clip, the text, or neither (dotted: guessing)")
    keys_above(figure, axes)
    name_legend(figure, short)
    return figure
