"""Contribution against the length that a thought was allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers, schema_of
from audiocontrib.contribution.accuracies import contribution_of
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.repeat_view import FREE, held_bounds
from audiocontrib.contribution.run_view import connected
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, scoped, wanted_scope
from audiocontrib.contribution.votes import count_votes
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import Heard, gain

if TYPE_CHECKING:
    import duckdb

THINKING_SCHEMA = schema_of(
    model=pa.string(),
    think_tokens=pa.int64(),
    n=pa.int64(),
    **dict.fromkeys(("accuracy_audio", "accuracy_condition"), pa.float64()),
    **dict.fromkeys(("abstained_audio", "abstained_condition", "chance"), pa.float64()),
    **dict.fromkeys(("contribution", "contribution_low", "contribution_high"), pa.float64()),
    **dict.fromkeys(("least_contribution", "most_contribution"), pa.float64()),
    interval=pa.string(),
    **dict.fromkeys(("thought_tokens", "reached", "unparsed"), pa.float64()),
)


def thinking(run: Answers, /, *, scope: Scope | None = None, **words: Unpack[ScopeFields]) -> pa.Table:
    """One row per model and bound of thoughts, the smallest first; null is no bound of its own.

    Args:
        run: a run, or an open connection with its views.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; all bounds.

    Returns:
        model, think_tokens, n (items with a key and a vote both with the audio and under the condition);
        accuracy_audio, accuracy_condition, abstained_audio, abstained_condition (shares), chance (mean 1/K),
        contribution (what the audio adds, chance-corrected, abstentions credited with 1/K) with its 95 % interval by
        clip and the kind of that, and its bounds over what abstentions may be worth (least_contribution,
        most_contribution); and of the single answers under both conditions: thought_tokens (mean), reached (share whose
        thought was as long as it was allowed), unparsed (share).

    Raises:
        UsageError: one bound is named, or a word that the run does not know.
    """
    wanted = wanted_scope(scope, words)
    if wanted.think_tokens is not None:
        raise UsageError("this table is about all bounds of thoughts together: leave think_tokens out")
    rows: list[dict[str, Any]] = []
    with connected(run) as con:
        for bound in held_bounds(con):
            named = replace(wanted, think_tokens=FREE if bound is None else bound)
            with scoped(con, named, {}) as (narrow, checked):
                rows += _rows(narrow, checked, bound)
    return pa.Table.from_pylist(rows, schema=THINKING_SCHEMA)


def _rows(con: duckdb.DuckDBPyConnection, scope: CheckedScope, bound: int | None) -> list[dict[str, Any]]:
    told = count_answers(con, conditions=[scope.audio, scope.condition], method=scope.method)
    cast, cells = count_votes(told), {cell: place for place, cell in enumerate(told.cells)}
    clips = arrow_table(con.sql("select dense_rank() over (order by clip_id) as clip from items order by item_id"))
    clip = integers(clips["clip"])
    written = _written(con, scope, bound)
    rows = []
    for model in sorted({model for model, _ in cells}):
        row = {"model": model, "think_tokens": bound, "n": 0, **written.get(model, {})}
        audio, without = (cells.get((model, name)) for name in (scope.audio, scope.condition))
        if audio is not None and without is not None:
            both = (cast.problem[:, [audio, without]] == 0).all(axis=1) & (told.gold >= 0)
            row |= _compared(cast.heard(audio, without, both), clip[both])
        rows.append(row)
    return rows


def _compared(heard: Heard, clip: NDArray[np.int64]) -> dict[str, Any]:
    if not len(clip):
        return {}
    chance = float(heard.chance.mean())
    found = contribution_of(gain(heard.sides()), heard.chance, clip)
    low, high = found.interval()
    least, most = heard.bounds(gain)
    return {
        "n": len(clip),
        "accuracy_audio": float(heard.right_audio.mean()),
        "accuracy_condition": float(heard.right_without.mean()),
        "abstained_audio": float(heard.declined_audio.mean()),
        "abstained_condition": float(heard.declined_without.mean()),
        "chance": chance,
        "contribution": found.mean,
        "contribution_low": low,
        "contribution_high": high,
        "least_contribution": least / (1 - chance),
        "most_contribution": most / (1 - chance),
        "interval": found.kind,
    }


def _written(con: duckdb.DuckDBPyConnection, scope: CheckedScope, bound: int | None) -> dict[str, dict[str, Any]]:
    """Of each model's single answers: the mean length of their thoughts, and what became of them."""
    if "thought_tokens" not in con.sql("from responses limit 0").columns:  # a majority has no thoughts of its own
        return {}
    found = arrow_table(
        con.sql(
            """
            select model, avg(thought_tokens) as thought_tokens, avg((thought_tokens >= $bound)::int) as reached,
                avg((outcome = 'unparsed')::int) as unparsed
            from responses where condition in ($audio, $condition) and outcome <> 'failed' group by model
            """,
            params={"bound": bound, "audio": scope.audio, "condition": scope.condition},
        )
    )
    return {row.pop("model"): row for row in found.to_pylist()}
