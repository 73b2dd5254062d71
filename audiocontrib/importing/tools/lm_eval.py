"""Samples of lm-evaluation-harness: ``samples_TASK_TIME.jsonl``, of multiple_choice and generate_until tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.importing.tools.base import AnswerTool, has_columns, log_row, register_tool, right_or_wrong
from audiocontrib.importing.tools.documents import asked_in
from audiocontrib.sources.base import BrokenRow, Rows, SourceRow
from audiocontrib.sources.files import read_rows


def _rows(path: Path) -> Rows:
    model = _model(path)
    seen: dict[str, SourceRow] = {}
    for row in read_rows(path):
        if isinstance(row, BrokenRow):
            yield row
            continue
        first = seen.setdefault(str(row.values["doc_id"]), row)
        if first.values["resps"] != row.values["resps"]:
            reason = f"{row.values['doc_id']!r} is that of line {first.line} too, which has other replies"
            yield BrokenRow(str(path), row.line, "doc_id", reason)
        elif first is row:  # a row for each filter holds the same replies
            try:
                yield from _answers(path, row, model)
            except (KeyError, IndexError, TypeError, ValueError, BadItem) as error:
                yield BrokenRow(str(path), row.line, "resps", f"is no answer that can be read: {error}")


def _answers(path: Path, row: SourceRow, model: str | None) -> Iterator[SourceRow]:
    values = row.values
    calls = values["arguments"]  # older versions write a list of lists
    if isinstance(calls, Mapping):
        calls = [list(call.values()) for _, call in sorted(calls.items(), key=_number)]
    metric = right_or_wrong(values.get(next(iter(values.get("metrics") or ()), "")))
    replies = values["resps"]
    if not isinstance(replies[0][0], list):
        asked = asked_in(values["doc"], calls[0][0], values["doc_id"])
        for repeat, reply in enumerate(replies[0]):
            judged = metric if repeat == 0 and str(values["filtered_resps"][0]) in str(reply) else None
            yield log_row(path, row.line, asked, model=model, reply=reply, repeat=repeat, theirs=judged)
        return
    first = [i for i, call in enumerate(calls) if call[0] == calls[0][0]]  # others: the options without the question
    names = [str(calls[i][1]).strip() for i in first]
    if len(set(names)) < len(names):
        raise ValueError("two options are the same text")
    scores = {name: float(replies[i][0][0]) for name, i in zip(names, first, strict=True)}
    asked = asked_in(values["doc"], calls[0][0], values["doc_id"])
    yield log_row(path, row.line, asked, model=model, logprob=scores, theirs=metric)


def _number(argument: tuple[str, Any]) -> int:
    return int(argument[0].rpartition("_")[2])


def _model(path: Path) -> str | None:
    """From the file of results beside it, which was written at the same time; None if it is not there."""
    results = path.parent / f"results_{path.stem.rpartition('_')[2]}.json"
    try:
        told = json.loads(results.read_text(encoding="utf-8"))
        named: Mapping[str, Any] = told["config"]
        # without arguments the tool calls its folder by a random word
        return str(told["model_name"] if named.get("model_args") else named["model"])
    except (OSError, ValueError, KeyError):
        return None


register_tool(
    AnswerTool(
        "lm-eval",
        "samples_*.jsonl, as --log_samples writes them",
        (".jsonl",),
        has_columns("doc_id", "doc", "arguments", "resps"),
        _rows,
        posterior="softmax of the log-probability of each option's text after the prompt, summed over its tokens",
    )
)
