"""Samples of lmms-eval: ``TIME_samples_TASK.jsonl``, which keep the prompt and the number of the row alone."""

from __future__ import annotations

import json
from pathlib import Path

from audiocontrib.errors import BadItem
from audiocontrib.importing.tools.base import AnswerTool, has_columns, log_row, register_tool, right_or_wrong
from audiocontrib.importing.tools.documents import asked_in
from audiocontrib.sources.base import BrokenRow, Columns, Rows
from audiocontrib.sources.files import read_rows

_ABOUT = {"doc_id", "doc_hash", "target", "filtered_resps", "resps", "input", "token_counts"}


def _rows(path: Path) -> Rows:
    model = _model(path)
    for row in read_rows(path):
        if isinstance(row, BrokenRow):
            yield row
            continue
        values = row.values
        replies = values.get("resps", values["filtered_resps"])
        replies = replies if isinstance(replies, list) else [replies]
        if not all(isinstance(reply, str) for reply in replies):
            yield BrokenRow(str(path), row.line, "resps", "is no list of texts; only tasks that generate are read")
            continue
        try:
            asked = asked_in({}, str(values["input"]), values["doc_id"])
        except BadItem as error:
            yield BrokenRow(str(path), row.line, error.field, error.reason)
            continue
        for repeat, reply in enumerate(replies):
            theirs = _score(values) if len(replies) == 1 else None
            yield log_row(path, row.line, asked, model=model, reply=reply, repeat=repeat, theirs=theirs)


def _score(values: Columns) -> bool | None:
    """The first metric: a number, or an object that has ``score`` or ``correct``."""
    cell = next((cell for name, cell in values.items() if name not in _ABOUT), None)
    if isinstance(cell, dict):
        cell = cell.get("score", cell.get("correct"))
    return right_or_wrong(cell)


def _model(path: Path) -> str | None:
    """From the file of results that was written at the same time; None if it is not there."""
    results = path.parent / f"{path.name.partition('_samples_')[0]}_results.json"
    try:
        told = json.loads(results.read_text(encoding="utf-8"))
        return str(told.get("model_name") or told["config"]["model"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


register_tool(
    AnswerTool(
        "lmms-eval",
        "*_samples_*.jsonl, as --log_samples writes them",
        (".jsonl",),
        has_columns("doc_id", "input", "filtered_resps", "doc_hash"),
        _rows,
    )
)
