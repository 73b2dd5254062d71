"""Splits: a rule and a threshold turn the answers into weak / strong / undecided, with a reason per item."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from audiocontrib.contribution import contributions
from audiocontrib.contribution.tables import sql
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.splits.base import RULES, SUMMARY_GROUPS, Rule, RuleInput, RuleResult, Split, rule
from audiocontrib.splits.run_view import HasConnection, asked_models, connected, only_models
from audiocontrib.splits.settings import check_settings, judges, listed
from audiocontrib.store.views import SPLIT_SCHEMA

if TYPE_CHECKING:
    import duckdb

__all__ = ["RULES", "SPLIT_SCHEMA", "SUMMARY_GROUPS", "Rule", "RuleInput", "RuleResult", "Split", "rule", "split"]

LEAVE_OUT = ("unsolved",)
"""Kinds of items that can be left out of a split."""

import_module("audiocontrib.splits.rules")  # files them


def split(
    run: HasConnection | duckdb.DuckDBPyConnection,
    /,
    rule: str = "votes",
    threshold: float | Fraction | None = None,
    condition: str = "silence",
    audio: str = "audio",
    method: str | None = None,
    models: str | Sequence[str] | None = None,
    leave_out: str | Sequence[str] = (),
    **settings: Any,
) -> Split:
    """Split the items of a run into weak and strong audio contribution.

    Whatever the rule, an item that no model gets right with the audio is marked ``unsolved`` beside its part:
    it may be unanswerable, or its key wrong.

    Args:
        run: a run, or a connection with the views ``items`` and ``responses``; items that a view
            ``quarantine`` names are left out.
        rule: a name in RULES.
        threshold: in [0, 1]; a score that reaches it is strong. The nearest fraction with a denominator of
            at most a million is meant, so that two wrong votes of three reach 2 / 3. None: the rule's own.
        condition: the condition without the audio whose answers are judged, as it is written.
        audio: the condition with the audio; it says which items are unsolved.
        method: ``likelihood`` or ``generate``; needed only where the run holds both.
        models: whose answers count (one name, or several); None: all that were asked under the condition.
        leave_out: ``unsolved`` leaves those items out of the table; ``findings`` says how many.
        settings: further arguments of the rule.

    Raises:
        UsageError: no such rule, setting or model, a value that is not of its type, or a threshold outside [0, 1].
        AudiocontribError: the run holds no answers under the condition, or not those that the rule needs.
    """
    found = RULES.find(rule)
    threshold = found.threshold if threshold is None else threshold
    if not 0 <= threshold <= 1:
        raise UsageError(f"threshold {threshold} is not between 0 and 1")
    left_out = sorted(set(listed(leave_out)))
    if unknown := set(left_out) - set(LEAVE_OUT):
        raise UsageError(f"{min(unknown)!r} cannot be left out; what can: {', '.join(LEAVE_OUT)}")
    settings = check_settings(rule, settings)
    exact = Fraction(threshold).limit_denominator(1_000_000)
    with connected(run) as con:
        items = _items(con)
        counted = None if models is None else listed(models)
        names = asked_models(con, condition, counted)
        if not names:
            ask = f"audiocontrib score --condition {condition}"
            raise AudiocontribError(f"the run holds no answers under {condition!r}; ask for them first: {ask}")
        with only_models(con, counted):
            scores = contributions(con, condition, audio, method)
        with only_models(con, None if counted is None else counted + judges({"rule": rule} | settings)):
            decided = found.decide(RuleInput(con, scores, exact, condition, method), **settings)
    placed = sql(
        "select * from decided join items using (item_id) join unsolved using (item_id) order by item_id",
        decided=decided.table,
        items=items,
        unsolved=scores.select(["item_id", "unsolved"]),
    )
    findings = dict(decided.findings)
    if "unsolved" in left_out:
        kept = sql("select * from placed where unsolved is not true order by item_id", placed=placed)
        findings["left_out_unsolved"] = len(placed) - len(kept)
        placed = kept
    asked = {"rule": rule, "threshold": float(threshold), "condition": condition, "audio": audio, "models": names}
    asked |= {"leave_out": left_out} | settings | ({"method": method} if method else {})
    table = placed.select(SPLIT_SCHEMA.names).cast(SPLIT_SCHEMA)
    context = placed.select(["item_id", *SUMMARY_GROUPS, "guessing"])
    return Split(table, rule, float(threshold), asked, findings, decided.warnings, scores, context)


def _items(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """item_id and the summary's groups of the items that are not quarantined."""
    views = con.execute("select table_name from information_schema.tables").fetchall()
    # other rows of the quarantine never became items; a repeated one even names the item that it repeats
    sound = "where item_id not in (select item_id from quarantine where field = 'audio' and item_id is not null)"
    where = sound if ("quarantine",) in views else ""
    return con.sql(
        f"select item_id, question_type, source_dataset, len(choices) as k from items {where}"
    ).to_arrow_table()
