"""Group rule: votes count only where a question template, or an option set, beats chance as a whole."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from audiocontrib.arrow import floats, integers
from audiocontrib.splits.base import RuleInput, RuleResult, rule
from audiocontrib.splits.rules.votes import votes
from audiocontrib.sql import arrow_table, sql
from audiocontrib.statistics import mean_by_clip

if TYPE_CHECKING:
    import duckdb

MEMBERS = """
with keyed as (
    select item_id, answer, choices, clip_id, lower(regexp_replace(question, '\\d+', '#', 'g')) as question,
        list_sort(list_transform(choices, lambda c: lower(c)))::text as options
    from items where answer is not null
),
named as (
    select *, count(*) over (partition by options) as n_options, count(*) over (partition by question) as n_question
    from keyed
),
grouped as (
    select *,
        case when n_options >= $least then 'options ' || options
            when n_question >= $least then 'question ' || question end as name
    from named
)
select item_id, name, 1 / len(choices) as chance, lower(choices[answer + 1]) as gold,
    dense_rank() over (order by clip_id) as clip
from grouped where name is not null
"""


@rule(
    "group",
    0.5,
    "votes, where the question template or option set as a whole beats chance without the audio",
    by_score=False,
)
def group(asked: RuleInput, least: Annotated[int, Field(ge=2)] = 8) -> RuleResult:
    """As ``votes``, but an item is weak only if its group as a whole is answered without the audio.

    A group is the items with one option set, or else with one question (numbers and case aside), if there are
    at least ``least``. It beats chance if the 95 % interval (clustered by clip) of the models' mean accuracy on
    it lies above both its mean 1/K and its best constant answer, the share of its most frequent gold. Items with no
    group are decided by their votes alone, and the findings say how many. Of a group too small for an interval (10
    items, 5 clips) nothing is known: what the votes call weak there is undecided.
    """
    plain = votes(asked)
    beaten = _beaten(asked.con, asked.scores, least)
    table = sql(
        """
        select item_id, score, guessing,
            case
                when split = 'weak' and beats = false then 'strong'
                when split = 'weak' and n > 0 and beats is null then 'undecided'
                else split
            end as split,
            case
                when split = 'weak' and beats = false then concat(reason, ', but no more than by luck on the ', n,
                    ' items of its group (', round(100 * accuracy)::int, ' % right, best constant answer ',
                    round(100 * floor)::int, ' %)')
                when split = 'weak' and beats then concat(reason, ', as on the ', n, ' items of its group (',
                    round(100 * accuracy)::int, ' % right)')
                when split = 'weak' and n > 0 then concat(reason, ', but its group of ', n,
                    ' items is too small, or on too few clips, to be told from luck')
                else reason
            end as reason
        from plain left join beaten using (item_id)
        """,
        plain=plain.table,
        beaten=beaten,
    )
    grouped = len(beaten)
    names = beaten["name"].unique()
    findings = {
        "groups": len(names),
        "items_in_groups": grouped,
        "items_by_votes_alone": len(plain.table) - grouped,
        "items_in_groups_too_small": beaten["beats"].null_count,
        "least": least,
    }
    return RuleResult(table, findings)


def _beaten(con: duckdb.DuckDBPyConnection, scores: pa.Table, least: int) -> pa.Table:
    """item_id, name, n, accuracy, floor and beats (null where there is no interval), of the items in groups."""
    members = arrow_table(con.sql(MEMBERS, params={"least": least}))
    joined = sql(
        "select members.*, votes_right / models as right_share from members join scores using (item_id) "
        "where score is not null order by name, item_id",
        members=members,
        scores=scores,
    )
    names = joined["name"].combine_chunks().dictionary_encode()
    codes = integers(names.indices)
    right, chance, clip = floats(joined["right_share"]), floats(joined["chance"]), integers(joined["clip"])
    gold = integers(joined["gold"].combine_chunks().dictionary_encode().indices)
    edges = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1], True]) if len(codes) else np.zeros(1, dtype=np.int64)
    n, accuracy, floor, beats = (np.zeros(len(codes)) for _ in range(4))
    for first, last in pairwise(edges.tolist()):
        own = slice(first, last)
        n[own] = last - first
        accuracy[own] = right[own].mean()
        floor[own] = max(chance[own].mean(), np.bincount(gold[own]).max() / (last - first))
        beats[own] = mean_by_clip(right[own], clip[own]).interval().low - floor[first]  # NaN: too few for an interval
    return pa.Table.from_pydict(
        {
            "item_id": joined["item_id"],
            "name": joined["name"],
            "n": pa.array(n, pa.int64()),
            "accuracy": accuracy,
            "floor": floor,
            "beats": pa.array(beats > 0, mask=np.isnan(beats)),
        }
    )
