"""A habit of place: with one option order, a model that goes by place is right where the gold often stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from audiocontrib.contribution.scope import CheckedScope
from audiocontrib.statistics import wilson

if TYPE_CHECKING:
    import duckdb

PLACES = """
with shown as (
    select ((i.answer - r."order") % len(choices) + len(choices)) % len(choices) as gold,
        ((r.choice - r."order") % len(choices) + len(choices)) % len(choices) as chosen, 1 / len(choices) as chance
    from responses r join items i using (item_id)
    where r.condition = $condition and r.choice is not null and i.answer is not null
)
select place, count(*) as n, count(*) filter (chosen = place) as chosen, count(*) filter (gold = place) as gold,
    avg(chance) as chance
from shown cross join unnest(range(26)) as places(place)
where place < 1 / chance - 0.5 group by place order by chosen desc limit 1
"""


def place_habit(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> Iterator[str]:
    """A sentence where each question was asked in one order, and answers and golds both favour the same place."""
    asked = 'select count(distinct "order") from responses where condition = ?'
    [[orders]] = con.execute(asked, [scope.condition]).fetchall()
    if orders != 1:
        return
    found = con.execute(PLACES, {"condition": scope.condition}).fetchall()
    for place, n, chosen, gold, chance in found:
        if wilson(chosen, n).low > chance and wilson(gold, n).low > chance:
            yield (
                f"each question was asked in one order of its options, and place {place + 1} is chosen in "
                f"{chosen / n:.0%} of the answers and holds the gold in {gold / n:.0%} (chance {chance:.0%}): a habit "
                "of place looks like a text that answers; ask in every order"
            )
