"""The one interval: it holds the truth for few and uneven clips, near 0 and 1, and has a width."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy
from helpers.lazy import lazy

from audiocontrib.statistics import CHANGE, mean_by_clip, wilson
from audiocontrib.statistics.clusters import ALIKE, COUNTS, STUDENT, WILSON

sm = lazy("statsmodels.api")

Array = np.ndarray


def sizes_of(kind: str, clips: int) -> Array:
    if kind == "even":
        return np.full(clips, 5)
    if kind == "one big":
        return np.r_[4 * clips, np.full(clips - 1, 2)]
    return np.maximum(1, np.random.default_rng(3).lognormal(1, 1, clips).round()).astype(int)


def drawn(random: np.random.Generator, share: float, sizes: Array, icc: float = 0.3) -> tuple[Array, Array]:
    """Right and wrong answers, with a rate for each clip."""
    spread = 1 / icc - 1
    rate = random.beta(share * spread, (1 - share) * spread, len(sizes))
    clips = np.repeat(np.arange(len(sizes)), sizes)
    return (random.random(len(clips)) < rate[clips]) * 1.0, clips


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["even", "skewed", "one big"])
@pytest.mark.parametrize("clips", [5, 10, 20, 50])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_the_interval_of_a_share_holds_the_truth(kind: str, clips: int, share: float) -> None:
    random, runs = np.random.default_rng(1), 300
    ends = [mean_by_clip(*drawn(random, share, sizes_of(kind, clips))).interval() for _ in range(runs)]
    assert all(0 <= low < high <= 1 for low, high in ends)
    held = np.mean([low <= share <= high for low, high in ends])
    assert held >= 0.92 - 2 * math.sqrt(0.92 * 0.08 / runs)


@pytest.mark.slow
@pytest.mark.parametrize(("clips", "size"), [(10, 1), (20, 1), (5, 3), (20, 3), (50, 3)])
@pytest.mark.parametrize(("heard", "read"), [(0.94, 0.25), (0.98, 0.05), (0.5, 0.5)])
def test_the_interval_of_a_contribution_holds_the_truth(clips: int, size: int, heard: float, read: float) -> None:
    random, runs, held = np.random.default_rng(2), 300, 0
    sizes = np.full(clips, size)
    for _ in range(runs):
        audio, on = drawn(random, heard, sizes)
        added = (audio - drawn(random, read, sizes)[0]) / 0.75
        low, high = mean_by_clip(added, on, (-4 / 3, 4 / 3)).interval()
        assert -4 / 3 <= low < high <= 4 / 3
        held += low <= (heard - read) / 0.75 <= high
    assert held / runs >= 0.92 - 2 * math.sqrt(0.92 * 0.08 / runs)


def test_the_error_and_its_freedom_are_the_matrices_of_cr2() -> None:
    """With one clip a row of 1s: A_g = (I - H_gg)^(-1/2), and the Satterthwaite ratio, as matrices of n by n."""
    random = np.random.default_rng(4)
    sizes = np.array([1, 2, 3, 5, 8])
    clips, x = np.repeat(np.arange(5), sizes), random.normal(size=19)
    n, hat = 19, np.full((19, 19), 1 / 19)
    residual, variance, columns = x - x.mean(), 0.0, []
    for clip in range(5):
        own = clips == clip
        values, vectors = np.linalg.eigh(np.eye(own.sum()) - hat[np.ix_(own, own)])
        weight = vectors @ np.diag(values**-0.5) @ vectors.T
        variance += float((weight @ residual[own]).sum() ** 2) / n**2
        columns.append((np.eye(n) - hat)[:, own] @ weight @ np.full(own.sum(), 1 / n))
    spread = np.stack(columns, axis=1).T @ np.stack(columns, axis=1)
    found = mean_by_clip(x, clips, None)
    assert found.kind == STUDENT
    assert found.error == pytest.approx(math.sqrt(variance))
    assert found.freedom == pytest.approx(np.trace(spread) ** 2 / (spread**2).sum())


def test_independent_cases_have_nearly_wilsons_interval_and_numbers_the_t_interval() -> None:
    right = np.repeat([1.0, 0.0], [300, 100])
    found = mean_by_clip(right, np.arange(400))
    assert found.kind == WILSON
    assert found.interval() == pytest.approx(wilson(300, 400), abs=1e-3)
    bits = np.random.default_rng(5).normal(size=40)
    assert mean_by_clip(bits, np.arange(40), None).interval() == pytest.approx(
        sm.stats.DescrStatsW(bits).tconfint_mean()
    )


def test_where_all_are_alike_the_clips_count() -> None:
    clips = np.arange(60) // 3
    found = mean_by_clip(np.ones(60), clips)
    z = scipy.stats.t.ppf(0.975, found.freedom)
    assert (found.kind, found.interval()) == (ALIKE, pytest.approx((20 / (20 + z**2), 1)))
    uneven = mean_by_clip(np.ones(60), np.minimum(np.arange(60), 8))
    assert uneven.interval().low < found.interval().low
    unbounded = mean_by_clip(np.ones(60), clips, None)
    assert np.isnan(unbounded.interval()).all()


def test_few_items_or_clips_have_no_interval() -> None:
    for n, clips in ((9, 9), (100, 4), (0, 0)):
        found = mean_by_clip(np.arange(n) % 2, np.arange(n) % max(clips, 1))
        assert (found.kind, found.n, found.clusters) == (COUNTS, n, clips)
        assert np.isnan([*found.interval(), found.p_value()]).all()
    assert mean_by_clip(np.arange(10) % 2, np.arange(10) // 2).kind == ALIKE


def test_the_p_value_is_below_5_percent_exactly_where_the_interval_leaves_the_value_out() -> None:
    random = np.random.default_rng(6)
    for _ in range(200):
        n = int(random.integers(10, 80))
        d = random.choice([-1.0, 0, 1], n, p=random.dirichlet([1, 3, 1]))
        clips = random.integers(0, 12, n)
        found = mean_by_clip(d, clips, CHANGE)
        if found.kind == COUNTS:
            continue
        low, high = found.interval()
        assert -1 <= low < high <= 1
        assert (found.p_value() < 0.05) == (not low <= 0 <= high)
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_by_clip([2.0, 0], [0, 1])
