"""Pair-swap counterfactuals: the same question and options about two clips with different golds.

Two items i and j ask the same and offer the same options, but the gold is g on one clip and g' on the other.
Then the text cannot tell them apart, and only who hears the clip can prefer g on the first and g' on the second.
With m = ln p(g) - ln p(g'), the effect of the audio is E = 1/2 (m on i's clip - m on j's clip): the mean over
the pair's two cells (an item, and the gold of its partner) of ln p(own gold) - ln p(partner's gold).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of
from audiocontrib.checked import whole_number
from audiocontrib.contribution.answer_counts import TIE
from audiocontrib.contribution.calibration import Floats
from audiocontrib.contribution.ledger_entries import cells
from audiocontrib.contribution.posteriors import padded, posterior_table
from audiocontrib.contribution.run_view import connected
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, not_asked, scoped
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import SHARE, mean_by_clip

if TYPE_CHECKING:
    import duckdb

GROUPS = """
with placed as (
    select question, choices, list_sort(choices) as options, choices[answer + 1] as gold, answer, item_id,
        row_number() over (order by item_id) - 1 as place, dense_rank() over (order by clip_id) as clip
    from items
),
grouped as materialized (
    select *, dense_rank() over (order by question, options) as "group" from placed where answer is not null
),
counted as materialized (
    select *, count(*) over (partition by "group") as size,
        count(*) over (partition by "group", gold) as same_gold,
        count(*) over (partition by "group", clip) as same_clip,
        count(*) over (partition by "group", gold, clip) as same_both
    from grouped
)
"""
"""Items with a key, and in how many of their group (same question, same set of options) they cannot be told apart."""

OFFERED = f"""
{GROUPS}
select count(distinct "group") as groups, count(*) as items, coalesce(sum(partners), 0) // 2 as pairs
from (select "group", size - same_gold - same_clip + same_both as partners from counted) where partners > 0
"""

CELLS = f"""
{GROUPS},
ranked as (
    -- items of a gold stand together: those that are a shift of the largest such block apart differ in their gold
    select *, greatest(max(same_gold) over (partition by "group"), (size + 1) // 2) as shift,
        row_number() over (
            partition by round, "group"
            order by md5(concat_ws(' ', $seed, round, gold)), gold, md5(concat_ws(' ', $seed, round, item_id)), place
        ) as rank
    from counted cross join unnest(range($partners)) as rounds(round)
),
matched as (
    select distinct least(a.place, b.place) as i, greatest(a.place, b.place) as j
    from ranked a join ranked b on a.round = b.round and a."group" = b."group" and b.rank = a.rank + a.shift
    where a.clip <> b.clip
),
numbered as (select *, row_number() over (order by i, j) - 1 as pair from matched)
select pair, own.place as item, own.clip, own.answer as gold, list_position(own.choices, other.gold) - 1 as rival
from (select pair, i, j from numbered union all select pair, j as i, i as j from numbered)
    join counted own on own.place = i join counted other on other.place = j
order by pair, item
"""

SCHEMA = schema_of(
    **dict.fromkeys(("model", "condition"), pa.string()),
    **dict.fromkeys(("pairs", "items"), pa.int64()),
    **dict.fromkeys(
        ("following", "following_low", "following_high", "effect", "effect_low", "effect_high"), pa.float64()
    ),
    **dict.fromkeys(("following_interval", "effect_interval"), pa.string()),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a data set offers for pair swaps."""

    groups: int
    """Sets of items with the same question and the same set of options, of which some two are a pair."""
    items: int
    """Items that have a partner: another clip with another gold in their group."""
    pairs: int
    """Pairs of them."""


def offered(run: Answers, /) -> Offered:
    """How many pairs could be formed; counted, not listed."""
    with connected(run) as con:
        [row] = con.execute(OFFERED).fetchall()
    return Offered(*map(int, row))


def pairs(
    run: Answers,
    /,
    *,
    seed: int = 0,
    partners: int = 1,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """Which gold the models prefer: that of the clip they heard, or that of the partner's clip?

    It reads the answers that the run holds. Options are matched by their texts. A model that only reads has
    the same posterior on both items of a pair: it follows the audio in one cell of two, and its effect is 0.
    That is exact where all rotations were asked and either both items list their options in the same order up
    to a rotation, or places do no more than add to a preference (the mean of log-posteriors then drops them);
    elsewhere it holds on average, as long as the order of the options has nothing to do with the gold.

    Args:
        run: a run, or an open connection with its views.
        seed: fixes which pairs are formed; any seed forms as many as can be in a group, but for shared clips.
        partners: the most partners an item may have.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Returns:
        One row per model with the audio, and one under ``text`` as a check (50 %) where it was asked; of the
        pairs whose items both have a vote:

        - pairs, items.
        - following: share of the cells in which the own gold is preferred, half a cell where neither is; with its 95 %
          interval.
        - effect: mean E in nats, with its 95 % interval; null for replies.

        Intervals allow for cells that share a clip or a pair. What no pair fixes is null.

    Raises:
        UsageError: fewer than one partner.
        AudiocontribError: the run holds no answers with the audio, or both methods and none is named.
    """
    whole_number(seed, "seed")
    whole_number(partners, "partners", least=1)
    with scoped(run, scope, words) as (con, checked):
        return _pairs(con, checked, seed, partners)


def _pairs(con: duckdb.DuckDBPyConnection, scope: CheckedScope, seed: int, partners: int) -> pa.Table:
    audio = scope.audio
    table = posterior_table(con, sorted({audio, "text"}), scope.method)
    if audio not in table["condition"].unique().to_pylist():
        raise not_asked(audio)
    [[n]] = con.execute("select count(*) from items").fetchall()
    found = arrow_table(con.sql(CELLS, params={"seed": seed, "partners": partners}))
    pair, item, clip, gold, rival = (integers(found[name]) for name in ("pair", "item", "clip", "gold", "rival"))
    likelihood = table["log_posterior"].null_count < len(table)
    preference = table["log_posterior" if likelihood else "posterior"]
    rows = []
    for (model, condition), own in cells(table, n).items():
        weight = padded(preference.take(own[item]))
        margin = weight[np.arange(len(item)), gold] - weight[np.arange(len(item)), rival]
        rows.append({"model": model, "condition": condition} | _measured(margin, item, clip, pair, likelihood))
    rows.sort(key=lambda row: (row["condition"] != audio, row["model"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _measured(
    margin: Floats, item: NDArray[np.int64], clip: NDArray[np.int64], pair: NDArray[np.int64], likelihood: bool
) -> dict[str, Any]:
    """The measures of one model from the margins of the cells, two by two."""
    both = np.repeat(~np.isnan(margin).reshape(-1, 2).any(axis=1), 2)
    margin, clip, pair = margin[both], clip[both], pair[both]
    row: dict[str, Any] = {"pairs": len(margin) // 2, "items": len(np.unique(item[both]))}
    follows = np.where(np.abs(margin) <= TIE, 0.5, margin > 0)
    for name, values in (("following", follows), ("effect", margin)):
        if len(values) and (likelihood or name == "following"):
            found = mean_by_clip(values, clip, SHARE if name == "following" else None, others=pair)
            told = found.in_columns()
            row |= {name: found.mean, f"{name}_low": told["low"], f"{name}_high": told["high"]}
            row |= {f"{name}_interval": found.kind}
    return row
