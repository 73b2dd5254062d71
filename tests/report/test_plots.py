"""Plots: each takes a table and shows what is in it, with axes that say what they are and over how many items."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from audiocontrib.report import plots
from audiocontrib.report.page import svg
from audiocontrib.report.plots.style import COLOURS, MARKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def scores(n: int = 40, **columns: Any) -> pa.Table:
    """Contribution scores of n items; those of odd number are music."""
    random = np.random.default_rng(0)
    made: dict[str, Any] = {
        "p_audio": random.random(n),
        "p_silence": random.random(n),
        "p_text": pa.nulls(n, pa.float64()),
        "question_type": ["music" if i % 2 else "sound" for i in range(n)],
    }
    return pa.table(made | columns)


def variants() -> pa.Table:
    """What the sensitivity of a split says: as asked for, two other thresholds, a model less, and one that failed."""
    parts = [
        ("fdr, threshold 0.9", None, 0.9, 2, 5, 3),
        ("threshold 0.1", "threshold", 0.1, 3, 7, 0),
        ("threshold 0.5", "threshold", 0.5, 2, 6, 2),
        ("without a, threshold 0.3", "models", 0.9, 4, 4, 2),  # a model may be called anything
    ]
    rows: list[dict[str, Any]] = [
        {"variant": name, "varies": what, "threshold": at, "n": 10, "weak": weak, "strong": strong, "undecided": rest}
        for name, what, at, weak, strong, rest in parts
    ]
    failed = {"variant": "threshold 0.75", "varies": "threshold", "threshold": 0.75, "n": None}
    return pa.Table.from_pylist([*rows, failed])


def bins() -> pa.Table:
    rows = [
        {"model": m, "condition": c, "confidence": x, "accuracy": x / 2, "n": n}
        for m in ("a", "b")
        for c in ("audio", "text")
        for x, n in ((0.3, 1), (0.9, 99))
    ]
    return pa.Table.from_pylist(rows)


def pairs(*kappas: float | None) -> pa.Table:
    names = [("a", "b"), ("a", "c"), ("b", "c")]
    rows: list[dict[str, Any]] = [
        {"model_a": a, "model_b": b, "wrong_kappa": kappa, "wrong_n": 7}
        for (a, b), kappa in zip(names, kappas, strict=True)
    ]
    return pa.Table.from_pylist([*rows, {"model_a": None, "model_b": None, "wrong_kappa": 0.5, "wrong_n": 21}])


def changed() -> pa.Table:
    rows: list[dict[str, Any]] = [
        {
            "dataset": "d",
            "part": "all",
            "measure": "accuracy, audio",
            "quantity": "accuracy",
            "change": 0.1,
            "low": 0.05,
            "high": 0.2,
            "n": 50,
        },
        {
            "dataset": "d",
            "part": "all",
            "measure": "what the audio adds over silence",
            "quantity": "audio gain",
            "change": -0.1,
            "low": None,
            "high": None,
            "n": 50,
        },
    ]
    return pa.Table.from_pylist(rows)


def rights() -> pa.Table:
    rows = [
        {"model": m, "condition": c, "accuracy": a, "low": a - 0.1, "high": a + 0.1, "chance": 0.25, "n": 1234}
        for m in ("x", "y")
        for c, a in (("text", 0.4), ("audio", 0.8))
    ]
    return pa.Table.from_pylist(rows)


def figures() -> dict[str, Figure]:
    return {
        "accuracy_by_condition": plots.accuracy_by_condition(rights()),
        "contribution_map": plots.contribution_map(scores()),
        "contribution_by_type": plots.contribution_by_type(scores()),
        "threshold_curve": plots.threshold_curve(variants()),
        "agreement_matrix": plots.agreement_matrix(pairs(0.1, None, 0.3)),
        "calibration_curve": plots.calibration_curve(bins()),
        "split_sizes": plots.split_sizes({"votes": {"strong": 3, "weak": 4}, "fdr": {"undecided": 7}}),
        "changes": plots.changes(changed()),
    }


@cache
def drawn() -> dict[str, Figure]:
    """The same, to be looked at; drawn once."""
    return figures()


FIGURES = (
    "accuracy_by_condition",
    "contribution_map",
    "contribution_by_type",
    "threshold_curve",
    "agreement_matrix",
    "calibration_curve",
    "split_sizes",
    "changes",
)


def test_every_figure_is_looked_at() -> None:
    assert set(FIGURES) == set(figures())


def texts(figure: Figure) -> list[str]:
    from matplotlib.text import Text

    figure.canvas.draw()
    return [t.get_text() for t in figure.findobj(lambda one: isinstance(one, Text) and one.get_visible())]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_says_what_its_axes_are_and_of_how_many(name: str) -> None:
    said = "\n".join(texts(drawn()[name]))
    assert "item" in said or "answers" in said or "n = " in said
    axes = drawn()[name].axes
    labels = [label for one in axes for label in (one.get_xlabel(), one.get_ylabel())]
    labels += [drawn()[name].get_supxlabel(), drawn()[name].get_supylabel()]
    assert any(labels) or name == "agreement_matrix"  # its axes are the models


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_in_a_page_takes_its_colours(name: str) -> None:
    text = svg(figures()[name], name)
    assert text.startswith("<svg")
    assert "currentColor" in text
    assert "#000000" not in text
    assert "<metadata" not in text
    assert "min-width" in text.partition(">")[0]
    assert text == svg(figures()[name], name)


def test_a_label_in_a_page_keeps_its_words() -> None:
    label = 'id="a" url(#b) #000000 href="#c"'
    text = svg(plots.contribution_by_type(scores(question_type=[label] * 40)), "types")
    assert '>id="a" url(#b) #000000<' in text  # the title has two lines
    assert '>href="#c", n = 40<' in text


def test_colours_are_told_apart_by_those_who_see_two_cones_only() -> None:
    """Okabe and Ito's, with shape or hatch beside the colour, which grey print keeps."""
    assert len(set(COLOURS)) == len(COLOURS)
    assert len({(n % len(COLOURS), n % len(MARKS)) for n in range(50)}) == 50
    assert len({patch.get_hatch() for patch in drawn()["accuracy_by_condition"].axes[0].patches}) == 2
    [axes] = drawn()["split_sizes"].axes
    assert len({patch.get_hatch() for patch in axes.patches}) == 3
    [axes] = drawn()["threshold_curve"].axes
    assert (
        len({line.get_linestyle() for line in axes.lines if line.get_label() in ("strong", "weak", "undecided")}) == 3
    )


