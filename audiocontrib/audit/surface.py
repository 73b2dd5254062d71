"""Surface tests: is the gold the longest, the shortest, the one with the comma? Against the exact null.

The null: whatever the texts are, each option of an item is as likely to be the gold as any other. Under it
the number of items whose gold is strictly the most of something is a sum of independent draws with chance
1/K, over the items that have such an option.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audiocontrib.audit.base import CHECKS, CheckResult, Finding, Settings
from audiocontrib.audit.options import OptionTable, strictly_most, surface
from audiocontrib.statistics import guessing, mean_by_clip

if TYPE_CHECKING:
    import pyarrow as pa

MATTERS = 0.02
"""A share that differs by less from what is expected is a note, however sure it is that it differs."""
LEAST = 20
"""Items that a test needs; with fewer nothing is said."""


@CHECKS.register("surface")
def surface_tests(items: pa.Table, settings: Settings) -> CheckResult:
    """Whether the gold stands out by its length, its signs, or the words it shares."""
    options = OptionTable.of(items).with_key()
    if len(options) < LEAST:
        return CheckResult([])
    found: list[Finding] = []
    for name, values in surface(options).items():
        for word, sign in (("most", 1.0), ("least", -1.0)):
            found += _stands_out(options, strictly_most(options, sign * values), _named(name, word))
    return CheckResult(found)


@CHECKS.register("places")
def places(items: pa.Table, settings: Settings) -> CheckResult:
    """Whether the gold is in each place equally often, for each number of options; and in no order."""
    from scipy.stats import chisquare

    options = OptionTable.of(items).with_key()
    found = []
    for k in np.unique(options.k):
        gold = options.gold[options.k == k]
        if len(gold) < LEAST:
            continue
        counts = np.bincount(gold, minlength=k)
        top = int(counts.argmax())
        seen = mean_by_clip(gold == top, options.clips[options.k == k])
        shares = ", ".join(f"{chr(65 + place)} {count / len(gold):.3f}" for place, count in enumerate(counts))
        found.append(
            Finding(
                "gold in the most frequent place", len(gold), float(counts[top] / len(gold)),
                f"gold by place: {shares}; always answering {chr(65 + top)} scores the value", f"K={k}",
                expected=1 / k, **seen.in_columns(), p=float(chisquare(counts).pvalue),
                matters=bool(counts[top] / len(gold) - 1 / k > MATTERS),
            )
        )  # fmt: skip
        found += _repeats(gold, int(k), settings.seed)
    return CheckResult(found)


def _stands_out(options: OptionTable, place: NDArray[np.int64], name: str) -> Iterator[Finding]:
    has = place >= 0
    n, held = len(options), int(has.sum())
    if not held:
        return
    hit = has & (place == options.gold)
    right = int(hit.sum())
    expected = float((1 / options.k[has]).sum() / n)
    seen = mean_by_clip(hit, options.clips)
    yield Finding(
        f"gold is strictly {name}", n, right / n,
        f"{held} items have such an option; it is the gold in {right}, by chance in {expected * n:.0f}",
        expected=expected, **seen.in_columns(), p=guessing(right, 1 / options.k[has]).two_sided,
        matters=abs(right / n - expected) > MATTERS,
    )  # fmt: skip


def _repeats(gold: NDArray[np.int64], k: int, seed: int, draws: int = 2000) -> Iterator[Finding]:
    """Whether the gold stays in its place from one item to the next more or less often than when shuffled."""
    random = np.random.default_rng(seed)
    seen = int((gold[1:] == gold[:-1]).sum())
    shuffled = np.array([(s[1:] == s[:-1]).sum() for s in (random.permutation(gold) for _ in range(draws))])
    sides = [(shuffled >= seen).sum(), (shuffled <= seen).sum()]
    n = len(gold) - 1
    yield Finding(
        "gold in the same place as in the item before", n, seen / n,
        "places of the gold that follow a pattern in the file's order", f"K={k}",
        expected=float(shuffled.mean() / n), p=float(min(1.0, 2 * (min(sides) + 1) / (draws + 1))),
        matters=abs(seen - shuffled.mean()) / n > MATTERS,
    )  # fmt: skip


def _named(name: str, word: str) -> str:
    """ "most characters" reads better as what a person would say."""
    plain = {
        ("characters", "most"): "the longest",
        ("characters", "least"): "the shortest",
        ("final period", "most"): "the only one with a final period",
        ("final period", "least"): "the only one without a final period",
    }
    return plain.get((name, word), f"the one with the {word} {name}")
