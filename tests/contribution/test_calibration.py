"""Calibration on data whose true posterior is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audiocontrib.contribution.calibration import FEWEST_CLIPS, FEWEST_ITEMS, FOLDS, calibrate

Floats = NDArray[np.float64]


def log_softmax(z: Floats) -> Floats:
    return z - np.logaddexp.reduce(np.where(np.isnan(z), -np.inf, z), axis=-1, keepdims=True)


def evidence(n: int, k: int | Floats, seed: int, inputs: int = 1) -> Floats:
    """Random log-posteriors (inputs, n, K), NaN beyond each item's options."""
    sizes = np.broadcast_to(k, n)
    z = np.random.default_rng(seed).normal(size=(inputs, n, int(sizes.max()))) * 1.5
    z[:, np.arange(z.shape[2]) >= sizes[:, None]] = np.nan
    return log_softmax(z)


def drawn(log_p: Floats, seed: int) -> NDArray[np.int64]:
    """A gold for each item, drawn from its posterior."""
    p = np.nan_to_num(np.exp(log_softmax(log_p)))
    u = np.random.default_rng(seed).random((len(p), 1))
    return np.minimum((p.cumsum(axis=1) < u).sum(axis=1), (p > 0).sum(axis=1) - 1)


def surprise(log_p: Floats, gold: NDArray[np.int64]) -> float:
    return float(-np.take_along_axis(log_p, gold[:, None], axis=1).mean())


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_a_planted_temperature_is_recovered(temperature: float) -> None:
    truth = evidence(20_000, 4, seed=1)[0]
    gold = drawn(truth, seed=2)
    told = log_softmax(truth * temperature)
    found = calibrate(told[None], gold, np.arange(20_000))
    assert found.weights is not None
    assert found.weights.shape == (FOLDS, 1)
    assert found.weights == pytest.approx(1 / temperature, rel=0.05)
    assert np.abs(np.exp(found.log_p) - np.exp(truth)).mean() < 0.01


def test_the_second_input_has_a_weight_of_its_own() -> None:
    inputs = evidence(20_000, 4, seed=3, inputs=2)
    gold = drawn(0.5 * inputs[0] + 0.8 * inputs[1], seed=4)
    weights = calibrate(inputs, gold, np.arange(20_000)).weights
    assert weights is not None
    assert weights.mean(axis=0) == pytest.approx([0.5, 0.8], abs=0.05)
    useless = calibrate(inputs, drawn(inputs[1], seed=5), np.arange(20_000)).weights
    assert useless is not None
    assert useless.mean(axis=0) == pytest.approx([0, 1], abs=0.05)


def test_a_model_that_is_wrong_on_purpose_is_worth_nothing_but_not_less() -> None:
    told = evidence(2_000, 4, seed=6)
    found = calibrate(told, drawn(-told[0], seed=7), np.arange(2_000))
    assert found.weights == pytest.approx(0, abs=1e-6)
    assert np.exp(found.log_p) == pytest.approx(0.25, abs=1e-6)


@given(seed=st.integers(0, 10_000), temperature=st.floats(1.5, 10), sizes=st.sampled_from([(4,), (2, 3, 5), (10,)]))
@settings(max_examples=25, deadline=None)
def test_over_confidence_is_mended_on_clips_not_seen(seed: int, temperature: float, sizes: tuple[int, ...]) -> None:
    truth = evidence(600, np.resize(sizes, 600), seed)[0]
    gold, clip = drawn(truth, seed + 1), np.arange(600) // 2
    told = log_softmax(truth * temperature)
    found = calibrate(told[None], gold, clip)
    assert surprise(found.log_p, gold) <= surprise(told, gold) + 0.01
    present = ~np.isnan(truth)
    assert (np.isnan(found.log_p) == ~present).all()
    assert np.nansum(np.exp(found.log_p), axis=1) == pytest.approx(1)


def test_an_item_does_not_teach_its_own_fold() -> None:
    told = evidence(500, 4, seed=8)
    gold, clip = drawn(told[0], seed=9), np.arange(500) // 5
    held = clip % FOLDS == 2
    other = np.where(held, (gold + 1) % 4, gold)
    before, after = calibrate(told, gold, clip), calibrate(told, other, clip)
    assert before.log_p[held] == pytest.approx(after.log_p[held], abs=1e-6)
    assert np.abs(before.log_p[~held] - after.log_p[~held]).max() > 0.01


def test_with_few_items_or_clips_nothing_is_learned() -> None:
    told = log_softmax(3 * evidence(FEWEST_ITEMS, 4, seed=10))
    gold, clip = drawn(told[0], seed=11), np.arange(FEWEST_ITEMS)
    assert calibrate(told, gold, clip).weights is not None
    one_less = np.where(clip == 0, -1, gold)
    for found in (calibrate(told, one_less, clip), calibrate(told, gold, clip % (FEWEST_CLIPS - 1))):
        assert found.weights is None
        assert found.log_p == pytest.approx(told[0])
    assert calibrate(told, gold, clip % FEWEST_CLIPS).weights is not None


def test_items_without_an_answer_or_a_key() -> None:
    told = evidence(300, 4, seed=12, inputs=2)
    told[0, 3] = told[1, 7] = np.nan
    gold = drawn(np.nan_to_num(told[0]), seed=13)
    gold[9] = -1
    found = calibrate(told, gold, np.arange(300))
    assert sorted(set(np.flatnonzero(np.isnan(found.log_p).all(axis=1)))) == [3, 7]
    assert np.exp(found.log_p[9]).sum() == pytest.approx(1)


def test_an_option_that_a_model_excludes() -> None:
    told = evidence(300, 4, seed=14)
    told[0, :, 2] = -np.inf
    told = log_softmax(told)
    gold = drawn(evidence(300, 4, seed=14)[0], seed=15)  # the excluded option is gold now and then
    found = calibrate(told, gold, np.arange(300))
    assert np.isfinite(found.log_p).all()
    assert surprise(found.log_p, gold) < 1.5  # as the model gave it, it is infinite


def test_order_of_rows_and_options_is_nothing() -> None:
    told, random = evidence(400, 4, seed=16, inputs=2), np.random.default_rng(17)
    gold, clip = drawn(told[0], seed=18), np.arange(400) // 3
    rows, options = random.permutation(400), random.permutation(4)
    plain = calibrate(told, gold, clip)
    shuffled = calibrate(told[:, rows][:, :, options], np.argsort(options)[gold[rows]], clip[rows])
    assert shuffled.weights == pytest.approx(plain.weights, abs=1e-6)
    assert shuffled.log_p == pytest.approx(plain.log_p[rows][:, options], abs=1e-6)
