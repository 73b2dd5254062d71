"""What the decoys, certificates and intervals claim, on worlds with planted truth.

Wrong options are weak there, golds have a style, clips repeat, tastes are shared, and clips are few.

python benchmarks/worlds.py                                  several minutes on one core
python benchmarks/worlds.py --repeats 20 --parts rules
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from audiocontrib import load_items
from audiocontrib.contribution.certificate import residual
from audiocontrib.contribution.contest import Contest
from audiocontrib.contribution.decoys import q_values
from audiocontrib.contribution.discovery_band import false_proportion_limit
from audiocontrib.contribution.leak_estimates import leak_share, local_leak, second_share
from audiocontrib.contribution.strong_evidence import golds_look_worse, golds_that_may_be_strong, leaks_left
from audiocontrib.statistics import guessing, mean_by_clip, wilson_upper

TARGET = 0.10
MIXED = (2, 3, 4, 5, 10)
STEEP = {2: 0.1, 3: 0.3, 4: 0.5, 5: 0.7, 10: 0.9}
WORLDS: dict[str, dict[str, Any]] = {
    "base": {},
    "one dead option of three": {"dead": 1},
    "two dead options": {"dead": 2},
    "K = 10, six dead": {"sizes": (10,), "dead": 6},
    "mixed K, n = 50": {"sizes": MIXED, "n": 50},
    "mixed K, n = 100": {"sizes": MIXED, "n": 100},
    "mixed K, n = 300": {"sizes": MIXED, "n": 300},
    "clips of 20, no leak": {"per_clip": 20, "leaks": 0.0},
    "clips of 20, whole clips leak": {"per_clip": 20},
    "leaks that rise with K": {"sizes": MIXED, "leaks": STEEP},
    "style of golds .3": {"style": 0.3},
    "style of golds .6": {"style": 0.6},
    "style of golds 1": {"style": 1.0},
    "two dead, style .6": {"dead": 2, "style": 0.6},
    "style .6, no leak": {"style": 0.6, "leaks": 0.0},
    "20 % strong leaks, style 1": {"style": 1.0, "leaks": 0.2, "boost": 4.0},
    "mixed K, n = 50, 30 % strong leaks": {"sizes": MIXED, "n": 50, "leaks": 0.3, "boost": 4.0},
    "mixed K, n = 100, 20 % strong leaks": {"sizes": MIXED, "n": 100, "leaks": 0.2, "boost": 4.0},
    "mixed K, n = 300, 10 % strong leaks": {"sizes": MIXED, "n": 300, "leaks": 0.1, "boost": 4.0},
}


def world(
    rng: np.random.Generator, *, n: int = 1000, sizes: tuple[int, ...] = (4,), leaks: float | dict[int, float] = 0.45,
    shared: float = 0.6, boost: float = 1.9, style: float = 0.0, dead: int = 0, per_clip: int = 1, models: int = 3,
) -> tuple[np.ndarray, Contest, Contest]:  # fmt: skip
    """Truth, the contest of the gold with its own options, and that with a foreign gold (rank 2: neither on top).

    Log-posteriors are tastes, of which a part is common to all models; on the gold of a leak a push of boost times a
    strength in [.5, 1.5]; on every gold, the foreign one too, its style; from dead options 4 nats.
    """
    clip = np.arange(n) // per_clip
    k = rng.choice(sizes, clip.max() + 1)[clip]
    widest = int(k.max()) + 1  # the last is the foreign gold
    rates = np.array([leaks[int(one)] for one in k]) if isinstance(leaks, dict) else np.full(n, leaks)
    leak, gold = (rng.random(clip.max() + 1)[clip] < rates), (rng.random(clip.max() + 1)[clip] * k).astype(int)
    common, own = (
        rng.normal(size=(clip.max() + 1, 1, widest))[clip],
        rng.normal(size=(clip.max() + 1, models, widest))[clip],
    )
    if per_clip > 1:
        common, own = (0.95 * one + 0.3 * rng.normal(size=(n, *one.shape[1:])) for one in (common, own))
    z = shared * common + np.sqrt(1 - shared**2) * own
    row, place = np.arange(n), np.arange(widest)
    z[row, :, gold] += leak[:, None] * boost * rng.uniform(0.5, 1.5, (n, models)) + style
    z[:, :, -1] += style
    wrong = (place < k[:, None]) & (place != gold[:, None])
    lot = np.where(wrong, rng.random((n, widest)), 2.0)
    z -= 4.0 * (wrong & (lot.argsort(axis=1).argsort(axis=1) < dead))[:, None]
    z = np.where(((place < k[:, None]) | (place == widest - 1))[:, None], z, -np.inf)

    def mean(logits: np.ndarray) -> np.ndarray:
        p = np.exp(logits - logits.max(axis=2, keepdims=True))
        return (p / p.sum(axis=2, keepdims=True)).mean(axis=1)

    held, offered = mean(z[:, :, :-1]), mean(z)
    best, second = np.log(np.partition(held, -2, axis=1)[:, :-3:-1].T)
    first = np.unique(clip, return_index=True)[1][clip] if per_clip > 1 else row
    plain = Contest((held > held[row, gold][:, None]).sum(axis=1), np.round(best - second, 3), k, clip, first)
    ratio = np.round(np.log(offered[row, gold]) - np.log(offered[:, -1]), 3)
    top = offered.max(axis=1)
    rank = np.select([offered[row, gold] == top, offered[:, -1] == top], [0, 1], 2)
    return leak, plain, Contest(rank, np.abs(ratio), np.full(n, 2), clip, first)


def false_and_power(called: np.ndarray, leak: np.ndarray) -> tuple[float, float]:
    """Share of false ones among the called, and share of the leaks that are called."""
    return (called & ~leak).sum() / max(called.sum(), 1), called[leak].mean() if leak.any() else np.nan


def rules(rng: np.random.Generator, repeats: int) -> None:
    """FDR / power at a target of .10, runs that find anything, and runs with a warning on second places."""
    print(f"{'world':32} {'all':>22} {'top-two':>22} {'foreign':>22}  second/alike warned  band holds (top-two)")
    for name, planted in WORLDS.items():
        rows, more = {one: [] for one in ("all", "top-two", "foreign")}, []
        for _ in range(repeats):
            leak, plain, foreign = world(rng, **planted)
            for decoys, held in rows.items():
                contest = foreign if decoys == "foreign" else plain
                called = contest.won & (q_values(contest, decoys) <= TARGET)
                held.append((*false_and_power(called, leak), called.any()))
            q = q_values(plain)
            limit = false_proportion_limit(plain, q, TARGET)
            second, alike = second_share(plain)
            fdp = rows["top-two"][-1][0]
            more.append((second.mean, alike, second.interval().low > alike, 1.0 if limit != limit else fdp <= limit))
        cells = []
        for held in rows.values():
            table = np.array(held, float)
            error = table[:, 0].std(ddof=1) / np.sqrt(repeats)
            cells.append(f"{table[:, 0].mean():.3f}±{error:.3f}/{np.nanmean(table[:, 1]):.2f} {table[:, 2].mean():.0%}")
        seconds = np.nanmean(np.array(more, float), axis=0)
        print(f"{name:32} " + " ".join(f"{cell:>22}" for cell in cells)
              + f"  {seconds[0]:.2f}/{seconds[1]:.2f}  {seconds[2]:.0%}  {seconds[3]:.2f}", flush=True)  # fmt: skip


def shares(rng: np.random.Generator, repeats: int) -> None:
    """The leak share, P(leak) where the gold is on top, and the leaks left where it is not; stated and true."""
    print(f"{'world':32} leak share (true)  holds   P(leak|gold on top) (true)   left among lost (true)  holds")
    for name in ("base", "one dead option of three", "two dead options", "K = 10, six dead", "style of golds .6"):
        for boost in (1.9, 4.0):
            rows = []
            for _ in range(repeats):
                leak, plain, _ = world(rng, boost=boost, **WORLDS[name])
                found, lost = leak_share(plain.rank, plain.clip), plain.rank > 0
                left = leaks_left(plain, lost)
                low, high = left.interval()
                share = (found.mean, leak.mean(), found.interval().low <= leak.mean())
                local = (local_leak(plain)[~lost].mean(), leak[~lost].mean())
                rows.append((*share, *local, left.mean, leak[lost].mean(), low <= leak[lost].mean() <= high))
            m = np.mean(np.array(rows, float), axis=0)
            print(f"{name:28} {boost}  {m[0]:.3f} ({m[1]:.3f}) {m[2]:.2f}   "
                  f"{m[3]:.3f} ({m[4]:.3f})   {m[5]:.3f} ({m[6]:.3f})"
                  f" {m[7]:.2f}", flush=True)  # fmt: skip


def worse(rng: np.random.Generator, repeats: int) -> None:
    """Golds that look worse than wrong options: how often it is seen, and the leaks left in strong beside the truth."""
    for planted in ({}, {"leaks": 0.0}, {"style": -0.15}, {"style": -0.3}, {"style": -0.6}):
        rows = []
        for _ in range(repeats):
            leak, plain, _ = world(rng, **planted)
            weak = plain.won & (q_values(plain) <= TARGET)
            strong = (plain.rank > 0) | golds_that_may_be_strong(plain, weak, 0.1)
            left = leaks_left(plain, strong)
            seen = golds_look_worse(plain, weak)
            rows.append((seen, left.mean, leak[strong].mean(), false_and_power(weak, leak)[0]))
        m = np.mean(np.array(rows, float), axis=0)
        print(f"{planted}: seen {m[0]:.2f}, left {m[1]:.3f} (true {m[2]:.3f}), FDR {m[3]:.3f}", flush=True)


def cells() -> Iterator[tuple[str, list[np.ndarray], float, float]]:
    """The 64 cells: a name, draws of the clips' sizes, the true share, and how alike answers on a clip are (ICC)."""
    for kind in ("even", "skewed", "one big"):
        for clips in (5, 10, 20, 50):
            sizes = {
                "even": np.full(clips, 5),
                "skewed": np.maximum(1, np.random.default_rng(3).lognormal(1, 1, clips).round()).astype(int),
                "one big": np.r_[4 * clips, np.full(clips - 1, 2)],
            }[kind]
            for share in (0.5, 0.9, 0.98):
                yield f"{kind}, {clips} clips", [sizes], share, 0.3
    counts: dict[str, Counter[str]] = {}
    for item in load_items("real-sounds"):
        counts.setdefault(str(item.question_type), Counter())[item.clip_id] += 1
    for name, own in counts.items():
        if max(own.values()) > 1:
            for share in (0.5, 0.94):
                yield f"real-sounds, {name}", [np.array([*own.values()])], share, 0.3
    for alike in (0.1, 0.3):
        for clips in (10, 20, 50):
            draw = np.random.default_rng(8)
            drawn = [np.maximum(1, draw.lognormal(np.log(3), 0.7, clips).round()).astype(int) for _ in range(8)]
            for share in (0.5, 0.9):
                yield f"mildly skewed, {clips} clips, ICC {alike}", drawn, share, alike


