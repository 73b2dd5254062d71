"""False discoveries, power and coverage of the models of luck, on simulated answers with a known truth.

python benchmarks/decoys.py                 about five minutes on one core
python benchmarks/decoys.py --repeats 20 --parts shared
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from helpers.simulated import asked, bayesian_fdr, false_share, likelihoods, replies, views

from audiocontrib.contribution.agreement import shared_preferences
from audiocontrib.contribution.answerable import NotIdentified, answerable_probability, fit_answerable
from audiocontrib.contribution.decoys import q_values
from audiocontrib.contribution.leak_estimates import leak_share

TARGET = 0.10
MIXED = (2, 3, 4, 5, 10)


def mean(rows: list[tuple[float, ...]]) -> str:
    """Means over the repetitions, and the Monte Carlo error of each."""
    table = np.array(rows)
    error = table.std(axis=0, ddof=1) / np.sqrt(len(table))
    return "  ".join(f"{value:6.3f} ±{e:.3f}" for value, e in zip(table.mean(axis=0), error, strict=True))


def rules(rng: np.random.Generator, repeats: int) -> None:
    """The published vote against the decoys: 4,000 items, 45 % leaks."""
    print("K            shared   vote FDR       all: FDR       power          top-two: FDR   power          leak share")
    for sizes in [(k,) for k in MIXED] + [MIXED]:
        for shared in (0, 0.6, 0.95):
            rows = []
            for _ in range(repeats):
                a = likelihoods(rng, rng.choice(sizes, 4000), shared=shared)
                contest = a.contest()
                called = [q_values(contest, decoys) <= TARGET for decoys in ("all", "top-two")]
                rates = [rate for one in called for rate in (false_share(one, a.leak), one[a.leak].mean())]
                share = leak_share(contest.rank, contest.clip).mean
                rows.append((false_share(a.voted_weak(), a.leak), *rates, share))
            print(f"{'/'.join(map(str, sizes)):12} {shared:6}   {mean(rows)}", flush=True)


def shared(rng: np.random.Generator, repeats: int) -> None:
    """Whole tastes in common: the posterior breaks, the decoys lose their power; 3,000 items, 40 % leaks, K = 4."""
    print(
        "alpha beta sharing   shared_preferences  posterior FDR  and power     decoy FDR      and power      finds any"
    )
    k = np.full(3000, 4)
    for alpha, beta in ((0.1, 3.0), (0.5, 3.0), (2.0, 6.0)):
        for sharing in (0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.6, 0.9):
            rows = []
            for _ in range(repeats):
                a, counts = replies(rng, k, alpha=alpha, beta=beta, sharing=sharing)
                given = asked(a, counts)
                p = answerable_probability(fit_answerable(*given), *given)
                called = q_values(a.contest()) <= TARGET
                found = [(false_share(on, a.leak), on[a.leak].mean()) for on in (bayesian_fdr(p, TARGET), called)]
                rows.append(
                    (shared_preferences(views(a, counts), condition="text"), *found[0], *found[1], float(called.any()))
                )
            print(f"{alpha:5} {beta:4} {sharing:7}   {mean(rows)}", flush=True)


def nothing(rng: np.random.Generator, repeats: int) -> None:
    """No leaks at all: in how many runs anything is found; 3,000 items."""
    print("K            sharing   finds any")
    for sizes in ((4,), MIXED):
        for sharing in (0, 0.9):
            runs = [replies(rng, rng.choice(sizes, 3000), leaks=0, sharing=sharing)[0] for _ in range(5 * repeats)]
            rows = [(float((q_values(a.contest()) <= TARGET).any()),) for a in runs]
            print(f"{'/'.join(map(str, sizes)):12} {sharing:7}   {mean(rows)}", flush=True)


def coverage(rng: np.random.Generator, repeats: int) -> None:
    """How often the 95 % intervals of P(answerable)'s share and of the decoys' leak share hold the truth."""
    print("share by the posterior's fit: n, what is planted, holds")
    for n, planted in (
        (300, {"leaks": 0.0}),
        (300, {"leaks": 0.05}),
        (300, {"leaks": 0.4}),
        (300, {"leaks": 0.4, "alpha": 0.1}),
        (1000, {"leaks": 0.4, "models": 1, "orders": 12}),
        (3000, {"leaks": 0.4, "models": 2, "alpha": 1e-3}),
    ):
        rows = []
        for _ in range(10 * repeats):
            with suppress(NotIdentified):
                low, high = fit_answerable(*asked(*replies(rng, np.full(n, 4), **planted))).share_interval
                rows.append((float(low <= planted["leaks"] <= high),))
        print(f"{n:5} {planted} {mean(rows)}, {10 * repeats - len(rows)} refused", flush=True)
    print("leak share by decoys: clips of 1 to 9 items that leak together, gold on top with 0.8; clips, holds")
    for clips in (50, 200, 1000):
        rows = []
        for _ in range(10 * repeats):
            clip = np.repeat(np.arange(clips), rng.integers(1, 10, clips))
            k = rng.choice(MIXED, len(clip))
            won = rng.random(len(k)) < np.where((rng.random(clips) < 0.4)[clip], 0.8, 1 / k)
            rank = np.where(won, 0, rng.integers(1, k))
            low, high = leak_share(rank, clip).interval()
            truth = 0.4 * np.mean([0.8 - 0.2 / (size - 1) for size in MIXED])
            rows.append((float(low <= truth <= high),))
        print(f"{clips:5} {mean(rows)}", flush=True)


PARTS: dict[str, Callable[[np.random.Generator, int], None]] = {
    part.__name__: part for part in (rules, shared, nothing, coverage)
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for part in args.parts:
        print(f"\n{PARTS[part].__doc__}")
        PARTS[part](np.random.default_rng(args.seed), args.repeats)