def test_items_without_a_place_are_not_counted_on_the_map() -> None:
    table = scores(3, p_audio=[0.5, None, 0.2], p_silence=[0.1, 0.2, 0.3])
    assert plots.placed(table).tolist() == [True, False, True]
    assert plots.contribution_map(table).axes[0].get_title() == "n = 2 items"
    assert not plots.placed(table, "text").any()


def counts(axes: Any) -> dict[tuple[int, int], int]:
    """Row and column of a panel's cells -> items there; the first row is the lowest."""
    held = np.ma.filled(axes.images[0].get_array(), 0)
    return {(int(row), int(column)): int(held[row, column]) for row, column in np.argwhere(held)}


def test_the_map_may_be_of_the_text_alone() -> None:
    table = scores(4, p_text=[0.1, 0.3, 0.5, 0.7], p_audio=[0.02] * 4)
    axes = plots.contribution_map(table, without="text").axes[0]
    assert axes.get_xlabel() == "mean p(gold) from the text alone"
    assert counts(axes) == {(0, 2): 1, (0, 7): 1, (0, 12): 1, (0, 17): 1}


def test_the_map_counts_items_on_a_scale_that_does_not_saturate() -> None:
    """A thousand items on one place and one on another are told apart, and the scale says how many they are."""
    table = scores(1001, p_silence=[0.99] * 1000 + [0.01], p_audio=[0.99] * 1001)
    figure = plots.contribution_map(table)
    axes, bar = figure.axes
    assert counts(axes) == {(24, 24): 1000, (24, 0): 1}
    assert axes.images[0].norm.vmax == 1000
    assert bar.get_ylabel() == "items"
    assert not any("$" in text for text in texts(figure))


def test_the_truth_has_a_panel_each() -> None:
    figure = plots.contribution_map(scores(4), truth=[True, True, True, False])
    shown = [axes.get_title() for axes in figure.axes if axes.get_visible() and axes.get_title()]
    assert shown == ["audio needed, n = 3 items", "text betrays the answer, n = 1 items"]


def test_the_density_of_each_type_holds_its_items_where_they_lie() -> None:
    table = scores(6, p_silence=[0.99] * 5 + [0.01], p_audio=[0.99] * 6, question_type=["a"] * 5 + [None])
    shown = {axes.get_title(): counts(axes) for axes in plots.contribution_by_type(table).axes if axes.images}
    assert shown == {"a, n = 5": {(24, 24): 5}, "–, n = 1": {(24, 0): 1}}


MANY = [f"some-lab/an-audio-language-model-with-quite-a-long-name-{n:02d}-It" for n in range(20)]


def by_model(**columns: Any) -> list[dict[str, Any]]:
    return [{"dataset": "d", "model": model, "n": 1234, "chance": 0.25} | columns for model in MANY]


