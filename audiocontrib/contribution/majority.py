"""The majority of several replies to the same question, as one answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audiocontrib.contribution.run_view import replaced_view

if TYPE_CHECKING:
    import duckdb

PLACE = 'item_id, model, condition, "order", method'
"""What answers have in common that differ by their repeat alone."""
MAJORITY_OF_REPEATS = "majority_of_repeats"
_MAJORITY = f"""
create temp table {MAJORITY_OF_REPEATS} as
with asked as (
    select {PLACE}, count(*) as n, count(*) filter (outcome = 'failed') as failed,
        count(*) filter (outcome = 'refused') as refused, bool_or(correct is not null) as keyed,
        any_value(option_tokens) as option_tokens
    from responses group by {PLACE}
),
told as (select *, max(n) over (partition by model, condition, method) as every from asked),
counts as (
    select {PLACE}, choice, count(*) as n from responses where outcome <> 'failed' and choice is not null group by all
),
ranked as (select *, max(n) over (partition by {PLACE}) as most from counts),
best as (
    select {PLACE}, case when count(*) filter (n = most) = 1 then max(choice) filter (n = most) end as favourite
    from ranked group by {PLACE}
),
options as (
    select {PLACE}, unnest(posterior) as p, unnest(option_logprob) as l, unnest(range(len(posterior))) as i
    from responses where posterior is not null
),
averages as (select {PLACE}, i, avg(p) as p, avg(l) as l from options group by all),
means as (
    select {PLACE}, list(p order by i) as posterior, if(count(l) > 0, list(l order by i), null) as option_logprob
    from averages group by {PLACE}
),
merged as (
    select told.*, means.posterior, means.option_logprob,
        case when means.posterior is null then favourite
             else (list_position(means.posterior, list_max(means.posterior)) - 1)::smallint end as choice,
        case when failed > 0 or n < every then 'failed'
             when means.posterior is not null or favourite is not null then 'answered'
             when refused = n then 'refused' else 'unparsed' end as outcome
    from told left join best using ({PLACE}) left join means using ({PLACE})
)
select {PLACE}, outcome, if(outcome = 'answered', choice, null) as choice, option_tokens, 0::smallint as repeat,
    if(keyed and outcome <> 'failed', coalesce(outcome = 'answered' and choice = answer, false), null) as correct,
    if(outcome = 'answered', posterior, null) as posterior,
    if(outcome = 'answered', option_logprob, null) as option_logprob
from merged left join (select item_id, answer from items) using (item_id)
"""
"""One row for each place. A repeat that failed or is missing makes it failed: a majority of some is none."""


@contextmanager
def majority(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """For a while, ``responses`` shows the majority of the repeats in their place."""
    con.execute(f"drop table if exists {MAJORITY_OF_REPEATS}")
    con.execute(_MAJORITY)
    try:
        with replaced_view(con, "responses", lambda _: f"from {MAJORITY_OF_REPEATS}"):
            yield
    finally:
        con.execute(f"drop table {MAJORITY_OF_REPEATS}")
