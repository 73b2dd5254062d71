"""Votes: what a model answers to an item under a condition, over all the option orders it was asked in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audiocontrib.errors import AudiocontribError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TIE = 1e-12
"""Two options whose mean posteriors are nearer than this are tied: the sums depend on their order."""

VOTES = f"""
with asked as materialized (
    select item_id, model, condition, "order", outcome, choice, posterior from responses
    where method = $method and list_contains($conditions, condition)
),
plan as (select distinct model, condition from asked),
keyed as (select item_id, answer, len(choices) as k from items),
progress as (
    select item_id, model, condition, count(distinct "order") as orders,
        count(distinct "order") filter (outcome <> 'failed') as answered
    from asked group by all
),
expected as (
    select model, k, max(orders) as expected
    from progress join keyed using (item_id) group by all
),
preferences as (
    select item_id, model, condition, option, avg(p) as weight, true as is_posterior
    from (
        select item_id, model, condition, unnest(posterior) as p, unnest(range(len(posterior))) as option
        from asked where outcome <> 'failed' and posterior is not null
    ) group by all
    union all
    select item_id, model, condition, choice as option, count(*) as weight, false as is_posterior
    from asked where outcome <> 'failed' and posterior is null and choice is not null group by all
),
preferred as (
    select item_id, model, condition, arg_max(option, weight) as option, max(weight, 2) as best,
        max(weight) filter (is_posterior and option = answer) as p_gold
    from preferences join keyed using (item_id) group by all
),
voted as (
    select item_id, model, condition, answer,
        case
            when orders is null then 'not asked'
            when answered < orders then format('{{}} of {{}} answers failed', orders - answered, orders)
            when orders < expected then format('{{}} of {{}} orders are missing', expected - orders, expected)
        end as problem,
        case when best[1] - coalesce(best[2], 0) > {TIE} then option end as option,
        p_gold
    from keyed cross join plan
        left join progress using (item_id, model, condition)
        left join expected using (model, k)
        left join preferred using (item_id, model, condition)
)
select item_id, model, condition, problem,
    case when problem is null then option end as choice,
    case when problem is null and answer is not null then coalesce(option = answer, false) end as correct,
    case when problem is null then p_gold end as p_gold
from voted
"""
"""The query of :func:`votes`; its parameters are ``$method`` and ``$conditions`` (a list)."""


def votes(
    con: duckdb.DuckDBPyConnection, conditions: Sequence[str] | None = None, method: str | None = None
) -> pa.Table:
    """One row per item, model and condition that the model was asked under (for any item).

    The vote of a likelihood is the option with the best mean posterior over the orders; the vote of
    generated replies is the most frequent choice, where a refusal or an unparsed reply chooses nothing. A
    tie is no choice, and so is not right. A vote on some of the orders is none: position luck would be back
    in it, and with it the published rule would mean something else. How many orders are all of them is
    read from the model's other answers to items with as many options, under any of the conditions.

    Args:
        conditions: those wanted, as they are written (``silence:matched``); None: all.
        method: ``likelihood`` or ``generate``; needed only where the run holds both.

    Returns:
        item_id, model, condition, problem (in words, e.g. ``2 of 4 answers failed``; null: the vote
        stands), choice (index of the option, null: none), correct (null: no vote, or no key), p_gold (mean
        posterior of the gold over the orders; null for replies). Sorted by the first three.

    Raises:
        AudiocontribError: the run holds both methods and none is named.
    """
    return con.sql(
        f"select * from ({VOTES}) order by item_id, model, condition",
        params=vote_parameters(con, conditions, method),
    ).to_arrow_table()


def vote_parameters(
    con: duckdb.DuckDBPyConnection, conditions: Sequence[str] | None, method: str | None
) -> dict[str, object]:
    """The parameters of VOTES for what was asked; AudiocontribError where the method is ambiguous."""
    asked = con.execute("select distinct condition, method from responses").fetchall()
    wanted = {c for c, _ in asked} if conditions is None else set(conditions)
    methods = sorted({m for c, m in asked if c in wanted})
    if method is None and len(methods) > 1:
        raise AudiocontribError(f"the run was asked by {' and by '.join(methods)}; say which with method=")
    return {"conditions": sorted(wanted), "method": method or (methods[0] if methods else "")}


def agreement(con: duckdb.DuckDBPyConnection, condition: str = "silence", method: str | None = None) -> float:
    """Share of the items on which all models choose the same option, right or wrong.

    Items with a missing vote do not count; a model without a choice agrees with none. NaN where no item
    has the votes of at least two models.
    """
    [[share]] = con.execute(
        f"""
        select coalesce(avg(alike::int), 'nan'::double) from (
            select count(choice) = count(*) and min(choice) = max(choice) as alike
            from ({VOTES}) group by item_id having count(*) > 1 and count(problem) = 0
        )
        """,
        vote_parameters(con, [condition], method),
    ).fetchall()
    return float(share)
