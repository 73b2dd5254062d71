"""Evaluation: the accuracy of a run by our exact reading of the replies, and by a benchmark's official one."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, TypedDict, cast

import numpy as np
import pyarrow as pa

from audiocontrib.answers.official import SCORERS, ScoredReply
from audiocontrib.arrow import schema_of
from audiocontrib.contribution.scope import Scope, scoped
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.prompts import rotate
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import mean_by_clip
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    from audiocontrib.store import Run

OFFICIAL = {
    "mmau": "mmau",
    "mmar": "mmau",
    "mmsu": "mmsu",
    "muchomusic": "muchomusic",
    "avqa": "r1-aqa",
}
"""Data set -> the scorer that its authors publish (R1-AQA's for the files in its format)."""

COMPARISON_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    scorer=pa.string(),
    n=pa.int64(),
    left_out=pa.int64(),
    accuracy=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
    interval=pa.string(),
    exact=pa.float64(),
    differ=pa.int64(),
    only_official=pa.int64(),
    only_exact=pa.int64(),
)


def compare_scorers(
    run: Run,
    /,
    *,
    scorer: str = "official",
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
) -> pa.Table:
    """The replies of a run by a published matching rule, beside our exact reading of the same replies.

    Args:
        scorer: a name in SCORERS, or ``official``: the one of each item's data set.
        repeat: which of several replies to a question is read, ``first`` or its number; None: the first.
        think_tokens: which bound of thoughts, where there are several; None: the largest.

    Returns:
        One row per model, condition and scorer (COMPARISON_SCHEMA): n replies of items with a key, those
        that the official rule leaves out of its denominator, its accuracy over the rest with its 95 %
        interval by clip and the kind of that, our accuracy over all n, and on how many replies the two differ:
        right by the official rule only, right by ours only.

    Raises:
        UsageError: no such scorer or repeat, or a data set that has none.
        AudiocontribError: the run holds no replies.

    Example:
        >>> ac.compare_scorers(run, scorer="mmau").to_pandas()
    """
    as_run(run)
    if scorer != "official":
        SCORERS.find(scorer)
    if repeat == "majority":
        raise UsageError("a majority of repeats is no reply that could be read: name one repeat")
    with scoped(run, Scope(repeat=repeat, think_tokens=think_tokens), {}) as (con, _):
        rows = cast("list[_Reply]", arrow_table(con.sql(REPLIES)).to_pylist())
    if not rows:
        raise AudiocontribError(
            f"{run.path} holds no replies to read; official scorers need them: score it by the method generate"
        )
    return pa.Table.from_pylist(
        [
            {"model": model, "condition": condition, "scorer": name} | _compared(name, list(group))
            for (model, condition, name), group in groupby(
                rows, key=lambda r: (r["model"], r["condition"], _scorer(scorer, r["dataset"]))
            )
        ],
        schema=COMPARISON_SCHEMA,
    )


REPLIES = """
select r.model, r.condition, i.dataset, r.reply, coalesce(r.correct, false) as correct, i.choices, i.answer, r."order",
    i.clip_id
from responses r
    join (select *, row_number() over () as place from items) i using (item_id)
where r.method = 'generate' and r.outcome <> 'failed' and r.reply is not null and i.answer is not null
order by r.model, r.condition, i.dataset, i.place, r."order"
"""
"""Replies in the order of the data set's file, which one of the official rules depends on."""


class _Reply(TypedDict):
    """A row of REPLIES."""

    model: str
    condition: str
    dataset: str
    reply: str
    correct: bool
    choices: list[str]
    answer: int
    order: int
    clip_id: str


def _scorer(scorer: str, dataset: str) -> str:
    if scorer != "official":
        return scorer
    if dataset not in OFFICIAL:
        known = ", ".join(OFFICIAL)
        raise UsageError(
            f"no official scorer is known for {dataset!r} (there is one for {known}); "
            f"name a scorer: {', '.join(SCORERS)}",
            argument="scorer",
        )
    return OFFICIAL[dataset]


def _compared(name: str, rows: list[_Reply]) -> dict[str, Any]:
    """The counts of one group of replies."""
    shown = [rotate(r["choices"], r["order"]) for r in rows]
    golds = [(r["answer"] - r["order"]) % len(r["choices"]) for r in rows]
    replies = [ScoredReply(r["reply"], choices, gold) for r, choices, gold in zip(rows, shown, golds, strict=True)]
    official = list(SCORERS[name](replies))
    exact = [r["correct"] for r in rows]
    right, counted = sum(o is True for o in official), sum(o is not None for o in official)
    read = [(o is True, r["clip_id"]) for o, r in zip(official, rows, strict=True) if o is not None]
    clips = np.unique([clip for _, clip in read], return_inverse=True)[1]
    found = mean_by_clip([hit for hit, _ in read], clips)
    only_official = sum(o is True and not e for o, e in zip(official, exact, strict=True))
    only_exact = sum(o is not True and e for o, e in zip(official, exact, strict=True))
    return {
        "n": len(rows),
        "left_out": len(rows) - counted,
        "accuracy": right / counted if counted else None,
        **found.in_columns(),
        "exact": sum(exact) / len(rows),
        "differ": only_official + only_exact,
        "only_official": only_official,
        "only_exact": only_exact,
    }
