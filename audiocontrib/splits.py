"""Splits: a rule and a threshold turn the answers into weak / strong / undecided, with a reason per item."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

from audiocontrib.contribution import contributions
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.registry import Registry
from audiocontrib.statistics import binomial_at_least
from audiocontrib.store.files import replacing, write_table_atomic
from audiocontrib.store.views import SPLIT_SCHEMA

if TYPE_CHECKING:
    import duckdb

SUMMARY_GROUPS = ("question_type", "source_dataset")

Rule = Callable[..., pa.Table]
"""``rule(con, threshold, condition, **settings)`` decides every item of the view ``items``.

``threshold`` is a Fraction. The table holds the columns of SPLIT_SCHEMA and ``guessing``: the probability
that the rule would call the item weak if every model guessed, uniformly and for itself; null if unknown.
"""
RULES: Registry[Rule] = Registry("split rule")


class HasConnection(Protocol):
    """A run: anything that opens a DuckDB connection with its views."""

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A new connection with the views ``items`` and ``responses``; closed by who asked for it."""


@dataclass(frozen=True, slots=True)
class Split:
    """The items in two parts, and those that could not be placed."""

    table: pa.Table
    """SPLIT_SCHEMA, one row per item that is not quarantined, sorted by item_id."""
    rule: str
    threshold: float
    settings: Mapping[str, Any]
    """All that fixes the split besides the answers, as JSON values; saved beside the table."""
    context: pa.Table = field(repr=False)
    """item_id, question_type, source_dataset, guessing: what the summary needs beside the table."""

    def summary(self, by: str | None = None) -> pa.Table:
        """Counts and shares, one row per value of ``by`` (None: one row for all).

        Returns:
            ``by``; n, weak, strong, undecided, unsolved (counts); weak_share and strong_share of the decided
            items; guessing_weak_share: the weak share to expect of those if all models guessed (the mean of
            exact binomial tails), null where the rule has none.

        Raises:
            UsageError: ``by`` is not one of SUMMARY_GROUPS.
        """
        if by is not None and by not in SUMMARY_GROUPS:
            raise UsageError(f"summary by {by!r}: it can be by {' or '.join(SUMMARY_GROUPS)}")
        return _sql(
            f"""
            select {f"{by}," if by else ""} count(*) as n,
                count(*) filter (split = 'weak') as weak,
                count(*) filter (split = 'strong') as strong,
                count(*) filter (split = 'undecided') as undecided,
                count(*) filter (unsolved) as unsolved,
                avg((split = 'weak')::int) filter (split <> 'undecided') as weak_share,
                avg((split = 'strong')::int) filter (split <> 'undecided') as strong_share,
                avg(guessing) filter (split <> 'undecided') as guessing_weak_share
            from decided join context using (item_id) group by all order by all
            """,
            decided=self.table,
            context=self.context,
        )

    def save(self, folder: str | Path) -> Path:
        """Write ``split.parquet`` and ``settings.json`` into ``folder`` (made if need be); gives it back.

        Each file appears whole or not at all. The settings are in the Parquet file's metadata too, under
        ``audiocontrib``, so that the table alone says how it was made.

        Raises:
            AudiocontribError: the folder cannot be written to.
        """
        folder = Path(folder)
        settings = json.dumps(dict(self.settings), indent=2, sort_keys=True)
        write_table_atomic(self.table.replace_schema_metadata({"audiocontrib": settings}), folder / "split.parquet")
        with replacing(folder / "settings.json") as file:
            file.write(settings.encode() + b"\n")
        return folder


