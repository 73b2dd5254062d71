"""What a run will take: how many questions, how many tokens of them are new, and how long, from a short calibration."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.conditions import Condition, Partners
from audiocontrib.items import Item, Items
from audiocontrib.models import Model, Request
from audiocontrib.scoring.ask import ask
from audiocontrib.scoring.plan import RequestConfig, Shard, by_clip, options_of, partners
from audiocontrib.scoring.prefetch import RequestBuilder
from audiocontrib.store.answered_requests import NONE

SAMPLE, WARM = 16, 2
"""Recordings whose questions are asked on trial, and how many of them only to warm up."""

PLAN_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    requests=pa.int64(),
    prompt_tokens=pa.int64(),
    new_tokens=pa.int64(),
    seconds=pa.float64(),
)


def estimate_scoring(items: Items, model: Model, asking: RequestConfig, shard: Shard = Shard()) -> pa.Table:  # noqa: B008
    """What the model will be asked, by condition (PLAN_SCHEMA): ``requests`` is exact, the rest scaled from a sample.

    A sample of recordings is asked for real and the answers are thrown away. ``prompt_tokens`` is what one plain
    forward for each option would read, ``new_tokens`` what is computed after sharing; null where a model does not tell.
    """
    lenders = partners(items, asking)
    groups = [list(group) for group in _sample(items, shard)]
    sizes = options_of(items, shard)
    rows = []
    for condition in asking.conditions:
        alone = replace(asking.of(model), conditions=(condition,))
        requests = alone.count(sizes)
        warm, cold = groups[:WARM], groups[WARM:] or groups
        _asked(model, alone, lenders, warm)
        start = time.perf_counter()
        answered = _asked(model, alone, lenders, cold)
        scale = requests / max(1, len(answered))
        plain, new = model.count_tokens(answered) or (None, None)
        rows.append(
            {
                "model": model.name,
                "condition": condition.spec,
                "requests": requests,
                "prompt_tokens": plain and round(plain * scale),
                "new_tokens": new and round(new * scale),
                "seconds": (time.perf_counter() - start) * scale,
            }
        )
    return pa.Table.from_pylist(rows, schema=PLAN_SCHEMA)


def _sample(items: Items, shard: Shard) -> list[Sequence[Item]]:
    """Recordings by chance (reservoir sampling), so that a set sorted by length does not mislead."""
    dice = random.Random(0)
    kept: list[Sequence[Item]] = []
    for number, group in enumerate(by_clip(items, shard)):
        if number < SAMPLE:
            kept.append(group)
        elif (place := dice.randrange(number + 1)) < SAMPLE:
            kept[place] = group
    return kept


def _asked(
    model: Model, asking: RequestConfig, lenders: Mapping[Condition, Partners], groups: Sequence[Sequence[Item]]
) -> list[Request]:
    make = RequestBuilder(asking, model, "", lenders, NONE)
    works = [make(group) for group in groups]
    requests = [r for work in works for r in work.requests]
    if requests:
        ask(model, requests, [k for work in works for k in work.keys], asking)
    return requests
