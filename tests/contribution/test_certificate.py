"""Certificates: exact values, bounds that hold, and sets that were filtered too far."""

from __future__ import annotations

from itertools import product

import numpy as np
import pyarrow as pa
import pytest
import scipy
from helpers.simulated import Answered, likelihoods, views

from audiocontrib.contribution.certificate import Certificate, certificate, needed, residual
from audiocontrib.errors import UsageError
from audiocontrib.splits import split
from audiocontrib.splits.strong_options import strong_options
from audiocontrib.statistics import guessing, wilson_upper


def right_on(right: np.ndarray, k: np.ndarray) -> Answered:
    """One model that is sure of the gold, or else of another option."""
    n = len(k)
    gold = np.arange(n) % k
    p = np.where(np.arange(k.max()) < k[:, None], 0.0, np.nan)
    p[np.arange(n), np.where(right, gold, (gold + 1) % k)] = 1.0
    return Answered(np.zeros(n, bool), gold, k, p[:, None])


def certify(right: np.ndarray, k: np.ndarray, per_clip: int = 1, strong: np.ndarray | None = None) -> Certificate:
    con = views(right_on(right, k), per_clip=per_clip)
    ids = con.sql("select item_id from items order by item_id").to_arrow_table()
    return certificate(con, strong=ids if strong is None else ids.filter(pa.array(strong)), model="model-0")


def test_equal_options() -> None:
    # 700 of 2,500 right with four options
    found = certify(np.arange(2500) % 25 < 7, np.full(2500, 4))
    assert (found.model, found.condition, found.n, found.left_out) == ("model-0", "text", 2500, 0)
    assert (found.right, found.accuracy, found.chance) == (700, 0.28, 0.25)
    assert found.upper == pytest.approx(wilson_upper(700, 2500), abs=1e-4)
    assert found.residual_upper == pytest.approx((found.upper - 0.25) / 0.75)
    assert found.p_below_chance == pytest.approx(scipy.stats.binom.cdf(700, 2500, 0.25))
    assert not found.over_filtered
    assert found.needed_for_2_points == 2255


def test_at_chance_the_residual_is_what_the_sample_cannot_exclude() -> None:
    n = needed(np.full(10, 4))
    assert residual(wilson_upper(round(n / 4), n), np.full(10, 4)) == pytest.approx(
        0.02, abs=1e-3
    )  # Wilson's limit is a little wider than the normal one
    assert residual(0.2, np.full(10, 4)) == 0
    assert residual(1.0, np.full(10, 4)) == 1


@pytest.mark.parametrize("accuracy", [0.3, 0.45, 0.5, 0.7, 0.95])
def test_the_residual_of_mixed_options_is_the_worst_case(accuracy: float) -> None:
    k = np.array([2, 2, 3, 4, 4, 5, 5, 5, 10, 10])
    # the largest mean of known_i in [0, 1] that the accuracy leaves room for
    worst = scipy.optimize.linprog(
        -np.ones(10) / 10, A_ub=[(1 - 1 / k) / 10], b_ub=[max(accuracy - (1 / k).mean(), 0)], bounds=(0, 1)
    )
    assert residual(accuracy, k) == pytest.approx(-worst.fun, abs=1e-9)


def test_luck_of_mixed_options_is_exact() -> None:
    k = np.array([2, 3, 3, 5, 10])
    p = 1 / k
    outcomes = np.array(list(product([0, 1], repeat=5)))
    chances = np.where(outcomes == 1, p, 1 - p).prod(axis=1)
    for right in range(6):
        assert guessing(right, 1 / k).at_most == pytest.approx(chances[outcomes.sum(axis=1) <= right].sum(), abs=1e-12)


def test_a_set_below_chance_certifies_nothing() -> None:
    # the simulated strong set of a vote: 21.8 % right with four options
    found = certify(np.arange(4000) % 500 < 109, np.full(4000, 4))
    assert found.accuracy == 0.218
    assert found.over_filtered
    assert found.p_below_chance < 1e-5
    assert np.isnan(found.residual_upper)
    assert not certify(np.arange(50) % 50 < 11, np.full(50, 4)).over_filtered  # so few items do not show it


def test_the_wider_bound_counts_where_clips_repeat() -> None:
    right, k = np.repeat(np.arange(200) % 4 == 0, 10), np.full(2000, 4)  # ten items a clip, all right or all wrong
    clustered, single = certify(right, k, per_clip=10), certify(right, k)
    assert single.upper == pytest.approx(wilson_upper(500, 2000), abs=1e-4)
    assert clustered.upper > 0.29 > single.upper
    below = np.repeat(np.arange(200) % 50 < 11, 10)  # 22 %: significant for 2,000 items, not for 200 clips
    assert certify(below, k).over_filtered
    assert not certify(below, k, per_clip=10).over_filtered


