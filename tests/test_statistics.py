"""Intervals against known values, against statsmodels, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t

from audiocontrib.statistics import binomial_at_least, chance_corrected, clustered_mean, wilson


def test_wilson_known_values() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: method 3
    for successes, n, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]:
        assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_symmetric_and_stays_between_0_and_1() -> None:
    for successes in range(11):
        low, high = wilson(successes, 10)
        assert 0 <= low <= successes / 10 <= high + 1e-9 <= 1 + 1e-9
        assert wilson(10 - successes, 10) == pytest.approx((1 - high, 1 - low))


def test_wilson_at_another_level_is_nested() -> None:
    (low90, high90), (low99, high99) = wilson(7, 20, 0.90), wilson(7, 20, 0.99)
    assert low99 < low90 < high90 < high99


def test_wilson_of_nothing_is_unknown() -> None:
    assert all(math.isnan(end) for end in wilson(0, 0))
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson(3, 2)


def test_clustered_mean_is_the_formula_in_its_docstring() -> None:
    random = np.random.default_rng(0)
    clusters = random.integers(0, 12, 60)
    x = random.normal(size=60) + clusters
    sums = [(x[clusters == c] - x.mean()).sum() for c in range(12)]
    half = t.ppf(0.975, 11) * math.sqrt(12 / 11 * np.square(sums).sum()) / 60
    assert clustered_mean(x, clusters) == pytest.approx((x.mean() - half, x.mean() + half))


def test_clustered_mean_with_clusters_of_one_is_the_t_interval() -> None:
    x = np.random.default_rng(1).normal(size=40)
    plain = sm.stats.DescrStatsW(x).tconfint_mean()
    assert clustered_mean(x, np.arange(40)) == pytest.approx(plain)


def test_repeating_every_value_does_not_narrow_it() -> None:
    x = np.random.default_rng(2).random(30) < 0.4
    once = clustered_mean(x, np.arange(30))
    assert clustered_mean(np.repeat(x, 5), np.repeat(np.arange(30), 5)) == pytest.approx(once)


def test_clustered_mean_edges() -> None:
    assert all(math.isnan(end) for end in clustered_mean([0, 1, 1], [4, 4, 4]))
    assert all(math.isnan(end) for end in clustered_mean([], []))
    assert clustered_mean([1, 1, 1], [0, 1, 2]) == (1, 1)
    with pytest.raises(ValueError, match="shape"):
        clustered_mean([1, 0], [1])


def test_coverage_of_the_clustered_interval() -> None:
    """80 clips of 1 to 9 questions each, truth shared by clip: the plain interval covers far too little."""
    random, runs, mean = np.random.default_rng(3), 1000, 0.6
    covered = plain = 0
    for _ in range(runs):
        sizes = random.integers(1, 10, 80)
        clusters = np.repeat(np.arange(80), sizes)
        rate = random.beta(mean, 1 - mean, 80)
        x = random.random(len(clusters)) < rate[clusters]
        low, high = clustered_mean(x, clusters)
        covered += low <= mean <= high
        low, high = wilson(int(x.sum()), len(x))
        plain += low <= mean <= high
    assert 0.93 <= covered / runs <= 0.97
    assert plain / runs < 0.80


def test_chance_corrected() -> None:
    assert chance_corrected(0.25, 0.25) == 0
    assert chance_corrected(1.0, 0.25) == 1
    assert chance_corrected(0.46, 0.28) == pytest.approx(0.25)
    assert chance_corrected(0.1, 0.25) < 0


def test_binomial_tail_is_the_luck_of_the_published_rule() -> None:
    shares = binomial_at_least(2, 3, 1 / np.array([2, 3, 4, 5, 10]))
    assert shares.round(3).tolist() == [0.5, 0.259, 0.156, 0.104, 0.028]
    assert binomial_at_least([0, 3, 4], 3, 0.5).tolist() == pytest.approx([1, 0.125, 0])
