"""What a rule gives back, checked: it may be somebody's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import Column, schema_of, texts
from audiocontrib.errors import AudiocontribError, code_place, one_line
from audiocontrib.splits.base import RULES, RuleInput, RuleResult
from audiocontrib.store.split_check import contradiction, table_fault, typed

COLUMNS = schema_of(item_id=pa.string(), split=pa.string(), score=pa.float64(), reason=pa.string(),
                    guessing=pa.float64())  # fmt: skip


def decide(rule: str, asked: RuleInput, settings: Mapping[str, Any], items: pa.Table) -> RuleResult:
    """What a rule decides on these items.

    Args:
        items: with ``item_id``: each must be placed once. The rule may place others of the run too.

    Raises:
        AudiocontribError: the rule fails, or what it gives is no RuleResult on these items.
    """
    try:
        result = RULES.find(rule).decide(asked, **settings)
    except AudiocontribError:
        raise
    except Exception as error:
        raise AudiocontribError(f"rule {rule} fails: {code_place(error)}{one_line(error)}") from error
    if not isinstance(result, RuleResult):
        raise AudiocontribError(f"rule {rule} gave {type(result).__name__}; it gives RuleResult(table)")
    if not isinstance(result.table, pa.Table):
        raise AudiocontribError(f"rule {rule}: its table is a {type(result.table).__name__}, not a pyarrow Table")
    try:
        table = typed(result.table, COLUMNS, optional=("guessing",))
    except ValueError as error:
        raise AudiocontribError(f"rule {rule}: its table is none: {error}") from error
    fault = table_fault(table) or _fault(table, items["item_id"], asked.scores["item_id"])
    if fault is None and RULES.find(rule).by_score:
        fault = contradiction(table, float(asked.threshold))
    if fault := fault or _fault_beside(result):
        raise AudiocontribError(f"rule {rule}: {fault}")
    return RuleResult(table, result.findings, tuple(result.warnings))


def _fault(table: pa.Table, wanted: Column, known: Column) -> str | None:
    """What its rows and the run's items have against each other; ``known`` are all, ``wanted`` must be placed."""
    there = set(texts(table["item_id"]))
    if lacking := [name for name in texts(wanted) if name not in there]:
        return f"its table lacks {len(lacking)} items, e.g. {lacking[0]}; those that it cannot place are undecided"
    if foreign := sorted(there - set(texts(known))):
        return f"its table holds {foreign[0]!r}, which is no item of the run"
    rows = zip(texts(table["item_id"]), table["reason"].to_pylist(), strict=True)
    return next((f"it gives no reason for {item}" for item, reason in rows if reason is None), None)


def _fault_beside(result: RuleResult) -> str | None:
    try:
        json.dumps(dict(result.findings), allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"its findings are not JSON values: {one_line(error)}"
    told = result.warnings
    if not (isinstance(told, tuple | list) and all(isinstance(one, str) for one in told)):
        return "its warnings are not a tuple of sentences"
    return None
