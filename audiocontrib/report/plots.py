"""Plots: each takes a table and gives a matplotlib Figure. Colours are Okabe and Ito's (colour-blind safe)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, PINK = "#0072B2", "#E69F00", "#009E73", "#7F7F7F", "#CC79A7"
INK = "#111111"
"""Text on a coloured ground, which stays dark on a dark page."""
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
        axes.bar(
            at,
            heights,
            width * 0.92,
            color=COLOURS[place % len(COLOURS)],
            label=name,
            yerr=np.maximum(spread, 0),
            capsize=3,
        )
    chance = float(np.mean([row["chance"] for row in rows]))
    axes.axhline(chance, color="black", linewidth=1, linestyle="--", label=f"chance ({chance:.2f})")
    axes.set_xticks(range(len(models)), models)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("accuracy (share of items)")
    axes.set_title(f"Accuracy by condition, n = {max(row['n'] for row in rows):,} items, 95 % intervals")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=len(conditions) + 1, frameon=False)
    return figure


def interval(row: dict[str, Any]) -> tuple[float, float]:
    """A row's 95 % interval, clustered by clip, within [0, 1]; Wilson's where the other has no width.

    That is where all clips agree, or there is one clip.

    Args:
        row: of :func:`audiocontrib.contribution.accuracy`.
    """
    low, high = row["clip_low"], row["clip_high"]
    return (max(low, 0.0), min(high, 1.0)) if high > low else (row["low"], row["high"])


def accuracy_by_group(table: pa.Table, by: str) -> Figure:
    """Points of one model's accuracy, a row for each group, with 95 % intervals clustered by clip and chance as a tick.

    Args:
        table: rows of :func:`audiocontrib.contribution.accuracy` by one group.
        by: name of that group's column.
    """
    rows = sorted((row for row in table.to_pylist() if row["n"]), key=_condition_rank)
    conditions = _first_seen(row["condition"] for row in rows)
    best = sorted((r for r in rows if r["condition"] == conditions[0]), key=lambda r: r["accuracy"])
    at = {row[by]: place for place, row in enumerate(best)}
    figure, axes = _figure(width=7, height=1.4 + 0.36 * len(at))
    for place, name in enumerate(conditions):
        found = [row for row in rows if row["condition"] == name and row[by] in at]
        y = [at[row[by]] + 0.22 * ((len(conditions) - 1) / 2 - place) for row in found]
        spread = [[r["accuracy"] - interval(r)[0] for r in found], [interval(r)[1] - r["accuracy"] for r in found]]
        axes.errorbar(
            [row["accuracy"] for row in found], y, xerr=np.maximum(spread, 0), fmt="o", markersize=4, capsize=2,
            linewidth=1.2, color=COLOURS[place % len(COLOURS)], label=name,
        )  # fmt: skip
    axes.plot([r["chance"] for r in best], range(len(at)), "|", color="black", markersize=14, label="chance")
    axes.set_yticks(range(len(at)), [f"{row[by]} ({row['n']})" for row in best])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("accuracy (share of items)")
    axes.set_title("Accuracy by group (items), 95 % intervals clustered by clip", fontsize=10)
    figure.legend(loc="outside lower center", ncols=len(conditions) + 1, frameon=False)
    return figure


def contribution_map(table: pa.Table, truth: Sequence[bool] | None = None, without: str = "silence") -> Figure:
    """Each item by p(gold) with audio against p(gold) without (after dataset cartography).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions`.
        truth: per row, whether the audio is needed, where that is known: colours the points.
        without: ``silence`` or ``text``.
    """
    x, y = _places(table, without)
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
    axes.set_xlabel(f"mean p(gold) {_under(without)}")
    axes.set_ylabel("mean p(gold) with audio")
    axes.set_title(f"Contribution map, n = {placed(table, without).sum():,} items")
    axes.text(0.01, 0.93, "the audio decides", va="top", fontsize=8, color=GREY)
    axes.text(0.99, 0.93, "answerable anyway", va="top", ha="right", fontsize=8, color=GREY)
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


def contribution_by_type(table: pa.Table, without: str = "silence") -> Figure:
    """The contribution map as density, one panel for each question type (the eight largest).

    Args:
        table: rows of :func:`audiocontrib.contribution.contributions` with a column ``question_type``.
        without: ``silence`` or ``text``.
    """
    from matplotlib.colors import to_rgb

    x, y = _places(table, without)
    there, kinds = np.isfinite(x + y), table["question_type"].fill_null("").to_numpy()
    names, counts = np.unique(kinds[there].astype(str), return_counts=True)
    shown = list(names[np.argsort(-counts, kind="stable")][:8]) or [""]
    columns = min(4, len(shown))
    figure, grid = _panels(-(-len(shown) // columns), columns)
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


def threshold_curve(table: pa.Table) -> Figure:
    """Shares of the items that are weak, strong and undecided at every threshold; a ring is the split as it was made.

    Args:
        table: of :func:`audiocontrib.splits.sensitivity.sensitivity`.
    """
    rows = table.to_pylist()
    asked = rows[0]["variant"]
    told = sorted(
        (float(row["variant"].rpartition("threshold ")[2]), row)
        for row in rows
        if "threshold " in row["variant"] and row["n"]
    )
    figure, axes = _figure(width=6.2, height=3.6)
    at = [threshold for threshold, _ in told]
    for part, colour, mark in (("strong", BLUE, "o-"), ("weak", ORANGE, "s--"), ("undecided", GREY, "^:")):
        shares = [row[part] / row["n"] for _, row in told]
        if any(shares):
            axes.plot(at, shares, mark, color=colour, markersize=5, label=part)
            chosen = [(t, share) for (t, row), share in zip(told, shares, strict=True) if row["variant"] == asked]
            axes.plot(*zip(*chosen, strict=True), "o", color="black", fillstyle="none", markersize=11)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("threshold of the score")
    axes.set_ylabel("share of the items")
    axes.set_title(f"{asked} (ringed) and others, n = {rows[0]['n']:,} items", fontsize=10)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def agreement_matrix(table: pa.Table) -> Figure:
    """How alike the models choose, beyond what both know: kappa over the items that both get wrong.

    Args:
        table: rows of :func:`audiocontrib.contribution.agreement.agreements`.
    """
    rows = [row for row in table.to_pylist() if row["model_a"] is not None]
    models = sorted({row[name] for row in rows for name in ("model_a", "model_b")})
    figure, axes = _figure(width=3.2 + 0.9 * len(models), height=1.6 + 0.7 * len(models))
    values = np.full((len(models), len(models)), np.nan)
    for row in rows:
        a, b = models.index(row["model_a"]), models.index(row["model_b"])
        values[a, b] = values[b, a] = np.nan if row["wrong_kappa"] is None else row["wrong_kappa"]
        text = (
            "–" if row["wrong_kappa"] is None else f"{round(row['wrong_kappa'], 2) + 0.0:.2f}\nn = {row['wrong_n']:,}"
        )
        for i, j in ((a, b), (b, a)):
            axes.text(j, i, text, ha="center", va="center", fontsize=8, color="black" if text == "–" else INK)
    axes.imshow(values, cmap="PuOr", vmin=-1.5, vmax=1.5)
    axes.set_xticks(range(len(models)), models, rotation=20, ha="right", fontsize=8)
    axes.set_yticks(range(len(models)), models, fontsize=8)
    axes.set_title("Agreement on wrong options, beyond chance (kappa)", fontsize=10)
    return figure


def calibration_curve(table: pa.Table) -> Figure:
    """Accuracy against the confidence in the chosen option, a line for each model and a panel for each condition.

    Args:
        table: model, condition, confidence, accuracy, n.
    """
    rows = table.to_pylist()
    conditions = _first_seen(row["condition"] for row in sorted(rows, key=_condition_rank))[:3] or ["–"]
    models = sorted({row["model"] for row in rows})
    figure, grid = _panels(1, len(conditions))
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


def split_sizes(sizes: dict[str, dict[str, int]]) -> Figure:
    """How many items are strong, weak and undecided, a bar for each split.

    Args:
        sizes: name of the split -> part -> items.
    """
    figure, axes = _figure(width=6.2, height=1.2 + 0.5 * len(sizes))
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


def changes(table: pa.Table) -> Figure:
    """What changed from a baseline, with 95 % intervals: a row for each data set, part and measure.

    Args:
        table: rows of :func:`audiocontrib.evaluation.compare`.
    """
    rows = table.to_pylist()[::-1]
    figure, axes = _figure(width=7.4, height=1.2 + 0.34 * len(rows))
    for place, row in enumerate(rows):
        adds = row["measure"].startswith("what the audio adds")
        low, high = (row["change"] if row[end] is None else row[end] for end in ("low", "high"))
        axes.errorbar(
            [row["change"]], [place], xerr=[[row["change"] - low], [high - row["change"]]],
            fmt="D" if adds else "o", markersize=5, capsize=3, color=BLUE if adds else GREY,
        )  # fmt: skip
    axes.axvline(0, color="black", linewidth=0.8)
    labels = [f"{r['dataset']}, {r['part']}: {r['measure']} (n = {r['n']})" for r in rows]
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_xlabel("change from the baseline (share of items)")
    return figure


def _panels(rows: int, columns: int) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.5 * columns + 0.5, 2.5 * rows + 0.6), layout="constrained")
    grid = np.atleast_1d(figure.subplots(rows, columns, sharex=True, sharey=True)).ravel()
    for axes in grid:
        axes.set_visible(False)
    return figure, grid
