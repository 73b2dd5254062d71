"""Several replies to the same question, seen as one: never are they taken for more items, or more orders."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING
from weakref import WeakSet

from audiocontrib.contribution.run_view import filtered_view, replaced_view
from audiocontrib.errors import UsageError
from audiocontrib.log import tell

if TYPE_CHECKING:
    import duckdb

LOG = logging.getLogger("audiocontrib.contribution")
FIRST, MAJORITY = "first", "majority"

_said: set[str] = set()
_said_of: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()
"""Runs, and connections of no run, of which it was said which repeat counts."""

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


def held_repeats(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The repeats of which the connection shows answers."""
    if "repeat" not in con.sql("from responses limit 0").columns:
        return [0]
    return [repeat for (repeat,) in con.execute("select distinct repeat from responses order by 1").fetchall()]


def checked_repeat(wanted: str | int | None, con: duckdb.DuckDBPyConnection) -> str | int | None:
    """Which repeat counts, as :class:`Scope` has it: a number or ``majority``; None where each question has one reply.

    Raises:
        UsageError: the run has no such repeat.
    """
    known = wanted is None or wanted in (FIRST, MAJORITY) or (isinstance(wanted, int) and not isinstance(wanted, bool))
    if not known:
        raise UsageError(f"repeat is {wanted!r}, but is {FIRST}, {MAJORITY}, or the number of one repeat")
    held = held_repeats(con)
    if isinstance(wanted, int) and held and wanted not in held:
        listed = ", ".join(map(str, held)) if len(held) <= 10 else f"{held[0]} to {held[-1]}"
        raise UsageError(f"the run holds no answers of repeat {wanted}; it holds: {listed}")
    if len(held) < 2:
        return None
    return held[0] if wanted in (None, FIRST) else wanted


def one_repeat(con: duckdb.DuckDBPyConnection, repeat: str | int | None) -> AbstractContextManager[None]:
    """For a while, ``responses`` shows one answer for each question and order; None: it does so already."""
    if repeat is None:
        return nullcontext()
    if repeat == MAJORITY:
        return _majority(con)
    return filtered_view(con, "responses", f"repeat = {int(repeat)}")


@contextmanager
def _majority(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    con.execute(f"drop table if exists {MAJORITY_OF_REPEATS}")
    con.execute(_MAJORITY)
    try:
        with replaced_view(con, "responses", lambda _: f"from {MAJORITY_OF_REPEATS}"):
            yield
    finally:
        con.execute(f"drop table {MAJORITY_OF_REPEATS}")


def in_words(repeat: str | int | None) -> str:
    """Which repeat counts; empty where there is one."""
    if repeat is None:
        return ""
    return "the majority of all repeats" if repeat == MAJORITY else f"repeat {repeat} alone"


def say_once(run: object, con: duckdb.DuckDBPyConnection) -> None:
    """One line, once for each run, on which repeat counts where none is named."""
    path = getattr(run, "path", None)
    if str(path) not in _said if path else con not in _said_of:
        _said.add(str(path)) if path else _said_of.add(con)
        held = held_repeats(con)
        tell(
            LOG,
            f"each question has {len(held)} replies: repeat {held[0]} alone is counted; name a repeat, or the "
            "majority, to count otherwise",
        )
