"""Result files of benchmarks: their own questions with a reply beside each, as MMAU's and MMAR's scripts read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from audiocontrib.importing.tools.base import AnswerTool, first_row, log_row, register_tool
from audiocontrib.importing.tools.documents import asked_in
from audiocontrib.sources.base import BrokenRow, Rows
from audiocontrib.sources.files import read_rows

_MMAU = ("model_output", "model_prediction")
_MMAR = ("answer_prediction",)


def _reads(replies: tuple[str, ...]) -> Callable[[Path], Rows]:
    def rows(path: Path) -> Rows:
        for row in read_rows(path):
            if isinstance(row, BrokenRow):
                yield row
                continue
            there = [name for name in replies if row.values.get(name) not in (None, "")]
            if len({str(row.values[name]) for name in there}) > 1:
                yield BrokenRow(str(path), row.line, there[1], f"says otherwise than {there[0]}; leave one of them")
                continue
            # the scripts skip a row without a reply; here it is a reply that says nothing
            document = {
                name: cell for name, cell in row.values.items() if name not in (*replies, "thinking_prediction")
            }
            yield log_row(path, row.line, asked_in(document), reply=row.values[there[0]] if there else None)

    return rows


def _knows(needed: tuple[str, ...], replies: tuple[str, ...]) -> Callable[[Path], bool]:
    def knows(path: Path) -> bool:
        there = first_row(path).keys()
        return set(needed) <= there and not there.isdisjoint(replies)

    return knows


register_tool(
    AnswerTool(
        "mmau",
        "the JSON of MMAU with model_output or model_prediction",
        (".json", ".jsonl"),
        _knows(("audio_id", "question", "choices"), _MMAU),
        _reads(_MMAU),
    )
)
register_tool(
    AnswerTool(
        "mmar",
        "the JSON of MMAR with answer_prediction",
        (".json", ".jsonl"),
        _knows(("id",), _MMAR),
        _reads(_MMAR),
    )
)
