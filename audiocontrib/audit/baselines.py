"""What it takes to guess: strategies that neither hear the clip nor read the question."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import schema_of
from audiocontrib.audit.options import OptionTable, published_choices, published_lengths
from audiocontrib.statistics import wilson

BASELINE_SCHEMA = schema_of(
    strategy=pa.string(),
    n=pa.int64(),
    accuracy=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
    ties_shared=pa.float64(),
    above_chance=pa.float64(),
)
"""``accuracy`` (with Wilson's 95 % interval; chance has none) takes the first of equally long options,
``ties_shared`` each of them equally often; ``n`` items have a key."""


def baselines(items: pa.Table) -> pa.Table:
    """What strategies score that neither hear the clip nor read the question; the best one first.

    A place that an item does not have is a wrong answer; places that are never gold are not listed. Chance is
    the mean of 1 / K over the items that have a key; where identical choices were collapsed, it is given for the
    rows as they were published too.

    Args:
        items: the columns ``choices``, ``answer``, ``notes`` and ``extra`` of ITEM_SCHEMA.

    Returns:
        BASELINE_SCHEMA.
    """
    options, published = OptionTable.of(items), published_choices(items)
    has = options.gold >= 0
    n = int(has.sum())
    if not n:
        return BASELINE_SCHEMA.empty_table()
    k, gold = options.k[has], options.gold[has]
    length = options.length[np.repeat(has, options.k)]
    chance = float(np.mean(1 / k))
    made: dict[str, tuple[float, float | None]] = {
        f"always option {place + 1}": (float(np.mean(gold == place)), None) for place in np.unique(gold).tolist()
    }
    made["the last option"] = (float(np.mean(gold == k - 1)), None)
    made["the longest option"] = _most(length, k, gold)
    made["the shortest option"] = _most(-length, k, gold)
    made["uniform chance"] = (chance, None)
    if published:
        k_published = published_lengths(options, published)[has]
        made["uniform chance, choices as published"] = (float(np.mean(1 / k_published)), None)
    rows = []
    for name, (value, shared) in sorted(made.items(), key=lambda entry: -entry[1][0]):
        row = {"strategy": name, "n": n, "accuracy": value, "ties_shared": shared, "above_chance": value - chance}
        if not name.startswith("uniform"):
            row["low"], row["high"] = wilson(round(value * n), n)
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=BASELINE_SCHEMA)


def _most(value: NDArray[np.int64], k: NDArray[np.int64], gold: NDArray[np.int64]) -> tuple[float, float]:
    """Share of items whose gold has the greatest value: ties to the first option, and ties shared equally."""
    starts = np.cumsum(k) - k
    best = value == np.repeat(np.maximum.reduceat(value, starts), k)
    gold_rows = starts + gold
    earlier = np.cumsum(best) - best  # best options before this one, in all items
    first = best[gold_rows] & (earlier[gold_rows] == earlier[starts])
    shared = best[gold_rows] / np.add.reduceat(best.astype(np.int64), starts)
    return float(np.mean(first)), float(np.mean(shared))
