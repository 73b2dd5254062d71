"""Intervals against known values, against statsmodels, and by simulation."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
import scipy
from helpers.lazy import lazy

from audiocontrib.statistics import (
    benjamini_hochberg,
    binomial_at_least,
    chance_corrected,
    cohen_kappa,
    equivalence,
    fleiss_kappa,
    guessing,
    holm,
    mcnemar,
    mean_by_clip,
    minimum_detectable_effect,
    paired_difference,
    wilson,
    wilson_upper,
)

multitest = lazy("statsmodels.stats.multitest")
sm = lazy("statsmodels.api")


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


def test_repeating_every_value_does_not_narrow_it() -> None:
    x = np.random.default_rng(2).random(30) < 0.4
    once = mean_by_clip(x, np.arange(30)).interval()
    again = mean_by_clip(np.repeat(x, 5), np.repeat(np.arange(30), 5)).interval()
    assert again == pytest.approx(once, abs=0.01)


def planted_clips(random: np.random.Generator, n_clips: int = 80) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clips of 1 to 9 questions; a and b right at a rate of the clip, a 60 % and b 50 % of the time on average."""
    clusters = np.repeat(np.arange(n_clips), random.integers(1, 10, n_clips))
    rate = random.beta(0.6, 0.4, n_clips)[clusters]
    shared = random.random(len(clusters))
    a = shared < rate
    b = np.where(random.random(len(clusters)) < 0.7, shared, random.random(len(clusters))) < rate * (0.5 / 0.6)
    return a, b, clusters


def test_coverage_of_wilson() -> None:
    """Exact: the sum of the probabilities of the outcomes whose interval holds p, averaged over p."""
    shares = np.linspace(0.02, 0.98, 481)
    for n in (20, 100, 1000):
        low, high = np.array([wilson(x, n) for x in range(n + 1)]).T[:, :, None]
        upper = np.array([wilson_upper(x, n) for x in range(n + 1)])[:, None]
        p_outcome = scipy.stats.binom.pmf(np.arange(n + 1)[:, None], n, shares)
        assert 0.93 <= (p_outcome * ((low <= shares) & (shares <= high))).sum(axis=0).mean() <= 0.97
        assert 0.93 <= (p_outcome * (shares <= upper)).sum(axis=0).mean() <= 0.97


@pytest.mark.slow
def test_coverage_of_the_clustered_intervals() -> None:
    """Questions that share clips: the plain interval covers far too little."""
    random, runs = np.random.default_rng(3), 2000
    covered = dict.fromkeys(("mean", "difference", "plain"), 0)
    for _ in range(runs):
        a, b, clusters = planted_clips(random)
        intervals = {
            "mean": mean_by_clip(a, clusters).interval(),
            "plain": wilson(int(a.sum()), len(a)),
        }
        for name, (low, high) in intervals.items():
            covered[name] += low <= 0.6 <= high
        difference = paired_difference(a, b, clusters)
        covered["difference"] += difference.low <= 0.1 <= difference.high
    assert covered.pop("plain") / runs < 0.80
    for name, times in covered.items():
        assert 0.93 <= times / runs <= 0.97, (name, times / runs)


@pytest.mark.slow
def test_coverage_of_the_two_way_interval() -> None:
    """Luck that is shared by 60 clips and, across them, by 50 templates; either clustering alone is too narrow."""
    random, runs = np.random.default_rng(13), 2000
    covered = np.zeros(3)
    for _ in range(runs):
        clip, template = random.integers(0, 60, 400), random.integers(0, 50, 400)
        x = random.normal(size=60)[clip] + random.normal(size=50)[template] + random.normal(size=400)
        kinds = ((clip, template), (clip, None), (template, None))
        covered += [low <= 0 <= high for low, high in (mean_by_clip(x, a, None, b).interval() for a, b in kinds)]
    assert 0.93 <= covered[0] / runs <= 0.97
    assert covered[1:].max() / runs < 0.90


