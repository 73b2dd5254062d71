"""What benchmarks/cost.py computes is what docs/cost.md prints, of the weights that the published shapes have."""

from __future__ import annotations

import sys

import pytest
from helpers import ROOT
from helpers.lazy import lazy

sys.path.append(str(ROOT / "benchmarks"))
cost = lazy("cost")


def test_the_page_has_the_table_that_is_computed() -> None:
    page = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert "\n".join(cost.table(cost.ITEMS, 1, 0.3)) in page


@pytest.mark.parametrize(("size", "layers", "head"), [("3B", 2.77e9, 0.311e9), ("7B", 6.53e9, 0.545e9)])
def test_weights_are_those_of_the_published_shapes(size: str, layers: float, head: float) -> None:
    assert cost.MODELS[size].weights == pytest.approx(layers, rel=0.01)
    assert cost.MODELS[size].head == pytest.approx(head, rel=0.01)


def test_hours_go_with_items_and_against_rates() -> None:
    model = cost.MODELS["7B"]
    for asked in cost.ASKED:
        whole = cost.hours(asked, model, "A100 80 GB", 0.3, 1000)
        assert cost.hours(asked, model, "A100 80 GB", 0.3, 3000) == pytest.approx(3 * whole)
        assert cost.hours(asked, model, "A100 80 GB", 0.15, 1000) == pytest.approx(2 * whole)
        assert cost.hours(asked, model, "H100 SXM", 0.3, 1000) < whole
        assert cost.hours(asked, cost.MODELS["3B"], "A100 80 GB", 0.3, 1000) < whole


def test_a_question_under_text_is_two_operations_for_each_weight_and_token() -> None:
    model = cost.MODELS["7B"]
    least = 2 * model.weights * 65
    assert least < cost.of_likelihood(model, "text", "given") < 1.1 * least
