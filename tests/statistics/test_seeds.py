"""Means over items and seeds."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.statistics import difference_over_seeds, mean_by_clip, smallest_by_design

stats = lazy("scipy.stats")


def test_the_error_is_that_of_the_clips_and_that_of_the_seeds() -> None:
    draw = np.random.default_rng(0)
    d, clips = draw.choice([-1.0, 0.0, 1.0], (4, 60)) + draw.normal(0, 0.2, (4, 1)), np.arange(60) // 2
    found = difference_over_seeds(d, clips)
    by_clip = mean_by_clip(d.mean(axis=0), clips, None)
    parts = [by_clip.error**2, np.var(d.mean(axis=1), ddof=1) / 4]
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / by_clip.freedom + parts[1] ** 2 / 3)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(parts))
    assert (found.mean, found.low, found.high) == pytest.approx((d.mean(), d.mean() - half, d.mean() + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / np.sqrt(sum(parts)), freedom))
    assert (found.n, found.kind) == (60, "t, clips and seeds")


@pytest.mark.slow
def test_seeds_that_differ_are_not_taken_for_a_change() -> None:
    """Trainings whose true effect varies round 0: the interval of one seed holds 0 far too seldom."""
    draw, held, alone = np.random.default_rng(1), 0, 0
    clips = np.arange(200)
    for _ in range(300):
        effects = draw.normal(0, 0.1, (5, 1))
        d = (draw.random((5, 200)) < 0.5 + effects).astype(float) - (draw.random((5, 200)) < 0.5)
        found = difference_over_seeds(d, clips)
        held += found.low <= 0 <= found.high
        low, high = mean_by_clip(d[0], clips, None).interval()
        alone += low <= 0 <= high
    assert held / 300 > 0.93
    assert alone / 300 < 0.85


@pytest.mark.parametrize("d", [np.zeros((3, 50)), np.ones((2, 4)), np.full((2, 40), np.nan), np.zeros((2, 0))])
def test_what_cannot_be_told_is_nan(d: np.ndarray) -> None:
    found = difference_over_seeds(d, np.arange(d.shape[1]))
    assert np.isnan([found.low, found.high, found.p]).all()


def test_one_seed_is_none() -> None:
    with pytest.raises(ValueError, match="not of two seeds"):
        difference_over_seeds(np.zeros((1, 20)), np.arange(20))


def test_the_smallest_change_of_a_design() -> None:
    z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    assert smallest_by_design(400) == pytest.approx(z * np.sqrt(0.5 / 400))
    assert smallest_by_design(400, 1.0) == pytest.approx(z * np.sqrt(1 / 400))
    assert smallest_by_design(12) == pytest.approx(z**2 / 12)  # half of the pairs would not do: all that differ
    assert np.isnan(smallest_by_design(4))