def test_the_bound_holds() -> None:
    rng, holds = np.random.default_rng(0), []
    for _ in range(400):
        k = rng.choice([2, 3, 4, 5], 400)
        known = rng.random(400) < 0.1
        right = int((known | (rng.random(400) < 1 / k)).sum())
        holds.append(residual(wilson_upper(right, 400), k) >= known.mean())
    assert np.mean(holds) >= 0.95


def filtered_by_others(shared: float) -> tuple[Answered, np.ndarray, Certificate]:
    """Four models with partly common tastes; three of them made the strong set, and the fourth looks at it."""
    a = likelihoods(np.random.default_rng(1), np.full(6000, 4), models=4, shared=shared)
    strong = ~Answered(a.leak, a.gold, a.k, a.p[:, :3]).voted_weak()
    con = views(a)
    ids = con.sql("select item_id from items order by item_id").to_arrow_table()
    return a, strong, certificate(con, strong=ids.filter(pa.array(strong)), model="model-3")


def test_a_held_out_model_finds_what_the_filter_left() -> None:
    a, strong, found = filtered_by_others(shared=0)
    right = a.p[:, 3].argmax(axis=1) == a.gold
    answers = a.leak[strong].mean() * residual(right[strong & a.leak].mean(), a.k)  # from the text, this model
    assert found.n == strong.sum()
    assert 0.05 < answers < found.residual_upper < answers + 0.05
    assert not found.over_filtered


def test_a_filter_by_models_with_the_same_tastes_goes_too_far() -> None:
    a, strong, found = filtered_by_others(shared=0.95)
    assert a.leak[strong].mean() > 0.1
    assert found.over_filtered
    assert np.isnan(found.residual_upper)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["votes", "fdr"])
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_given_the_options_that_leave_an_item_strong_the_bound_holds(rule: str, shared: float) -> None:
    """Three models filter; the fourth knows half of the leaks, surely, and else shares their tastes."""
    rng, holds, plain = np.random.default_rng(3), [], []
    for _ in range(20):
        n, k = 600, np.full(600, 4)
        leak, gold = rng.random(n) < 0.3, rng.integers(0, 4, n)
        z = shared * rng.normal(size=(n, 1, 4)) + np.sqrt(1 - shared**2) * rng.normal(size=(n, 4, 4))
        knows = leak[:, None] & (rng.random((n, 4)) < [0.6, 0.6, 0.6, 0.5])
        z[np.arange(n), :, gold] += 12 * knows
        p = np.exp(z - z.max(axis=2, keepdims=True))
        con = views(Answered(leak, gold, k, p / p.sum(axis=2, keepdims=True)))
        plainly = con.sql("select *, '' as question_type, '' as source_dataset from items").to_arrow_table()
        con.register("items", plainly)
        made = split(con, rule=rule, condition="text", models=["model-0", "model-1", "model-2"])
        options = strong_options(con, table=made.table, settings=made.settings)
        strong, words = made.part("strong"), {"model": "model-3", "condition": "text"}
        on = [int(name[1:]) for name in strong["item_id"].to_pylist()]
        by_id = dict(zip(options["item_id"].to_pylist(), options["options"].to_pylist(), strict=True))
        assert all(by_id[f"i{i:06d}"][gold[i]] for i in on)  # a strong item's own gold leaves it strong
        found, bare = (certificate(con, strong=strong, options=o, **words) for o in (options, None))
        assert found.conditional
        assert found.among < found.n
        holds.append(found.residual_upper >= knows[on, 3].mean())
        plain.append(bare.residual_upper >= knows[on, 3].mean())
    assert np.mean(holds) >= 0.85
    assert shared == 0 or np.mean(plain) < 0.7


def test_items_without_an_answer_or_a_key_are_counted_apart() -> None:
    a = right_on(np.arange(20) < 8, np.full(20, 4))
    a.p[3] = 0.25  # a tie
    con = views(a)
    items = con.sql("select * replace (if(item_id = 'i000000', null, answer) as answer) from items").to_arrow_table()
    con.register("items", items)
    twice = pa.concat_tables([items.select(["item_id"])] * 2)
    found = certificate(con, strong=twice, model="model-0")
    assert (found.n, found.left_out, found.right) == (18, 2, 6)


def test_a_strong_set_is_part_of_the_run() -> None:
    half = np.arange(100) < 50
    found = certify(half, np.full(100, 4), strong=half)
    assert (found.n, found.right) == (50, 50)


def test_what_cannot_be_certified_is_said() -> None:
    con = views(right_on(np.ones(5, bool), np.full(5, 4)))
    ids = con.sql("select item_id from items").to_arrow_table()
    with pytest.raises(UsageError, match="needs the column item_id; this one has id"):
        certificate(con, strong=ids.rename_columns(["id"]), model="model-0")
    with pytest.raises(UsageError, match="no item of the strong set is in the run"):
        certificate(con, strong=pa.table({"item_id": ["other"]}), model="model-0")
    with pytest.raises(UsageError, match=r"no answers of 'model-9'; did you mean 'model-0'"):
        certificate(con, strong=ids, model="model-9")
