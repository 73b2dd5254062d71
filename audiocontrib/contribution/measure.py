"""All that is known about each item's contribution, in one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.contribution.answerable import answerable
from audiocontrib.contribution.contest import contest
from audiocontrib.contribution.decoys import q_values
from audiocontrib.contribution.leak_estimates import local_leak
from audiocontrib.contribution.ledger import ledger
from audiocontrib.contribution.place_habit import place_habit
from audiocontrib.contribution.repeat_view import in_words
from audiocontrib.contribution.repeats import luck_of_a_rerun
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, not_asked, scoped
from audiocontrib.contribution.scores import contributions
from audiocontrib.errors import AudiocontribError
from audiocontrib.sql import sql

if TYPE_CHECKING:
    import duckdb

ANSWERABLE_SCHEMA = schema_of(item_id=pa.string(), p_answerable=pa.float64())
DECOY_SCHEMA = schema_of(
    item_id=pa.string(),
    gold_on_top=pa.bool_(),
    gold_rank=pa.int64(),
    **dict.fromkeys(("margin", "q_value", "p_leak"), pa.float64()),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The contribution of the audio, item by item."""

    table: pa.Table
    """One row per item, sorted by item_id: the columns of
    :func:`~audiocontrib.contribution.scores.contributions`; those of
    :attr:`~audiocontrib.contribution.ledger.Ledger.items`; and, without the audio,

    - p_answerable: probability that the text answers the item (hierarchical model of the models' luck).
    - gold_on_top, gold_rank, margin: whether the models together prefer the gold, how many options they prefer to it,
      and by how much (log p of the best option - log p of the second); null without a key or where a vote is missing.
    - q_value: least false-discovery rate at which the item is called answerable from its text.
    - p_leak: local probability of that, from the decoys."""
    notes: tuple[str, ...]
    """Sentences on what could not be computed, and why."""


def measure(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> Measurement:
    """Every score of every item; what a run does not identify is null, with a note that says why.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`.

    Raises:
        AudiocontribError: the run holds no answers under the condition, or both methods and none is named.

    Example:
        >>> measured = ac.measure(run, condition="text")
        >>> measured.table.to_pandas(), measured.notes
    """
    with scoped(run, scope, words) as (con, checked):
        made = _measured(con, checked)
    if checked is scope or not (told := in_words(checked.repeat, checked.think_tokens)):
        return made
    luck = luck_of_a_rerun(run, checked) if checked.repeat is not None else ()
    return replace(made, notes=(*made.notes, f"of several answers to each question, one counts: {told}", *luck))


def _measured(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> Measurement:
    scores = contributions(con, scope=scope)
    if not any(scores["models"].unique().to_pylist()):
        raise not_asked(scope.condition)
    account = ledger(con, scope=scope)
    notes = list(account.notes)
    notes += place_habit(con, scope)
    luck, decoys = ANSWERABLE_SCHEMA.empty_table(), DECOY_SCHEMA.empty_table()
    try:
        luck, _ = answerable(con, scope=scope)
    except AudiocontribError as error:
        notes.append(f"p_answerable is null: {error}")
    try:
        decoys = _decoys(con, scope)
    except AudiocontribError as error:
        notes.append(f"q_value and p_leak are null: {error}")
    table = sql(
        "select * from scores join account using (item_id) left join luck using (item_id) "
        "left join decoys using (item_id) order by item_id",
        scores=scores, account=account.items, luck=luck, decoys=decoys,
    )  # fmt: skip
    return Measurement(table, tuple(notes))


def _decoys(con: duckdb.DuckDBPyConnection, scope: CheckedScope) -> pa.Table:
    entered, outcome = contest(con, scope=scope)
    found = (entered["item_id"], outcome.won, outcome.rank, outcome.margin, q_values(outcome), local_leak(outcome))
    return pa.Table.from_pydict(dict(zip(DECOY_SCHEMA.names, found, strict=True)))