def intervals(rng: np.random.Generator, repeats: int) -> None:
    """How often the 95 % interval holds the truth: clip sizes, clips, share; least and most over the cells."""
    del rng
    found = []
    for name, drawn, share, alike in cells():
        draw, held, narrow = np.random.default_rng(1), 0, 0
        spread = 1 / alike - 1
        for turn in range(10 * repeats):
            sizes = drawn[turn % len(drawn)]
            rate = draw.beta(share * spread, (1 - share) * spread, len(sizes))
            on = np.repeat(np.arange(len(sizes)), sizes)
            low, high = mean_by_clip(draw.random(len(on)) < rate[on], on).interval()
            held, narrow = held + (low <= share <= high), narrow + (high - low < 1e-9)
        found.append(held / (10 * repeats))
        print(f"{name}, share {share}: {found[-1]:.3f}, without width {narrow}", flush=True)
    print(f"{len(found)} cells: least {min(found):.3f}, most {max(found):.3f}")


def certificates(rng: np.random.Generator, repeats: int) -> None:
    """How often the bound of a certificate holds, with 1/K for luck and given the options that leave an item strong."""
    for rule in ("votes", "fdr"):
        for shared in (0.0, 0.3, 0.6):
            for n in (300, 3000):
                rows = [certified(rng, rule, shared, n) for _ in range(10 * repeats if n == 300 else 3 * repeats)]
                truth, bare, given = np.array(rows, float).T
                ok = ~np.isnan(bare)
                print(f"{rule:6} shared {shared} n = {n:4}: refused {1 - ok.mean():.2f}, 1/K holds "
                      f"{(bare >= truth)[ok].mean() if ok.any() else np.nan:.3f} (bound {np.nanmean(bare):.3f}); "
                      f"given the options {(given >= truth).mean():.3f} "
                      f"(bound {given.mean():.3f}, truth {truth.mean():.3f})", flush=True)  # fmt: skip