def test_wilson_upper_is_the_root_of_the_score_test() -> None:
    """At the limit u, z = (u - p) / sqrt(u (1 - u) / n) is the 95 % quantile of the normal distribution."""
    for successes, n in [(0, 30), (7, 50), (563, 2255)]:
        u = wilson_upper(successes, n)
        assert (u - successes / n) / math.sqrt(u * (1 - u) / n) == pytest.approx(scipy.stats.norm.ppf(0.95))
    assert math.isnan(wilson_upper(0, 0))
    with pytest.raises(ValueError, match="5 successes of 4"):
        wilson_upper(5, 4)


def test_mcnemar_known_values() -> None:
    # the published comparison of arXiv 2606.22276: 130 fixes, 108 regressions
    assert mcnemar(130, 108) == pytest.approx(0.17, abs=0.005)
    assert mcnemar(0, 0) == 1
    assert mcnemar(1, 5) == mcnemar(5, 1) == pytest.approx(2 * (1 + 6) / 2**6)


def test_minimum_detectable_effect_known_values() -> None:
    points = [round(100 * minimum_detectable_effect(n, 0.148), 1) for n in (1607, 1000, 5000)]
    assert points == [2.7, 3.4, 1.5]
    # items needed for 1 and 2 points, with the rounded quantiles 1.96 and 0.84: 11,616 rounds them up a little
    assert minimum_detectable_effect(11_616, 0.148) == pytest.approx(0.01, rel=1e-3)
    assert minimum_detectable_effect(2_904, 0.148) == pytest.approx(0.02, rel=1e-3)
    assert minimum_detectable_effect(1000, 0.148, power=0.9) > minimum_detectable_effect(1000, 0.148)
    assert math.isnan(minimum_detectable_effect(0, 0.1))


def test_the_published_difference_again() -> None:
    """1607 items, 130 right only after, 108 only before: 1.37 points, -0.5 to +3.2."""
    after = np.repeat([1, 0, 1], [130, 108, 1607 - 238])
    before = np.repeat([0, 1, 1], [130, 108, 1607 - 238])
    found = paired_difference(after, before, np.arange(1607))
    assert (100 * found.low, 100 * found.high) == pytest.approx((-0.5, 3.2), abs=0.06)
    assert (found.n, round(found.discordance, 3)) == (1607, 0.148)
    assert round(100 * found.minimum_detectable, 1) == 2.7
    assert found.mean == pytest.approx(22 / 1607)
    assert found.p == pytest.approx(0.154, abs=0.002)  # without the exact test's continuity


@pytest.mark.slow
def test_a_difference_of_the_detectable_size_is_found_four_times_in_five() -> None:
    random, runs, found = np.random.default_rng(8), 2000, 0
    size = minimum_detectable_effect(500, 0.2)
    for _ in range(runs):
        d = random.choice([1, 0, -1], 500, p=[0.1 + size / 2, 0.8, 0.1 - size / 2])
        found += paired_difference(d, np.zeros(500), np.arange(500)).p < 0.05
    assert found / runs == pytest.approx(0.80, abs=0.03)


def test_clusters_widen_a_difference_and_what_it_can_detect() -> None:
    random = np.random.default_rng(9)
    a, b = random.random((2, 60)) < 0.5
    once = paired_difference(a, b, np.arange(60))
    again = paired_difference(np.repeat(a, 5), np.repeat(b, 5), np.repeat(np.arange(60), 5))
    assert (again.low, again.high, again.p) == pytest.approx((once.low, once.high, once.p))
    assert again.n == 300
    assert again.minimum_detectable == pytest.approx(once.minimum_detectable, rel=0.02)
    swapped = paired_difference(b, a, np.arange(60))
    assert (swapped.mean, swapped.low) == pytest.approx((-once.mean, -once.high))


def test_what_few_pairs_could_show_is_said_by_design_and_not_from_what_was_seen() -> None:
    z = scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8)
    d, nothing = np.tile([1.0, 0, 0, 0], 12), np.zeros(48)
    assert paired_difference(d, nothing, np.arange(48)).minimum_detectable == pytest.approx(z * math.sqrt(0.5 / 48))
    assert paired_difference(d[:12], nothing[:12], np.arange(12)).minimum_detectable == pytest.approx(z**2 / 12)
    assert math.isnan(paired_difference(d[:6], nothing[:6], np.arange(6)).minimum_detectable)
    more = paired_difference(np.tile(d, 2), np.tile(nothing, 2), np.arange(96))
    assert more.minimum_detectable == pytest.approx(z * math.sqrt(0.25 / 96))


