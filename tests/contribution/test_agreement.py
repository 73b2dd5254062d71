"""Agreement of the models on content, right and wrong, from planted mocks."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from helpers.planted import ask, questions, views

from audiocontrib.contribution.agreement import agreements, shared_preferences
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted

ITEMS = questions(900, k=(3, 4, 6), per_clip=3)


def mocks(n: int = 3, **planted: Any) -> list[MockModel]:
    given = {"noise": 0.01, "content_preference": 1.0} | planted
    return [MockModel(Planted(seed=seed, **given), f"m{seed}") for seed in range(n)]


def rows(models: list[MockModel], items: Items = ITEMS, method: str = "likelihood") -> list[dict[str, Any]]:
    return agreements(views(items, ask(items, models, ["silence"], method)), condition="silence").to_pylist()


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.6, 1.0])
def test_kappa_of_wrong_choices_is_the_share_of_preferences_in_common(shared: float) -> None:
    """A favourite is common with probability ``shared``, else each draws among the K options."""
    found = rows(mocks(leak=0.3, shared_preference=shared))
    names = [(row["model_a"], row["model_b"]) for row in found]
    assert names == [("m0", "m1"), ("m0", "m2"), ("m1", "m2"), (None, None)]
    for row in found[:-1]:
        assert row["n"] == 900
        assert row["expected"] == pytest.approx((1 / 3 + 1 / 4 + 1 / 6) / 3)
    whole = found[-1]
    assert whole["n"] == 2700
    # both wrong: both without the gold; the favourites are independent wrong options unless they are common
    k, p_both = 4, 1 - shared
    common = shared * (1 - 1 / k) / (shared * (1 - 1 / k) + p_both * (1 - 1 / k) ** 2)
    assert whole["wrong_kappa_low"] - 0.02 <= common <= whole["wrong_kappa_high"] + 0.02
    if shared == 1:
        assert whole["wrong_alike"] == whole["wrong_kappa"] == 1
        assert 0.9 < whole["wrong_kappa_low"] < 1  # alike on every clip, of so many clips


@pytest.mark.slow
def test_knowledge_raises_kappa_but_not_that_of_wrong_choices() -> None:
    ignorant, knowing = (rows(mocks(leak=leak))[-1] for leak in (0.0, 0.7))
    assert ignorant["kappa_low"] < 0 < ignorant["kappa_high"]
    assert knowing["kappa"] == pytest.approx(0.7**2, abs=0.07)
    assert knowing["wrong_kappa_low"] < 0 < knowing["wrong_kappa_high"]


def test_the_numbers_are_those_of_a_loop() -> None:
    items = questions(120, k=(2, 3, 5), per_clip=2)
    con = views(items, ask(items, mocks(2, leak=0.2, shared_preference=0.5), ["silence"]))
    by = {(row["item_id"], row["model"]): row["choice"] for row in votes(con).to_pylist()}
    [row] = agreements(con).to_pylist()
    pairs = [(item, by[item.id, "m0"], by[item.id, "m1"]) for item in items]
    wrong = [(i, a, b) for i, a, b in pairs if a != i.answer and b != i.answer and len(i.choices) > 2]
    for kind, cases, less in (("", pairs, 0), ("wrong_", wrong, 1)):
        alike = sum(a == b for _, a, b in cases) / len(cases)
        expected = sum(1 / (len(i.choices) - less) for i, *_ in cases) / len(cases)
        assert row[f"{kind}n"] == len(cases)
        assert row[f"{kind}alike"] == pytest.approx(alike)
        assert row[f"{kind}expected"] == pytest.approx(expected)
        assert row[f"{kind}kappa"] == pytest.approx((alike - expected) / (1 - expected))


@pytest.mark.slow
def test_the_row_for_all_pairs_is_their_weighted_mean() -> None:
    *pairs, whole = rows(mocks(4, leak=0.3, shared_preference=0.4))
    assert len(pairs) == len(list(combinations(range(4), 2)))
    for kind in ("", "wrong_"):
        n = sum(row[f"{kind}n"] for row in pairs)
        assert whole[f"{kind}n"] == n
        assert whole[f"{kind}alike"] == pytest.approx(sum(row[f"{kind}n"] * row[f"{kind}alike"] for row in pairs) / n)
        assert whole[f"{kind}kappa_low"] < whole[f"{kind}kappa"] < whole[f"{kind}kappa_high"]


@pytest.mark.slow
def test_it_measures_what_the_decoys_warn_of() -> None:
    con = views(ITEMS, ask(ITEMS, mocks(leak=0.3, shared_preference=0.5), ["silence"], cyclic=False))
    assert agreements(con).to_pylist()[-1]["wrong_kappa"] == pytest.approx(shared_preferences(con, condition="silence"))


def test_only_options_are_compared() -> None:
    """Refusals are not an agreement, nor a lack of one."""
    items = questions(200)
    [row] = rows(mocks(2, leak=1.0, refuse_without_audio=0.5), items, "generate")
    assert 30 < row["n"] < 70
    assert (row["alike"], row["kappa"]) == (1, 1)
    assert (row["wrong_n"], row["wrong_alike"], row["wrong_kappa"], row["wrong_kappa_low"]) == (0, None, None, None)


def test_items_without_key_count_only_among_all() -> None:
    keyless = questions(50, keyed=False)
    [row] = rows(mocks(2), keyless)
    assert (row["n"], row["wrong_n"]) == (50, 0)


def test_one_model_or_none_has_nobody_to_agree_with() -> None:
    assert rows(mocks(1)) == rows([]) == []


def test_both_methods_at_once_are_refused() -> None:
    items = questions(5)
    both = [row for method in ("likelihood", "generate") for row in ask(items, mocks(2), ["silence"], method)]
    with pytest.raises(AudiocontribError, match="by generate and by likelihood"):
        agreements(views(items, both))


def test_items_on_which_one_of_two_abstains_are_counted_apart() -> None:
    items = questions(200)
    models = [MockModel(Planted(refuse_without_audio=share, seed=s), f"m{s}") for s, share in enumerate((0, 0.5, 1))]
    found = {(row["model_a"], row["model_b"]): row for row in rows(models, items, "generate")}
    assert all(row["n"] + row["abstained"] == 200 for pair, row in found.items() if pair[0])
    assert 60 < found["m0", "m1"]["abstained"] < 140
    assert found["m0", "m2"]["abstained"] == 200
    assert found[None, None]["abstained"] == sum(row["abstained"] for pair, row in found.items() if pair[0])
