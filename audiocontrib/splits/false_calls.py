"""The error of a rule at a threshold: what it calls weak when a wrong option is put in the gold's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from audiocontrib.arrow import integers
from audiocontrib.contribution.answerable import answerable, answerable_probability
from audiocontrib.contribution.contest import contest
from audiocontrib.contribution.leak_estimates import second_share
from audiocontrib.contribution.response_matrix import Floats, response_matrix
from audiocontrib.contribution.scope import Scope, scoped
from audiocontrib.splits.strong_options import SCOPE, strong_options
from audiocontrib.sql import sql
from audiocontrib.statistics import mean_by_clip

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class FalseCalls:
    """Estimates, with their standard errors by clip; NaN where there are too few clips."""

    share: float
    """Of the items called weak, the share that luck explains."""
    share_error: float
    found: float
    """Items that are rightly called weak, as a share of all."""
    found_error: float


def false_calls(con: duckdb.DuckDBPyConnection, table: pa.Table, settings: Mapping[str, Any]) -> FalseCalls | None:
    """Run the rule again with each wrong option as the gold: luck calls the gold as often as one of them on average.

    FDR^ = wrong options that would be called weak / (K - 1), over the items called weak. Where some wrong options
    attract nobody, the gold is not one of K alike: if it is second among the items that it lost more often than
    1 / (K - 1), beyond noise, the calls weigh as much more.

    Args:
        con: of the run, narrowed as the split was made.
        table: of the split.
        settings: of the split.

    Returns:
        None for rules of which it is not known (any but votes, posterior, and fdr with the item's own options), and
        where nothing is weak.
    """
    words = {name: settings[name] for name in SCOPE if settings.get(name) is not None}
    with scoped(con, Scope(**words), {}) as (narrow, scope):
        ids, entered = contest(narrow, scope=scope)
        placed = sql(
            "select (split = 'weak')::int as weak from ids join decided using (item_id) order by item_id",
            ids=ids, decided=table,
        )  # fmt: skip
        if len(placed) != len(ids):
            return None  # items were left out
        weak: Floats = integers(placed["weak"]).astype(np.float64)
        calls: Floats | None = None
        if settings["rule"] == "fdr" and settings.get("decoys") in ("all", "top-two") and weak.any():
            above = entered.margin >= entered.margin[weak > 0].min()
            every = settings["decoys"] == "all"
            calls = np.where(above & (entered.rank > 0 if every else entered.rank == 1), 1.0, 0.0)
            calls = calls / (entered.k - 1) if every else calls
        elif settings["rule"] in ("votes", "posterior"):
            wrong = _weak_options(narrow, scope, table, settings)
            held = sql("select calls from ids join wrong using (item_id) order by item_id", ids=ids, wrong=wrong)
            calls = held["calls"].to_numpy() / (entered.k - 1) if len(held) == len(ids) else None
    if calls is None or not weak.any():
        return None
    second, alike = second_share(entered)
    if settings.get("decoys") != "top-two" and second.interval().low > alike:
        calls = calls * second.mean / alike
    share = float(min(calls.sum() / weak.sum(), 1.0))
    spread = mean_by_clip((calls - share * weak) / weak.mean(), entered.clip, None)
    found = mean_by_clip(weak - calls, entered.clip, None)
    return FalseCalls(share, spread.error, found.mean, found.error)


def _weak_options(con: Any, scope: Any, table: pa.Table, settings: Mapping[str, Any]) -> pa.Table:
    """How many wrong options would be called weak in the gold's place; item_id and calls."""
    if settings["rule"] == "votes":
        options = strong_options(con, table=table, settings=settings)
        assert options is not None  # known of votes
        return sql(
            "select item_id, len(list_filter(options, lambda one: not one)) - (not options[answer + 1])::int as calls "
            "from options join keys using (item_id) where answer is not null",
            options=options, keys=con.sql("select item_id, answer from items").to_arrow_table(),
        )  # fmt: skip
    asked = response_matrix(con, scope)
    _, fit = answerable(con, scope=scope)
    orders = np.where(asked.answer[:, None] >= 0, asked.answers, 0)
    calls = np.zeros(len(asked.k), np.int64)
    for option in range(asked.p.shape[2]):
        counts = np.where(orders > 0, asked.counts[:, :, option], 0)
        called = 1 - answerable_probability(fit, counts, orders, asked.k) < float(settings["threshold"])
        calls += called & (option < asked.k) & (option != asked.answer)
    return pa.Table.from_pydict({"item_id": asked.item_id, "calls": calls})