def crowded() -> dict[str, Figure]:
    """What names models, with twenty whose names have sixty characters."""
    rows = [row | {"condition": c, "accuracy": 0.5, "low": 0.4, "high": 0.6} for row in by_model()
            for c in ("audio", "silence", "text", "swap")]  # fmt: skip
    doses = [row | {"dose": at} for row in by_model(scale="mask", accuracy=0.5, low=0.4, high=0.6, by_luck=0.3)
             for at in (0.0, 40.0, 100.0)]  # fmt: skip
    follows = by_model(ear=0.5, text=0.3, neither=0.2, abstained=0.0)
    alike = [{"model_a": a, "model_b": b, "wrong_kappa": 0.1, "wrong_n": 9} for a in MANY for b in MANY if a < b]
    sure = [row | {"condition": c, "confidence": x} for row in by_model(accuracy=0.4) for c in ("audio", "text")
            for x in (0.3, 0.9)]  # fmt: skip
    tables = map(pa.Table.from_pylist, (rows, doses, follows, alike, sure))
    draw = (plots.accuracy_by_condition, plots.dose_curve, plots.conflict_shares, plots.agreement_matrix,
            plots.calibration_curve)  # fmt: skip
    return {one.__name__: one(table) for one, table in zip(draw, tables, strict=True)}


@pytest.mark.slow
def test_many_long_names_stand_in_a_legend_and_nothing_overlaps() -> None:
    for name, figure in crowded().items():
        figure.draw_without_rendering()
        [legend] = [one for one in figure.legends if any("M20" in text.get_text() for text in one.get_texts())]
        assert "".join(text.get_text() for text in legend.get_texts()).count("some-lab") == 20, name
        boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
        names = legend.get_window_extent()
        assert not any(box.overlaps(names) for box in boxes), name
        assert names.x0 >= 0, name
        assert names.x1 <= figure.bbox.width, name
        for axes in figure.axes:
            for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
                ends = [one.get_window_extent() for one in labels if one.get_text() and one.get_visible()]
                assert not any(a.overlaps(b) for a, b in pairwise(ends)), name


def test_only_the_eight_largest_types_are_drawn() -> None:
    kinds = [f"k{i}" for i in range(12) for _ in range(i + 1)]
    figure = plots.contribution_by_type(scores(len(kinds), question_type=kinds))
    assert [a.get_title() for a in figure.axes if a.images] == [f"k{i}, n = {i + 1}" for i in range(11, 3, -1)]


def test_the_curve_is_of_the_thresholds_and_rings_the_one_that_was_taken() -> None:
    [axes] = drawn()["threshold_curve"].axes
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["weak"].get_xydata().tolist() == [[0.1, 0.3], [0.5, 0.2], [0.9, 0.2]]
    assert lines["undecided"].get_ydata().tolist() == [0.0, 0.2, 0.3]
    rings = sorted(line.get_xydata()[0].tolist() for line in axes.lines if line.get_fillstyle() == "none")
    assert rings == [[0.9, 0.2], [0.9, 0.3], [0.9, 0.5]]
    assert "fdr, threshold 0.9 (ringed)" in axes.get_title()


def test_pairs_that_were_never_both_wrong_are_left_white() -> None:
    [axes] = drawn()["agreement_matrix"].axes
    values = axes.images[0].get_array()
    assert values[0, 1] == values[1, 0] == 0.1
    assert math.isnan(np.ma.filled(values.astype(float), np.nan)[0, 2])
    assert [t.get_text() for t in axes.texts] == ["0.10\nn = 7"] * 2 + ["–"] * 2 + ["0.30\nn = 7"] * 2


def test_bins_of_few_answers_are_small_points() -> None:
    panels = drawn()["calibration_curve"].axes
    assert [axes.get_title() for axes in panels] == ["audio, n = 200 answers", "text, n = 200 answers"]
    small, large = panels[0].collections[0].get_sizes()
    assert small < large / 10
    assert panels[0].collections[0].get_offsets().tolist() == [[0.3, 0.15], [0.9, 0.45]]


def test_bars_of_a_split_add_up_to_its_items() -> None:
    [axes] = drawn()["split_sizes"].axes
    ends: dict[float, float] = {}
    for bar in axes.patches:
        ends[bar.get_y()] = max(ends.get(bar.get_y(), 0), bar.get_x() + bar.get_width())
    assert list(ends.values()) == [7, 7]
    assert sorted(t.get_text() for t in axes.texts if t.get_text()) == ["3", "4", "7"]


def test_a_change_without_an_interval_is_a_point() -> None:
    [axes] = drawn()["changes"].axes
    spans = [bar.get_segments()[0][:, 0].tolist() for bar in axes.collections]
    assert spans[0] == pytest.approx([-0.1, -0.1])
    assert spans[1] == pytest.approx([0.05, 0.2])
    assert [t.get_text() for t in axes.get_yticklabels()][1] == "d, all: accuracy, audio (n = 50)"


def test_audio_comes_first_and_chance_is_said() -> None:
    [axes] = drawn()["accuracy_by_condition"].axes
    assert [bars.get_label() for bars in axes.containers if bars.get_label() in ("audio", "text")] == ["audio", "text"]
    assert any("chance (25%)" in text for text in texts(drawn()["accuracy_by_condition"]))
