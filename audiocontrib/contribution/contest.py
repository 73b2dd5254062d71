"""The gold against the wrong options, on every item that all models answered or declined to answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers
from audiocontrib.contribution.response_matrix import Floats, Ints, ResponseMatrix, response_matrix
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, check_contrast, scoped
from audiocontrib.sql import arrow_table, sql

if TYPE_CHECKING:
    import duckdb

Decoys = Literal["top-two", "all", "foreign"]
"""Whom the gold competes with."""
MARGIN_DIGITS = 3
"""Margins are compared to so many digits, in nats: log-probabilities of one question differ by up to 1e-4 between
batches and machines, and that must not decide which of two questions with the same text comes first."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Who comes out where; arrays of shape (n,)."""

    rank: Ints
    """Options that the mean posterior of the models puts above the gold; 0: the gold is on top."""
    margin: Floats
    """log p of the best option - log p of the second, >= 0, to MARGIN_DIGITS."""
    k: Ints
    clip: Ints
    """Items on one clip have one number."""
    leader: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    """Of items on one clip with the same options, which are one trial, the place of the one that speaks for those with
    its gold; drawn blindly. -1: the item has another gold, and nobody speaks for it. Left out: each for itself."""

    def __post_init__(self) -> None:
        if len(self.leader) != len(self.rank):
            object.__setattr__(self, "leader", np.arange(len(self.rank)))

    @property
    def won(self) -> NDArray[np.bool_]:
        """The gold is on top."""
        return self.rank == 0

    @property
    def leads(self) -> NDArray[np.bool_]:
        """The item speaks for its trial."""
        return self.leader == np.arange(len(self.rank))


def contest(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> tuple[pa.Table, Contest]:
    """Who wins on each item under the condition, by the mean over the models of their content posteriors.

    Where options tie with the gold, a hash of the item and the option's text decides, which is blind to the gold and to
    the options' places. Replies have shares of the orders for posteriors; a share counts as at least half an answer.
    A model that abstains on an item has no vote there; where no vote names an option there is no contest.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        item_id of the items with a key and the answers of every model, sorted; and their contest, in that order.

    Raises:
        AudiocontribError: the run holds both methods and none is named, or no answers under the condition.
    """
    with scoped(run, scope, words) as (con, checked):
        check_contrast(checked)
        return _contest(con, response_matrix(con, checked))


def _contest(con: duckdb.DuckDBPyConnection, asked: ResponseMatrix) -> tuple[pa.Table, Contest]:
    means = asked.mean
    entered = asked.whole & (asked.answer >= 0) & (means.max(axis=1, initial=0) > 0)
    ids = pa.Table.from_pydict({"item_id": asked.item_id.filter(entered)})
    gold, k = asked.answer[entered], asked.k[entered]
    mean, least = means[entered], asked.least[entered]
    own: Floats = mean[np.arange(len(mean)), gold]
    rank = np.count_nonzero(mean > own[:, None], axis=1).astype(np.int64)
    equal: NDArray[np.bool_] = mean == own[:, None]
    tied = np.count_nonzero(equal, axis=1) > 1
    if tied.any():
        rank[tied] += _drawn_before(con, ids.filter(pa.array(tied)), equal[tied], gold[tied])
    best, second = np.partition(mean, -2, axis=1)[:, :-3:-1].T
    margin = np.round(np.log(np.maximum(best, least)) - np.log(np.maximum(second, least)), MARGIN_DIGITS)
    clip, leader = _trials(con, ids)
    return ids, Contest(rank, margin, k, clip, leader)


def _trials(con: duckdb.DuckDBPyConnection, ids: pa.Table) -> tuple[Ints, Ints]:
    """The clip of each item as a number, and the place of the one that speaks for it; ids sorted."""
    con.register("entered", ids.append_column("place", pa.array(np.arange(len(ids)))))
    try:
        told = arrow_table(
            con.sql(
                """
                with own as (
                    select place, item_id, clip_id, choices, answer, count(*) over (partition by clip_id) as size
                    from entered join items using (item_id)
                ), led as (
                    select place, choices[answer + 1] as gold,
                        arg_min(place, md5(item_id)) over (partition by clip_id, list_sort(choices)) as leader,
                        arg_min(gold, md5(item_id)) over (partition by clip_id, list_sort(choices)) as its_gold
                    from own where size > 1
                )
                select dense_rank() over (order by clip_id) as clip,
                    case when leader is null then place when gold = its_gold then leader else -1 end as leader
                from own left join led using (place) order by place
                """
            )
        )
    finally:
        con.unregister("entered")
    return integers(told["clip"]), integers(told["leader"])


def _drawn_before(
    con: duckdb.DuckDBPyConnection, ids: pa.Table, equal: NDArray[np.bool_], gold: Ints
) -> Ints:  # fmt: skip
    """How many of the options that equal the gold come before it, by a hash of what they say; items sorted by id."""
    row, option = np.nonzero(equal)
    item = ids["item_id"].take(row)
    tied = pa.Table.from_pydict({"item_id": item, "option": option, "is_gold": option == gold[row]})
    con.register("tied_options", tied)
    try:
        drawn = arrow_table(
            con.sql(
                """
                select item_id, is_gold, md5(concat(item_id, chr(31), choices[option + 1])) as lot
                from tied_options join items using (item_id)
                """
            )
        )
    finally:
        con.unregister("tied_options")
    ahead = sql(
        """
        select count(*) filter (lot > own) as ahead
        from drawn join (select item_id, lot as own from drawn where is_gold) using (item_id)
        group by item_id order by item_id
        """,
        drawn=drawn,
    )
    return integers(ahead["ahead"])