def certified(rng: np.random.Generator, rule: str, shared: float, n: int) -> tuple[float, float, float]:
    """Truth and the two bounds; three models filter, a fourth knows half of the leaks."""
    leak, gold, row = rng.random(n) < 0.3, rng.integers(0, 4, n), np.arange(n)
    z = shared * rng.normal(size=(n, 1, 4)) + np.sqrt(1 - shared**2) * rng.normal(size=(n, 4, 4))
    knows = leak[:, None] & (rng.random((n, 4)) < np.array([0.6, 0.6, 0.6, 0.5]))
    z[row, :, gold] += 12.0 * knows
    if rule == "votes":
        fits = (z[:, :3].argmax(axis=2)[:, :, None] == np.arange(4)).sum(axis=1) < 2
    else:  # strong is a wrong option on top
        p = np.exp(z[:, :3] - z[:, :3].max(axis=2, keepdims=True))
        mean = (p / p.sum(axis=2, keepdims=True)).mean(axis=1)
        fits = mean < mean.max(axis=1, keepdims=True)
    strong, chosen = fits[row, gold], z[:, 3].argmax(axis=1)
    right, size = (chosen == gold)[strong], int(strong.sum())
    upper = wilson_upper(int(right.sum()), size)
    over = guessing(int(right.sum()), np.full(size, 0.25)).at_most < 0.05 and upper < 0.25
    among = strong & fits[row, chosen]
    bound = wilson_upper(int((chosen == gold)[among].sum()), int(among.sum()))
    given = among.sum() / size * residual(bound, fits[among].sum(axis=1))
    return knows[strong, 3].mean(), np.nan if over else residual(upper, np.full(size, 4)), given


