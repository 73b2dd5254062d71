"""Details of lighteval: ``details/MODEL/TIME/details_TASK_TIME.parquet``, a row for each document."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.importing.tools.base import AnswerTool, has_columns, log_row, register_tool, right_or_wrong
from audiocontrib.importing.tools.documents import as_shown, asked_in
from audiocontrib.sources.base import BrokenRow, Rows
from audiocontrib.sources.files import read_rows


def _rows(path: Path) -> Rows:
    model = path.parent.parent.name
    for row in read_rows(path):
        if isinstance(row, BrokenRow):
            yield row
            continue
        document, said = row.values["doc"], row.values["model_response"]
        options = tuple(str(option).strip() for option in document["choices"])
        theirs = right_or_wrong(next(iter((row.values["metric"] or {}).values()), None))
        number = str(document["id"])  # the tool counts them
        try:
            prompt = str(said.get("input") or document["query"])
            asked = asked_in(document.get("specific") or {}, number=int(number) if number.isdigit() else None)
            letters = options == tuple("ABCDEFGHIJ"[: len(options)])
            asked = replace(asked, text=document["query"], options=as_shown((), prompt) if letters else options)
        except BadItem as error:
            yield BrokenRow(str(path), row.line, error.field, error.reason)
            continue
        if len(said.get("logprobs") or ()) == len(options):
            yield log_row(path, row.line, asked, model=model, logprob=_named(options, said["logprobs"]), theirs=theirs)
            continue
        for repeat, reply in enumerate(said["text"]):
            judged = theirs if len(said["text"]) == 1 else None
            yield log_row(path, row.line, asked, model=model, reply=reply, repeat=repeat, theirs=judged)


def _named(options: tuple[str, ...], numbers: list[Any]) -> dict[str, Any]:
    return dict(zip(options, numbers, strict=True))


register_tool(
    AnswerTool(
        "lighteval",
        "details_*.parquet, as --save-details writes them",
        (".parquet",),
        has_columns("doc", "model_response", "metric"),
        _rows,
        posterior="softmax of the log-probability of each option's text after the prompt, summed over its tokens",
    )
)
