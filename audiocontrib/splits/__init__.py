"""Splits: a rule and a threshold turn the answers into weak / strong / undecided, with a reason per item."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa

from audiocontrib.contribution.repeat_view import one_answer, say_once
from audiocontrib.contribution.run_view import HasConnection, asked_models, connected, only_models
from audiocontrib.contribution.scope import Answers, CheckedScope, Scope, ScopeFields, not_asked
from audiocontrib.contribution.scores import contributions
from audiocontrib.errors import UsageError
from audiocontrib.splits.base import RULES, SUMMARY_GROUPS, Rule, RuleInput, RuleResult, Split, rule
from audiocontrib.splits.decide import decide
from audiocontrib.splits.settings import check_settings, judges, listed, settings_of
from audiocontrib.sql import arrow_table, sql
from audiocontrib.store import Run
from audiocontrib.store.marking import Marking, checked_kinds, marking_of
from audiocontrib.store.marks import marked
from audiocontrib.store.split_check import SPLIT_SCHEMA

if TYPE_CHECKING:
    import duckdb

__all__ = ["RULES", "SPLIT_SCHEMA", "SUMMARY_GROUPS", "Rule", "RuleInput", "RuleResult", "Split", "rule", "split"]

LEAVE_OUT = ("unsolved",)
"""Kinds of items that can be left out of a split."""

import_module("audiocontrib.splits.rules")  # files them


def split(
    run: Answers,
    /,
    *,
    rule: str = "votes",
    threshold: float | Fraction | None = None,
    leave_out: str | Sequence[str] = (),
    without_marked: str | Sequence[str] = (),
    corrected_keys: bool = False,
    scope: Scope | None = None,
    condition: str | None = None,
    audio: str | None = None,
    method: str | None = None,
    models: str | Sequence[str] | None = None,
    prompt: str | None = None,
    repeat: str | int | None = None,
    think_tokens: str | int | None = None,
    **settings: Any,
) -> Split:
    """Split the items of a run into weak and strong audio contribution.

    Whatever the rule, an item that no model gets right with the audio is ``unsolved``: unanswerable, or its key wrong.

    Args:
        run: a run, or a connection with the views ``items`` and ``responses``; items that a view
            ``quarantine`` names are left out.
        rule: a name in RULES.
        threshold: in [0, 1]; a score that reaches it is strong. The nearest fraction with a denominator of
            at most a million is meant, so that two wrong votes of three reach 2 / 3. None: the rule's own.
        leave_out: ``unsolved`` leaves those items out of the table; ``findings`` says how many.
        without_marked, corrected_keys: as in :func:`audiocontrib.marked`.
        scope: which answers count (:class:`~audiocontrib.contribution.scope.Scope`); or, in its place, its fields:
        condition, audio, method, models, prompt, repeat, think_tokens: ``models`` None counts all asked under the
            condition.
        settings: further arguments of the rule.

    Raises:
        UsageError: no such rule, setting, condition, model or kind of marks, or a value that it cannot have.
        AudiocontribError: the run holds no answers under the condition, or not those that the rule needs.

    Example:
        >>> made = ac.split(run, rule="votes", threshold=0.5)
        >>> made.summary(), made.save(run.split_folder("votes"))
    """
    found = RULES.find(rule)
    exact = _threshold(found.threshold if threshold is None else threshold)
    left_out, settings = _left_out(leave_out), check_settings(rule, _written(rule, settings))
    given: dict[str, Any] = {"condition": condition, "audio": audio, "method": method, "models": models}
    given |= {"prompt": prompt, "repeat": repeat, "think_tokens": think_tokens}
    with connected(as_marked(run, without_marked, corrected_keys)) as con:
        marking = _marking(con, rule)
        checked = scope if isinstance(scope, CheckedScope) else _checked(run, _scope(scope, given), con)
        # what was checked before is narrow already
        narrow = (None, None) if checked is scope else (checked.repeat, checked.think_tokens)
        if not (names := asked_models(con, checked.condition, checked.models)):
            raise not_asked(checked.condition)
        items = _items(con)
        with only_models(con, checked.models), one_answer(con, *narrow):
            scores = contributions(con, scope=checked)
        _check_solving(scores, checked.audio, left_out)
        judging = None if checked.models is None else [*checked.models, *judges({"rule": rule} | settings)]
        with only_models(con, judging), one_answer(con, *narrow):
            decided = decide(rule, RuleInput(con, checked, scores, exact), settings, items)
    placed, findings = _placed(decided, items, scores.select(["item_id", "unsolved"]), leave_out=bool(left_out))
    marked_so, counted = (marking.asked, marking.findings) if marking else ({}, {})
    asked = {"rule": rule, "threshold": float(exact), "condition": checked.condition, "audio": checked.audio}
    asked |= {"models": names, "leave_out": left_out} | settings | _named(checked) | marked_so
    table = placed.select(SPLIT_SCHEMA.names).cast(SPLIT_SCHEMA)
    context = placed.select(["item_id", *SUMMARY_GROUPS, "guessing"])
    return Split(table, rule, float(exact), asked, findings | counted, decided.warnings, scores, context, marking)


def as_marked(run: Answers, without: str | Sequence[str], corrected_keys: bool) -> Answers:
    """The run as its marks have it, or as it is where nothing is asked for, or where it was marked so before.

    Raises:
        UsageError: marks are asked for of a connection that is not marked so.
    """
    wanted = Marking(checked_kinds(without), corrected_keys).asked
    there = getattr(run, "marking", None) if isinstance(run, HasConnection) or not wanted else marking_of(run)
    if not wanted or (there and there.asked == wanted):
        return run
    if not isinstance(run, Run):
        raise UsageError("marks are kept in a run, and this is a connection: give the run", argument="without_marked")
    return marked(run, without=without, corrected_keys=corrected_keys)


def _marking(con: duckdb.DuckDBPyConnection, rule: str) -> Marking | None:
    """What marks change in a connection. UsageError if the rule cannot follow corrected keys."""
    marking = marking_of(con)
    if marking is not None and marking.keys and rule == "audit":
        raise UsageError(
            "the rule audit goes by classifiers that were fitted to the run's own keys, and cannot follow corrected "
            "ones; take another rule, or leave the items with wrong keys out",
            argument="corrected_keys",
        )
    return marking


def _written(rule: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, and those that a split always writes down."""
    return {name: usual for name, usual in settings_of(rule).items() if name in RULES.find(rule).before} | settings


