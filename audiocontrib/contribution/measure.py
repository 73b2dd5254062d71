"""All that is known about each item's contribution, in one table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from audiocontrib.contribution.answerable import answerable
from audiocontrib.contribution.decoys import contest, local_leak, q_values
from audiocontrib.contribution.ledger import ledger
from audiocontrib.contribution.scores import contributions
from audiocontrib.contribution.tables import sql
from audiocontrib.errors import AudiocontribError

if TYPE_CHECKING:
    import duckdb

ANSWERABLE_SCHEMA = pa.schema([("item_id", pa.string()), ("p_answerable", pa.float64())])
DECOY_SCHEMA = pa.schema(
    [("item_id", pa.string()), ("gold_on_top", pa.bool_())]
    + [(name, pa.float64()) for name in ("margin", "q_value", "p_leak")]
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The contribution of the audio, item by item."""

    table: pa.Table
    """One row per item, sorted by item_id: the columns of
    :func:`~audiocontrib.contribution.scores.contributions`; those of
    :attr:`~audiocontrib.contribution.ledger.Ledger.items`; and, without the audio,

    - p_answerable: probability that the text answers the item (hierarchical model of the models' luck).
    - gold_on_top, margin: whether the models together prefer the gold, and by how much (log p of the best
      option - log p of the second); null without a key or where a vote is missing.
    - q_value: least false-discovery rate at which the item is called answerable from its text.
    - p_leak: local probability of that, from the decoys."""
    notes: tuple[str, ...]
    """Sentences on what could not be computed, and why."""


def measure(
    con: duckdb.DuckDBPyConnection,
    condition: str = "silence",
    audio: str = "audio",
    method: str | None = None,
) -> Measurement:
    """Every score of every item; what a run does not identify is null, with a note that says why.

    Args:
        condition: the condition without the audio, as it is written.
        audio: the condition with the audio.
        method: as in :func:`audiocontrib.contribution.votes.votes`.

    Raises:
        AudiocontribError: the run holds no answers under the condition, or both methods and none is named.
    """
    scores = contributions(con, condition, audio, method)
    if not any(scores["models"].unique().to_pylist()):
        ask = f"audiocontrib score --condition {condition}"
        raise AudiocontribError(f"the run holds no answers under {condition!r}; ask for them first: {ask}")
    account = ledger(con, method, audio=audio, condition=condition)
    notes = list(account.notes)
    luck, decoys = ANSWERABLE_SCHEMA.empty_table(), DECOY_SCHEMA.empty_table()
    try:
        luck, _ = answerable(con, condition, method)
    except AudiocontribError as error:
        notes.append(f"p_answerable is null: {error}")
    try:
        decoys = _decoys(con, condition, method)
    except AudiocontribError as error:
        notes.append(f"q_value and p_leak are null: {error}")
    table = sql(
        "select * from scores join account using (item_id) left join luck using (item_id) "
        "left join decoys using (item_id) order by item_id",
        scores=scores,
        account=account.items,
        luck=luck,
        decoys=decoys,
    )
    return Measurement(table, tuple(notes))


def _decoys(con: duckdb.DuckDBPyConnection, condition: str, method: str | None) -> pa.Table:
    entered, outcome = contest(con, condition, method)
    columns: Iterable[object] = (outcome.won, outcome.margin, q_values(outcome), local_leak(outcome))
    return pa.table([entered["item_id"], *columns], names=DECOY_SCHEMA.names)
