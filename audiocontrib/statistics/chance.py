"""What guessing gives."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


def chance_corrected(accuracy: float, chance: float) -> float:
    """(accuracy - chance) / (1 - chance): 0 for guessing, 1 for always right, negative below chance."""
    return (accuracy - chance) / (1 - chance)


def binomial_at_least(successes: ArrayLike, n: ArrayLike, p: ArrayLike) -> NDArray[np.float64]:
    """P(X >= successes) for X ~ Binomial(n, p), exact; the arguments broadcast against each other."""
    from scipy.special import bdtrc  # scipy.stats would take seconds to import

    wanted, drawn = np.asarray(successes), np.asarray(n)
    tail = bdtrc(np.minimum(wanted, drawn) - 1, drawn, np.asarray(p, dtype=np.float64))
    return np.asarray(np.where(wanted > drawn, 0.0, tail), dtype=np.float64)


class Tails(NamedTuple):
    """Both tails of a count, its own probability in each."""

    at_most: float
    at_least: float

    @property
    def two_sided(self) -> float:
        """Two-sided p-value: twice the smaller tail, at most 1."""
        return min(1.0, 2 * min(self))


def guessing(successes: int, chances: ArrayLike) -> Tails:
    """P(at most, at least so many right), where each item is guessed with a chance of its own.

    Items with the same chance make a binomial; the largest of these is summed by its exact tail, the others
    by their probabilities (Poisson binomial distribution, exact but for masses below 1e-20).

    Args:
        chances: shape (n,), of few distinct values (1/K).
    """
    from scipy.stats import binom

    values, counts = np.unique(np.asarray(chances, dtype=np.float64), return_counts=True)
    if not len(values):
        return Tails(1.0, 1.0)
    largest = int(counts.argmax())
    others = np.ones(1)  # probabilities of `first`, first + 1, … successes among the smaller groups
    first = 0
    for group, (p, n) in enumerate(zip(values, counts, strict=True)):
        if group != largest:
            start, masses = _masses(int(n), float(p))
            others, first = np.convolve(others, masses), first + start
    rest = successes - first - np.arange(len(others))
    n, p = counts[largest], values[largest]
    at_most, at_least = (others * binom.cdf(rest, n, p)).sum(), (others * binom.sf(rest - 1, n, p)).sum()
    return Tails(min(float(at_most), 1.0), min(float(at_least), 1.0))


def _masses(n: int, p: float) -> tuple[int, NDArray[np.float64]]:
    """The binomial probabilities within ten standard deviations of the mean, and the count they begin at."""
    from scipy.stats import binom

    reach = 10 * np.sqrt(n * p * (1 - p)) + 10
    low, high = max(0, int(n * p - reach)), min(n, int(n * p + reach))
    return low, binom.pmf(np.arange(low, high + 1), n, p)
