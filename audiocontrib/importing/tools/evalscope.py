"""Reviews of EvalScope (``reviews/MODEL/DATASET.jsonl``), or its predictions where there are no reviews."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.importing.tools.base import AnswerTool, first_row, log_row, register_tool, right_or_wrong, texts_in
from audiocontrib.importing.tools.documents import asked_in
from audiocontrib.sources.base import BrokenRow, Rows
from audiocontrib.sources.files import read_rows


def _knows(path: Path) -> bool:
    there = first_row(path).keys()
    return "messages" in there and ("sample_score" in there or {"model_output", "index"} <= there)


def _is_reviewed(path: Path) -> bool:
    folder = path.parent.parent
    return folder.name == "predictions" and (folder.with_name("reviews") / path.parent.name / path.name).is_file()


def _rows(path: Path) -> Rows:
    for row in read_rows(path):
        if isinstance(row, BrokenRow):
            yield row
            continue
        try:
            values, score = row.values, row.values.get("sample_score") or {}
            said: Mapping[str, Any] = next(m for m in reversed(values["messages"]) if m["role"] == "assistant")
            prompt = next(m for m in reversed(values["messages"]) if m["role"] == "user")["content"]
            document = score.get("sample_metadata") or values.get("metadata") or {}
            asked = asked_in(document, "\n".join(_texts(prompt)), score.get("group_id", values["index"]))
            value = (score.get("score") or {}).get("value") or {}
        except (KeyError, TypeError, StopIteration, BadItem) as error:
            yield BrokenRow(str(path), row.line, "messages", f"is no answer that can be read: {error!r:.80}")
            continue
        output = values.get("model_output") or {}
        choices = output.get("choices") or [{}]
        yield log_row(
            path,
            row.line,
            asked,
            model=said.get("model") or values.get("model") or path.parent.name,
            reply="\n".join(_texts(said["content"])),
            repeat=score.get("generation_index"),
            finish=choices[0].get("stop_reason"),
            error=output.get("error"),
            theirs=right_or_wrong(next(iter(value.values()), None)),
        )


def _texts(content: Any) -> list[str]:
    """The texts of a message: it is one, or a list of parts, of which those of sounds and thoughts are left out."""
    parts = content if isinstance(content, list) else [content]
    return [t for part in parts for t in texts_in(part.get("text", "") if isinstance(part, dict) else part)]


register_tool(
    AnswerTool(
        "evalscope",
        "reviews/*/*.jsonl, or predictions without reviews",
        (".jsonl",),
        _knows,
        _rows,
        twice=_is_reviewed,
    )
)
