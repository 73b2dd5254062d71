"""What a rule gives back, checked: it may be somebody's own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.arrow import Column, schema_of, texts
from audiocontrib.errors import AudiocontribError, code_place, one_line
from audiocontrib.splits.base import RULES, RuleInput, RuleResult

PARTS = ("weak", "strong", "undecided")
COLUMNS = schema_of(item_id=pa.string(), split=pa.string(), score=pa.float64(), reason=pa.string())


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
    table = _typed(rule, result.table)
    if fault := _fault(table, items["item_id"]) or _fault_beside(result):
        raise AudiocontribError(f"rule {rule}: {fault}")
    return RuleResult(table, result.findings, result.warnings)


def _typed(rule: str, table: Any) -> pa.Table:
    """The columns of a rule's table, with ``guessing``, which may be left out."""
    if not isinstance(table, pa.Table):
        raise AudiocontribError(f"rule {rule}: its table is a {type(table).__name__}, not a pyarrow Table")
    if lacking := [name for name in COLUMNS.names if name not in table.column_names]:
        raise AudiocontribError(
            f"rule {rule}: its table has no column {lacking[0]}; it needs {', '.join(COLUMNS.names)}"
        )
    if "guessing" not in table.column_names:
        table = table.append_column("guessing", pa.nulls(len(table), pa.float64()))
    schema = COLUMNS.append(pa.field("guessing", pa.float64()))
    columns = []
    for field in schema:
        try:
            columns.append(table[field.name].cast(field.type))
        except pa.ArrowException as error:
            raise AudiocontribError(
                f"rule {rule}: its column {field.name} is not {field.type}: {one_line(error)}"
            ) from error
    return pa.table(columns, schema=schema)


def _fault(table: pa.Table, wanted: Column) -> str | None:
    counts = Counter(texts(table["item_id"]))
    if twice := [name for name, count in counts.items() if count > 1]:
        return f"its table holds {twice[0]} {counts[twice[0]]} times; each item has one row"
    if lacking := [name for name in texts(wanted) if name not in counts]:
        return f"its table lacks {len(lacking)} items, e.g. {lacking[0]}; those that it cannot place are undecided"
    if odd := set(texts(table["split"])) - set(PARTS):
        return f"split is {next(iter(odd))!r}, but is one of {', '.join(PARTS)}"
    for name in ("score", "guessing"):
        known = table[name].drop_null()
        if len(known) and not pc.all(pc.is_finite(known)).as_py():
            return f"its column {name} holds numbers that are not finite; null means that it is not known"
        if len(known) and not 0 <= pc.min(known).as_py() <= pc.max(known).as_py() <= 1:
            return f"its column {name} holds numbers outside 0 to 1"
    return None


def _fault_beside(result: RuleResult) -> str | None:
    try:
        json.dumps(dict(result.findings), allow_nan=False)
    except (TypeError, ValueError) as error:
        return f"its findings are not JSON values: {one_line(error)}"
    if isinstance(result.warnings, str) or not all(isinstance(one, str) for one in result.warnings):
        return "its warnings are not a tuple of sentences"
    return None
