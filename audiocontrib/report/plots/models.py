"""Models against each other, and against a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from audiocontrib.report.plots.style import BLUE, GREY, INK, legend_height, name_legend, one_panel, short_names

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


def agreement_matrix(table: pa.Table) -> Figure:
    """How alike the models choose, beyond what both know: kappa over the items that both get wrong.

    Args:
        table: rows of :func:`audiocontrib.contribution.agreement.agreements`.
    """
    rows = [row for row in table.to_pylist() if row["model_a"] is not None]
    models = sorted({row[name] for row in rows for name in ("model_a", "model_b")})
    names, many = short_names(models), len(models) > 8
    cell = 0.42 if many else 0.85
    width = max(4.4, 1.8 + cell * len(models))
    figure, axes = one_panel(width=width, height=1.4 + cell * len(models) + legend_height(names, width))
    values = np.full((len(models), len(models)), np.nan)
    for row in rows:
        a, b = models.index(row["model_a"]), models.index(row["model_b"])
        kappa = row["wrong_kappa"]
        values[a, b] = values[b, a] = np.nan if kappa is None else kappa
        n = "" if many else f"\nn = {row['wrong_n']:,}"
        text = "–" if kappa is None else f"{round(kappa, 2) + 0.0:.2f}{n}"
        for i, j in ((a, b), (b, a)):
            axes.text(j, i, text, ha="center", va="center", fontsize=7 if many else 8,
                      color="black" if text == "–" else INK)  # fmt: skip
    axes.imshow(values, cmap="PuOr", vmin=-1.5, vmax=1.5, aspect="auto")
    turned = names[models[0]] == models[0] and len(models) > 2  # names themselves take more room than M1, M2
    axes.set_xticks(range(len(models)), list(names.values()), fontsize=8, rotation=20 if turned else 0,
                    ha="right" if turned else "center")  # fmt: skip
    axes.set_yticks(range(len(models)), list(names.values()), fontsize=8)
    axes.set_title("Agreement on wrong options, beyond chance (kappa)", fontsize=10)
    name_legend(figure, names)
    return figure


def changes(table: pa.Table) -> Figure:
    """What changed from a baseline, with 95 % intervals: a row for each data set, part and measure.

    Args:
        table: rows of :func:`audiocontrib.evaluation.compare`.
    """
    rows = table.to_pylist()[::-1]
    figure, axes = one_panel(width=7.4, height=1.2 + 0.34 * len(rows))
    for place, row in enumerate(rows):
        adds = row["quantity"] == "audio gain"
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
