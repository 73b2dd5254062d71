"""Predictions of VLMEvalKit (``MODEL_DATASET.xlsx``, ``.tsv`` or ``.json``), judged or not."""

from __future__ import annotations

from pathlib import Path

from audiocontrib.importing.tools.base import AnswerTool, log_row, register_tool, right_or_wrong
from audiocontrib.importing.tools.documents import asked_in
from audiocontrib.importing.tools.xlsx import read_xlsx
from audiocontrib.sources.base import BrokenRow, Rows
from audiocontrib.sources.files import read_rows

_NEEDED = {"index", "question", "prediction", "A", "B"}


def _table(path: Path) -> Rows:
    return read_xlsx(path) if path.suffix == ".xlsx" else read_rows(path)


def _knows(path: Path) -> bool:
    row = next(iter(_table(path)), None)
    return row is not None and not isinstance(row, BrokenRow) and row.values.keys() >= _NEEDED


def _is_judged(path: Path) -> bool:
    """Whether a file beside it holds the same predictions with a judge's word on each."""
    return any(
        one.name.startswith(f"{path.stem}_") and one.name.endswith(f"_result{path.suffix}")
        for one in path.parent.iterdir()
    )


def _rows(path: Path) -> Rows:
    for row in _table(path):
        if isinstance(row, BrokenRow):
            yield row
            continue
        values = row.values
        document = {name: cell for name, cell in values.items() if name not in ("prediction", "answer", "hit", "log")}
        reply = values.get("prediction")
        yield log_row(
            path,
            row.line,
            asked_in(document),
            reply=None if reply is None else str(reply),
            theirs=right_or_wrong(values["hit"]) if "hit" in values else None,
        )


register_tool(
    AnswerTool(
        "vlmevalkit",
        "MODEL_DATASET.xlsx, .tsv or .json with prediction",
        (".xlsx", ".tsv", ".json"),
        _knows,
        _rows,
        twice=_is_judged,
    )
)
