"""P(answerable without audio): known values, recovery of what was planted, and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from helpers.simulated import asked, bayesian_fdr, replies, views

from audiocontrib.contribution import answerable as module
from audiocontrib.contribution.answerable import (
    Answerable,
    NotIdentified,
    answerable,
    answerable_probability,
    fit_answerable,
)
from audiocontrib.errors import AudiocontribError
from audiocontrib.sql import sql
from audiocontrib.statistics import UNKNOWN

# beta is 3 on top of alpha = 0.1; the published row for alpha = 100 belongs to beta = 3 alpha
REPEATING = Answerable(0.4, 0.1, 3.0, UNKNOWN, 0.0, 0.0, 1)
FRESH = Answerable(0.4, 100.0, 300.0, UNKNOWN, 0.0, 0.0, 1)


@pytest.mark.parametrize(
    ("fit", "gold", "orders", "expected"),
    [
        (REPEATING, [[0], [1], [2], [3], [4]], 4, [0.006, 0.154, 0.405, 0.623, 0.765]),
        (FRESH, [[0], [1], [2], [3], [4]], 4, [0.067, 0.222, 0.532, 0.817, 0.946]),
        (REPEATING, [[12]], 12, [0.784]),
        (REPEATING, [[4, 4, 4]], 4, [0.987]),
    ],
)
def test_known_posteriors(fit: Answerable, gold: list[list[int]], orders: int, expected: list[float]) -> None:
    counts = np.array(gold)
    p = answerable_probability(fit, counts, np.full_like(counts, orders), np.full(len(counts), 4))
    assert p.round(3).tolist() == expected


def test_a_model_that_was_not_asked_says_nothing() -> None:
    gold, orders, k = np.array([[4, 0], [4, 0], [0, 0]]), np.array([[4, 0], [4, 4], [0, 0]]), np.full(3, 4)
    p = answerable_probability(REPEATING, gold, orders, k)
    assert p[0] == pytest.approx(0.765, abs=5e-4)
    assert p[1] < p[0]
    assert np.isnan(p[2])


def test_the_gradient_of_the_likelihood() -> None:
    a, counts = replies(np.random.default_rng(0), np.random.default_rng(1).choice([2, 4, 7], 100), orders=3)
    patterns = module._patterns(*asked(a, counts))
    at = np.array([0.3, np.log(0.4), np.log(6)])
    value, gradient = patterns.log_likelihood(at)
    off = scipy.optimize.check_grad(
        lambda x: patterns.log_likelihood(x)[0], lambda x: patterns.log_likelihood(x)[1], at
    )
    assert off < 1e-4 * np.linalg.norm(gradient)
    assert np.isfinite(value)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[4], [2, 3, 4, 5, 10]])
def test_what_was_planted_is_recovered(sizes: list[int]) -> None:
    rng, rows = np.random.default_rng(0), []
    for _ in range(5):
        k = rng.choice(sizes, 3000)
        a, counts = replies(rng, k, orders=k)  # as many orders as options
        given = asked(a, counts)
        fit = fit_answerable(*given)
        p = answerable_probability(fit, *given)
        tenth = np.minimum((10 * p).astype(int), 9)
        calibration = np.abs(np.bincount(tenth, p - a.leak, minlength=10)).sum() / len(p)
        called = bayesian_fdr(p, 0.10)
        rows.append((fit.share, fit.alpha, fit.beta, calibration, (~a.leak[called]).mean(), a.leak[called].sum() > 500))
    share, alpha, beta, calibration, fdr, found = np.mean(rows, axis=0)
    assert share == pytest.approx(0.4, abs=0.02)
    assert alpha == pytest.approx(0.5, abs=0.05)
    assert beta == pytest.approx(3, abs=0.5)
    assert calibration < 0.02
    assert fdr == pytest.approx(0.10, abs=0.015)
    assert found == 1


@pytest.mark.slow
def test_the_interval_of_the_share_covers() -> None:
    rng, hits = np.random.default_rng(11), []
    for _ in range(120):
        interval = fit_answerable(*asked(*replies(rng, np.full(300, 4), leaks=0.4))).share_interval
        hits.append(interval.low <= 0.4 <= interval.high)
    assert 0.91 <= np.mean(hits) <= 0.99  # two standard errors of 120 intervals


def test_without_leaks_the_share_is_zero() -> None:
    given = asked(*replies(np.random.default_rng(2), np.full(3000, 4), leaks=0.0))
    fit = fit_answerable(*given)
    assert fit.share < 0.03
    assert fit.share_interval.low == 0
    assert answerable_probability(fit, *given).mean() < 0.03


def test_the_icc_is_the_correlation_of_two_guesses() -> None:
    a, counts = replies(np.random.default_rng(3), np.full(20_000, 4), leaks=0.0, orders=2, alpha=0.5)
    gold, orders, k = asked(a, counts)
    both, one = (gold == 2).mean(), gold.mean() / 2
    assert (both - one**2) / (one * (1 - one)) == pytest.approx(1 / (1 + 4 * 0.5), abs=0.02)
    assert fit_answerable(gold, orders, k).icc == pytest.approx(1 / 3, abs=0.02)


def test_one_order_is_refused() -> None:
    with pytest.raises(NotIdentified, match=r"each answered in one: .* ask in all orders"):
        fit_answerable(*asked(*replies(np.random.default_rng(0), np.full(3000, 4), orders=1)))


@pytest.mark.parametrize("planted", [{"orders": 2}, {"orders": 4, "alpha": 1e-3}])
def test_one_model_is_refused_where_it_fixes_nothing(planted: dict[str, Any]) -> None:
    a, counts = replies(np.random.default_rng(0), np.full(3000, 4), models=1, **planted)
    with pytest.raises(NotIdentified, match=r"fit a share of answerable items from 0\.\d\d to .* ask more models"):
        fit_answerable(*asked(a, counts))


def test_the_order_of_items_and_models_changes_nothing() -> None:
    rng = np.random.default_rng(4)
    gold, orders, k = asked(*replies(rng, rng.choice([3, 4], 500)))
    fit = fit_answerable(gold, orders, k)
    mixed = rng.permutation(500)
    again = fit_answerable(gold[mixed][:, ::-1], orders[mixed][:, ::-1], k[mixed])
    assert again == fit


def test_from_the_answers_of_a_run_whatever_the_order_of_options_and_rows() -> None:
    rng = np.random.default_rng(5)
    k = rng.choice([2, 3, 5], 400)
    a, counts = replies(rng, k, orders=k)
    given = asked(a, counts)
    table, fit = answerable(views(a, counts, k), condition="text")
    assert fit == fit_answerable(*given)
    np.testing.assert_array_equal(table["p_answerable"], answerable_probability(fit, *given))
    shuffled, same = answerable(views(a, counts, k, shuffle=rng), condition="text")
    assert same == fit
    assert shuffled.equals(table)


def test_answers_that_do_not_stand_and_items_without_a_key_do_not_count() -> None:
    a, counts = replies(np.random.default_rng(6), np.full(300, 4))
    con = views(a, counts)
    responses, items = (con.sql(f"from {name}").to_arrow_table() for name in ("responses", "items"))
    missing = "item_id = 'i000001' and model = 'model-2' and \"order\" = 3"
    con.register("responses", sql(f"select * from responses where not ({missing})", responses=responses))
    keyless = "if(item_id = 'i000000', null, answer)"
    con.register("items", sql(f"select * replace ({keyless} as answer) from items", items=items))
    table, fit = answerable(con, condition="text")
    gold, orders, k = asked(a, counts)
    gold[0], orders[0], gold[1, 2], orders[1, 2] = 0, 0, 0, 0
    assert fit == fit_answerable(gold, orders, k)
    assert fit.n == 299
    p = table["p_answerable"].to_pylist()
    assert p[0] is None
    assert p[1:] == answerable_probability(fit, gold, orders, k)[1:].tolist()


def test_no_answers_under_the_condition() -> None:
    a, counts = replies(np.random.default_rng(0), np.full(5, 4))
    with pytest.raises(AudiocontribError, match=r"no answers under 'silence'; score under it first"):
        answerable(views(a, counts), condition="silence")