def split(
    run: HasConnection | duckdb.DuckDBPyConnection,
    rule: str = "votes",
    threshold: float | Fraction = 0.5,
    condition: str = "silence",
    **settings: Any,
) -> Split:
    """Split the items of a run into weak and strong audio contribution.

    Args:
        run: a run, or a connection with the views ``items`` and ``responses``; items that a view
            ``quarantine`` names are left out.
        rule: a name in RULES.
        threshold: in [0, 1]; a score that reaches it is strong. The nearest fraction with a denominator of
            at most a million is meant, so that two wrong votes of three reach 2 / 3.
        condition: the condition without the audio whose answers are judged, as it is written.
        settings: further arguments of the rule (``audio`` and ``method`` for ``votes``).

    Raises:
        UsageError: no such rule, or a threshold outside [0, 1].
        AudiocontribError: the run holds no answers under the condition.
    """
    if not 0 <= threshold <= 1:
        raise UsageError(f"threshold {threshold} is not between 0 and 1")
    decide, exact = RULES.find(rule), Fraction(threshold).limit_denominator(1_000_000)
    with run.connect() if hasattr(run, "connect") else nullcontext(run) as con:
        models = _models(con, condition)
        decided = decide(con, exact, condition, **settings)
        items = _items(con)
    placed = _sql("select * from decided join items using (item_id) order by item_id", decided=decided, items=items)
    table = placed.select(SPLIT_SCHEMA.names).cast(SPLIT_SCHEMA)
    context = placed.select(["item_id", *SUMMARY_GROUPS, "guessing"])
    asked = {"rule": rule, "threshold": float(threshold), "condition": condition, "models": models}
    return Split(table, rule, float(threshold), asked | settings, context)


@RULES.register("votes")
def votes(
    con: duckdb.DuckDBPyConnection,
    threshold: Fraction,
    condition: str,
    audio: str = "audio",
    method: str | None = None,
) -> pa.Table:
    """The published rule (arXiv 2509.21060): the score is the share of the models that are wrong.

    With three models and a threshold of 1/2, an item is weak if at least two are right without the audio.
    An item without a key, or for which a vote is missing, is undecided.
    """
    scores = contributions(con, condition, audio, method)
    models = scores["models"][0].as_py() if len(scores) else 0
    needed = ceil(threshold * models)  # in whole votes: comparing the shares would be at the mercy of rounding
    sizes = con.sql("select item_id, len(choices) as k from items order by item_id").to_arrow_table()
    guessing = binomial_at_least(models - needed + 1, models, 1 / sizes["k"].to_numpy())
    return _sql(
        f"""
        select item_id, score, unsolved, guessing,
            case
                when score is null then 'undecided'
                when models - votes_right >= {needed} then 'strong'
                else 'weak'
            end as split,
            case
                when len(missing) > 0 then array_to_string(missing, '; ')
                when votes_right is null then 'the item has no answer key'
                else concat(votes_right, ' of ', models, if(models = 1, ' model', ' models'), ' right under ',
                    under, if(votes_right > 0, ' (' || array_to_string(models_right, ', ') || ')', ''))
            end as reason
        from scores join guesses using (item_id)
        """,
        scores=scores.append_column("under", pa.repeat(pa.scalar(condition), len(scores))),
        guesses=sizes.append_column("guessing", pa.array(guessing)),
    )


def _models(con: duckdb.DuckDBPyConnection, condition: str) -> list[str]:
    """The models asked under the condition; AudiocontribError that says what to run if there are none."""
    asked = "select distinct model from responses where condition = ? order by 1"
    models = [model for (model,) in con.execute(asked, [condition]).fetchall()]
    if not models:
        ask = f"audiocontrib score --condition {condition}"
        raise AudiocontribError(f"the run holds no answers under {condition!r}; ask for them first: {ask}")
    return models


def _items(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """item_id and the summary's groups of the items that are not quarantined."""
    views = con.execute("select table_name from information_schema.tables").fetchall()
    # other rows of the quarantine never became items; a repeated one even names the item that it repeats
    sound = "where item_id not in (select item_id from quarantine where field = 'audio' and item_id is not null)"
    where = sound if ("quarantine",) in views else ""
    return con.sql(f"select item_id, {', '.join(SUMMARY_GROUPS)} from items {where}").to_arrow_table()


def _sql(query: str, **tables: pa.Table) -> pa.Table:
    """A query over Arrow tables by name, away from the run's own views."""
    import duckdb

    with duckdb.connect() as con:
        for name, table in tables.items():
            con.register(name, table)
        return con.sql(query).to_arrow_table()
