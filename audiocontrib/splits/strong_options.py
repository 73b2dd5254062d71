"""Which options would leave an item strong if they were its gold: what a certificate may take luck to be among."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.contest import MARGIN_DIGITS
from audiocontrib.contribution.response_matrix import response_matrix
from audiocontrib.contribution.scope import Answers, Scope, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.sql import sql

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.contribution.scope import CheckedScope

SCOPE = ("condition", "audio", "method", "models", "repeat", "think_tokens")


def strong_options(run: Answers, /, *, table: pa.Table, settings: Mapping[str, Any]) -> pa.Table | None:
    """The rule run again with each option as the gold, all else as it is.

    Args:
        run: that the split was made of.
        table: of the split.
        settings: of the split.

    Returns:
        item_id and options (list of truth values, in the item's order), one row for each item that could be placed;
        None for a rule of which it is not known (any but votes, and fdr without a balanced set).
    """
    rule = settings.get("rule")
    if rule not in ("votes", "fdr") or settings.get("balanced"):
        return None
    words = {name: settings[name] for name in SCOPE if settings.get(name) is not None}
    with scoped(run, Scope(**words), {}) as (con, checked):
        if rule == "votes":
            return _by_votes(con, checked, Fraction(settings["threshold"]).limit_denominator(1_000_000))
        return _by_favourite(con, checked, table)


def _by_votes(con: duckdb.DuckDBPyConnection, scope: CheckedScope, threshold: Fraction) -> pa.Table:
    """Strong are the options that too few models chose."""
    told = count_answers(con, conditions=[scope.condition], method=scope.method)
    chosen = count_votes(told).choice
    options = np.arange(told.shares.shape[2])
    wrong = chosen.shape[1] - np.stack([np.count_nonzero(chosen == one, axis=1) for one in options], axis=1)
    return _table(told.items["item_id"], wrong >= ceil(threshold * chosen.shape[1]), told.sizes)


def _by_favourite(con: duckdb.DuckDBPyConnection, scope: CheckedScope, table: pa.Table) -> pa.Table:
    """Strong are all but the favourite; it too where golds on top are strong up to such a margin, or several tie."""
    asked = response_matrix(con, scope)
    mean, least = asked.mean, asked.least
    best, second = (np.log(np.maximum(one, least)) for one in np.partition(mean, -2, axis=1)[:, :-3:-1].T)
    margin = np.round(best - second, MARGIN_DIGITS)
    top: NDArray[np.bool_] = mean == mean.max(axis=1, keepdims=True)
    alone = np.count_nonzero(top, axis=1) == 1
    parts = sql("select item_id, (split = 'strong')::int as strong from decided order by item_id", decided=table)
    placed = dict(zip(parts["item_id"].to_pylist(), integers(parts["strong"]).tolist(), strict=True))
    strong = np.array([placed.get(name, 0) for name in asked.item_id.to_pylist()], dtype=bool)
    golds = strong & alone & top[np.arange(len(top)), np.maximum(asked.answer, 0)] & (asked.answer >= 0)
    limit = np.full(int(asked.k.max(initial=2)) + 1, -1.0)
    np.maximum.at(limit, asked.k[golds], margin[golds])
    left = ~alone | (margin <= limit[asked.k])
    return _table(asked.item_id, ~top | left[:, None], asked.k)


def _table(item_id: Any, mask: NDArray[np.bool_], k: NDArray[np.int64]) -> pa.Table:
    options = [row[:size].tolist() for row, size in zip(mask, k, strict=True)]
    return pa.Table.from_pydict({"item_id": item_id, "options": pa.array(options, pa.list_(pa.bool_()))})