def _named(scope: CheckedScope) -> dict[str, Any]:
    """What of a scope is kept with a split where the run holds several."""
    several = {"method": scope.method, "repeat": scope.repeat, "think_tokens": scope.think_tokens}
    return {name: value for name, value in several.items() if value is not None}


def _placed(
    decided: RuleResult, items: pa.Table, unsolved: pa.Table, *, leave_out: bool
) -> tuple[pa.Table, dict[str, Any]]:
    """The items with their parts, by id, and what was found; without the unsolved ones where they are left out."""
    placed = sql(
        "select * from decided join items using (item_id) join unsolved using (item_id) order by item_id",
        decided=decided.table,
        items=items,
        unsolved=unsolved,
    )
    if not leave_out:
        return placed, dict(decided.findings)
    kept = sql("select * from placed where unsolved is not true order by item_id", placed=placed)
    return kept, {**decided.findings, "left_out_unsolved": len(placed) - len(kept)}


def _checked(run: Answers, scope: Scope, con: duckdb.DuckDBPyConnection) -> CheckedScope:
    checked = scope.check(con)
    say_once(run, con, checked.unnamed(scope))
    return checked


def _check_solving(scores: pa.Table, audio: str, left_out: list[str]) -> None:
    if left_out and scores["unsolved"].null_count == len(scores):
        raise UsageError(f"unsolved items cannot be left out: no model was asked under {audio!r}")


def _scope(scope: Scope | None, given: dict[str, Any]) -> Scope:
    words = cast("ScopeFields", {name: value for name, value in given.items() if value is not None})
    if scope is not None and words:
        raise UsageError(f"give a scope, or its fields by keyword ({', '.join(sorted(words))}); one of the two")
    return scope or Scope(**words)


def _threshold(given: float | Fraction) -> Fraction:
    if isinstance(given, bool) or not isinstance(given, int | float | Fraction) or not 0 <= given <= 1:
        raise UsageError(f"threshold is {given!r}, but must be a number between 0 and 1")
    return Fraction(given).limit_denominator(1_000_000)


def _left_out(kinds: str | Sequence[str]) -> list[str]:
    if not isinstance(kinds, str | list | tuple):
        raise UsageError(f"leave_out is {kinds!r:.80}, but is a list of some of: {', '.join(LEAVE_OUT)}")
    if unknown := [one for one in listed(kinds) if one not in LEAVE_OUT]:
        raise UsageError(f"{unknown[0]!r} cannot be left out; what can: {', '.join(LEAVE_OUT)}")
    wanted = sorted(set(listed(kinds)))
    return wanted


def _items(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """item_id and the summary's groups of the items that are not quarantined."""
    views = con.execute("select table_name from information_schema.tables").fetchall()
    # other rows of the quarantine never became items; a repeated one even names the item that it repeats
    sound = "where item_id not in (select item_id from quarantine where field = 'audio' and item_id is not null)"
    where = sound if ("quarantine",) in views else ""
    return arrow_table(con.sql(f"select item_id, question_type, source_dataset, len(choices) as k from items {where}"))