def test_differences_that_spread_does_not_measure() -> None:
    clips = np.arange(24) // 2
    same = paired_difference(np.ones(24), np.ones(24), clips)
    assert (same.mean, same.p, same.discordance, same.kind) == (0, 1, 0, "all alike, clustered")
    all_differ = paired_difference(np.ones(24), np.zeros(24), clips)
    assert all_differ.high == all_differ.mean == 1
    assert 0 < all_differ.low < 1
    assert all_differ.p < 0.01
    evened_out = paired_difference(np.tile([1, 0], 12), np.tile([0, 1], 12), clips)
    assert evened_out.low == pytest.approx(-evened_out.high) == pytest.approx(same.low)
    assert {case.minimum_detectable for case in (same, all_differ, evened_out)} == {same.minimum_detectable}
    for few in (np.ones(9), np.ones(40)):  # nine items; four clips
        case = paired_difference(few, 0 * few, np.arange(len(few)) // 10)
        assert case.kind == "counts only"
        assert case.mean == 1
        assert math.isnan(case.low)
        assert math.isnan(case.p)
    assert math.isnan(paired_difference([], [], []).mean)
    with pytest.raises(ValueError, match=r"pairs of shape \(1,\) and \(2,\)"):
        paired_difference([1], [1, 0], [0])


@pytest.mark.slow
def test_tost_calls_a_difference_at_the_margin_equivalent_at_most_one_time_in_twenty() -> None:
    random, runs, margin = np.random.default_rng(10), 3000, 0.05
    called = 0
    for _ in range(runs):
        clusters = np.repeat(np.arange(250), random.integers(1, 4, 250))
        size = len(clusters)
        shift = random.random(250)[clusters] < 0.5  # the difference comes and goes by clip
        d = shift * random.choice([1, 0, -1], size, p=[0.2, 0.7, 0.1])  # mean: half of 0.1
        called += equivalence(d, np.zeros(size), clusters, margin).equivalent
    assert called / runs <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert called / runs > 0.03  # nor is it timid


def test_tost_is_its_interval_and_finds_equivalence() -> None:
    random = np.random.default_rng(11)
    for n in (100, 400, 3000):
        a, b = random.random((2, n)) < 0.5
        found = equivalence(a, b, np.arange(n), 0.05)
        assert found.equivalent == (found.p < 0.05) == (found.low90 > -0.05 and found.high90 < 0.05)
        assert found.mean == pytest.approx(a.mean() - b.mean())
    assert found.equivalent
    plain = sm.stats.ttost_paired(a.astype(float), b.astype(float), -0.05, 0.05)
    assert found.p == pytest.approx(plain[0], rel=0.05)


def test_tost_of_pairs_that_are_all_alike_counts_the_clusters() -> None:
    x = np.ones(400)
    assert equivalence(x, x, np.arange(400) // 2, 0.02).p == pytest.approx(0.98**200)
    assert equivalence(x, x, np.arange(400) // 2, 0.02).equivalent
    few = equivalence(x, x, np.arange(400) // 4, 0.02)
    assert not few.equivalent
    assert few.high90 == -few.low90 > 0.02
    shifted = equivalence(x, 0 * x, np.arange(400), 0.02)
    assert not shifted.equivalent
    assert shifted.p > 0.99
    with pytest.raises(ValueError, match="a margin of 0"):
        equivalence(x, x, x, 0)


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm([]).shape == benjamini_hochberg([]).shape == (0,)
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, math.nan])


@pytest.mark.parametrize("n", [1, 2, 7, 50])
def test_holm_and_benjamini_hochberg_are_those_of_statsmodels(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "collect", lambda: 0)  # it collects garbage at every call: half a second here
    random = np.random.default_rng(n)
    for p in (random.random(n), random.integers(0, 5, n) / 4, random.random(n) ** 9, np.zeros(n), np.ones(n)):
        assert holm(p).tolist() == multitest.multipletests(p, method="holm")[1].tolist()
        assert benjamini_hochberg(p) == pytest.approx(multitest.multipletests(p, method="fdr_bh")[1], rel=1e-12)


def test_benjamini_hochberg_keeps_its_promise() -> None:
    """20 tests, 10 of them of nothing: the share of false rejections."""
    random, runs, share_false = np.random.default_rng(12), 2000, 0.0
    for _ in range(runs):
        p = scipy.stats.norm.sf(random.normal(size=20) + np.repeat([0, 3], 10))
        rejected = benjamini_hochberg(p) <= 0.10
        share_false += rejected[:10].sum() / max(1, rejected.sum())
    assert 0.03 <= share_false / runs <= 0.06  # 0.10 times the half that is of nothing


def test_cohen_kappa() -> None:
    # 20 both yes, 15 both no, 5 and 10 otherwise: 35/50 alike, half by chance
    a, b = np.repeat([1, 1, 0, 0], [20, 5, 10, 15]), np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohen_kappa(a, b) == pytest.approx(0.4)
    assert cohen_kappa(a, a) == 1
    assert cohen_kappa(["x", "y"], ["y", "x"]) == -1
    assert math.isnan(cohen_kappa([2, 2], [2, 2]))
    assert math.isnan(cohen_kappa([], []))
    with pytest.raises(ValueError, match="shape"):
        cohen_kappa([1], [1, 2])


def test_fleiss_kappa() -> None:
    # Fleiss (1971) as worked through in many textbooks: 10 cases, 14 raters, 5 categories
    rows = "0 0 0 0 14/0 2 6 4 2/0 0 3 5 6/0 3 9 2 0/2 2 8 1 1/7 7 0 0 0/3 2 6 3 0/2 5 3 2 2/6 5 2 1 0/0 2 2 3 7"
    table = [[int(n) for n in row.split()] for row in rows.split("/")]
    assert fleiss_kappa(table) == pytest.approx(0.210, abs=5e-4)
    assert math.isnan(fleiss_kappa([[3, 0], [3, 0]]))
    with pytest.raises(ValueError, match="same number of ratings"):
        fleiss_kappa([[3, 0], [2, 0]])


def test_chance_corrected() -> None:
    assert chance_corrected(0.25, 0.25) == 0
    assert chance_corrected(1.0, 0.25) == 1
    assert chance_corrected(0.46, 0.28) == pytest.approx(0.25)
    assert chance_corrected(0.1, 0.25) < 0


def test_binomial_tail_is_the_luck_of_the_published_rule() -> None:
    shares = binomial_at_least(2, 3, 1 / np.array([2, 3, 4, 5, 10]))
    assert shares.round(3).tolist() == [0.5, 0.259, 0.156, 0.104, 0.028]
    assert binomial_at_least([0, 3, 4], 3, 0.5).tolist() == pytest.approx([1, 0.125, 0])


def test_guessing_is_the_binomial_where_all_chances_are_equal() -> None:
    for right in (0, 3, 10, 25):
        tails = scipy.stats.binom.sf(right - 1, 40, 0.25), scipy.stats.binom.cdf(right, 40, 0.25)
        assert guessing(right, np.full(40, 0.25)).two_sided == pytest.approx(min(1, 2 * min(tails)))
    assert guessing(0, []) == (1, 1)


def test_guessing_is_exact_for_mixed_chances() -> None:
    chances = [0.5] * 3 + [0.25] * 5 + [0.2] * 2
    masses = np.ones(1)
    for p in chances:
        masses = np.convolve(masses, [1 - p, p])
    for right in range(len(chances) + 1):
        expected = min(1.0, 2 * min(masses[right:].sum(), masses[: right + 1].sum()))
        assert guessing(right, chances).two_sided == pytest.approx(expected)


def test_guessing_reaches_far_into_the_tail_and_to_large_sets() -> None:
    chances = np.r_[np.full(300_000, 0.25), np.full(100_000, 0.5)]
    assert guessing(125_000, chances).two_sided > 0.99
    assert 0 <= guessing(130_000, chances).two_sided < 1e-50