def thresholds(rng: np.random.Generator, repeats: int) -> None:
    """The published vote: how many of three must be right; the true false share of weak, and its estimate."""
    for shared in (0.0, 0.6, 0.95):
        for need in (1, 2, 3):
            rows = []
            for _ in range(repeats):
                n, row = 1000, np.arange(1000)
                leak, gold = rng.random(n) < 0.45, rng.integers(0, 4, n)
                z = shared * rng.normal(size=(n, 1, 4)) + np.sqrt(1 - shared**2) * rng.normal(size=(n, 3, 4))
                z[row, :, gold] += leak[:, None] * 1.9 * rng.uniform(0.5, 1.5, (n, 3))
                calls = (z.argmax(axis=2)[:, :, None] == np.arange(4)).sum(axis=1) >= need
                weak, wrong = calls[row, gold], calls.sum(axis=1) - calls[row, gold]
                rows.append((false_and_power(weak, leak)[0], wrong.sum() / 3 / weak.sum()))
            truth, found = np.array(rows).T
            print(f"shared {shared}: {need} of 3 right: false {truth.mean():.3f}, estimate {found.mean():.3f} "
                  f"(standard deviation of its error {(found - truth).std():.3f})", flush=True)  # fmt: skip


PARTS: dict[str, Callable[[np.random.Generator, int], None]] = {
    part.__name__: part for part in (rules, shares, worse, certificates, thresholds, intervals)
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=100)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    for part in args.parts:
        print(f"\n{PARTS[part].__doc__}")
        PARTS[part](np.random.default_rng(args.seed), args.repeats)
