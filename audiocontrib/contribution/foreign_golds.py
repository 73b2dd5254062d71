"""Foreign golds as decoys: the gold of another item of the same kind, offered beside the item's own options.

It has the style of golds, and no text of this item leads to it. So what it wins is what golds win by looking like
golds, and nothing is assumed of how the wrong options were written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.arrow import integers
from audiocontrib.contribution.contest import MARGIN_DIGITS, Contest
from audiocontrib.contribution.repeat_view import one_answer
from audiocontrib.contribution.response_matrix import Floats, ResponseMatrix, response_matrix
from audiocontrib.contribution.run_view import WITH_FOREIGN, only_models, replaced_view
from audiocontrib.contribution.scope import CheckedScope
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sql import sql_literal

if TYPE_CHECKING:
    import duckdb

OFFERED = """
select i.* replace (list_append(i.choices, lender.choices[lender.answer + 1]) as choices)
from {items} i join (
    select item_id, any_value(partner_id) as partner_id from {answers} where condition = {condition} group by item_id
) using (item_id) join {items} lender on lender.item_id = partner_id
"""
"""The items as they were put: with one option more."""


def foreign_contest(
    con: duckdb.DuckDBPyConnection, scope: CheckedScope, ids: pa.Table, entered: Contest
) -> tuple[pa.Table, Contest, Contest]:  # fmt: skip
    """The items that were asked with a foreign gold too: their ids, their contest, and that of gold and foreign gold.

    In the last, rank is 0 where the gold tops all options, 1 where the foreign gold does and 2 where neither; margin is
    the log-ratio of the two; K is 2 for all.

    Args:
        ids, entered: of :func:`~audiocontrib.contribution.contest.contest` under the condition of the scope.

    Raises:
        UsageError: the run was asked under no condition with a foreign gold, or under several.
        AudiocontribError: an answer does not fit the options, or there is none.
    """
    with _offered(con, scope) as condition:
        asked = response_matrix(con, replace(scope, condition=condition))
    told = asked.whole & (asked.answer >= 0) & (asked.mean.max(axis=1, initial=0) > 0)
    there = pc.index_in(ids["item_id"], value_set=asked.item_id.filter(pa.array(told)).combine_chunks())
    both = np.asarray(pc.is_valid(there).combine_chunks() if isinstance(there, pa.ChunkedArray) else pc.is_valid(there))
    own = np.flatnonzero(told)[integers(there.drop_null())]
    if not len(own):
        raise AudiocontribError(f"no item has the votes of all models both under {scope.condition!r} and {condition!r}")
    leader = {old: new for new, old in reversed([*enumerate(entered.leader[both].tolist())])}
    led = np.array([leader[one] if one >= 0 else one for one in entered.leader[both].tolist()])
    clip, k = entered.clip[both], entered.k[both]
    rank, margin = _raced(asked, own)
    kept = Contest(entered.rank[both], entered.margin[both], k, clip, led)
    return ids.filter(pa.array(both)), kept, Contest(rank, margin, np.full(len(own), 2), clip, led)


def _raced(asked: ResponseMatrix, own: np.ndarray) -> tuple[np.ndarray, Floats]:
    """Rank and margin, (n,), of the gold against the last option, which is the foreign one."""
    mean, least, row = asked.mean[own], asked.least[own], np.arange(len(own))
    gold, foreign = mean[row, asked.answer[own]], mean[row, asked.k[own] - 1]
    best = mean.max(axis=1)
    ratio = np.round(np.log(np.maximum(gold, least)) - np.log(np.maximum(foreign, least)), MARGIN_DIGITS)
    rank = np.select([(ratio > 0) & (gold == best), (ratio < 0) & (foreign == best)], [0, 1], 2)
    return rank.astype(np.int64), np.abs(ratio)


@contextmanager
def _offered(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> Iterator[str]:
    """A block in which ``responses`` are those to questions with a foreign gold, and ``items`` have that option."""
    views = {name for (name,) in con.execute("select table_name from information_schema.tables").fetchall()}
    held = con.execute(f"select distinct condition from {WITH_FOREIGN}").fetchall() if WITH_FOREIGN in views else []
    if len(held) != 1:
        several = f"holds several ({', '.join(sorted(name for (name,) in held))})" if held else "holds none"
        raise UsageError(
            f"foreign decoys are read from answers under one condition foreign, and the run {several}; "
            "score under it: it offers one option more, the gold of another item"
        )
    [(condition,)] = held
    with ExitStack() as stack:
        stack.enter_context(
            replaced_view(con, "responses", lambda _: f"from {WITH_FOREIGN} where condition = {sql_literal(condition)}")
        )
        offered = {"answers": WITH_FOREIGN, "condition": sql_literal(condition)}
        stack.enter_context(replaced_view(con, "items", lambda whole: OFFERED.format(items=whole, **offered)))
        stack.enter_context(only_models(con, scope.models))
        stack.enter_context(one_answer(con, scope.repeat, scope.think_tokens))
        yield condition
