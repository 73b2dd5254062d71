"""Files to hand in: MMAU's test part, MMAR's challenge, DCASE's task on audio-dependent questions."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from audiocontrib.items import Item
from audiocontrib.publish.base import RESULTS, Chosen, ResultForm


def _own_id(item: Item) -> str:
    return item.id.partition("/")[2]


def _mmau(told: Chosen) -> str:
    """The questions as published, with ``model_prediction`` and ``model_output``: README and script of MMAU differ."""
    rows = []
    for item in told.items:
        published = item.extra.get("published_choices") or list(item.choices)
        said = told.text(item)
        row: dict[str, Any] = {"id": _own_id(item), "question": item.question, "choices": published}
        row |= {"audio_id": item.audio.path if item.audio else None, "dataset": item.source_dataset}
        row |= {"task": item.question_type, "split": item.split, "model_prediction": said, "model_output": said}
        rows.append(row)
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


def _mmar(told: Chosen) -> str:
    rows = (
        {"id": _own_id(i), "thinking_prediction": told.thoughts.get(i.id, ""), "answer_prediction": told.text(i)}
        for i in told.items
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _dcase(told: Chosen) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["question", "answer"])
    writer.writerows((_own_id(item), told.text(item)) for item in told.items)
    return text.getvalue()


RESULTS.register("mmau-test")(ResultForm("JSON of MMAU with model_prediction", _mmau, ("mmau",)))
RESULTS.register("mmar-challenge")(
    ResultForm("JSON lines: id, thinking_prediction, answer_prediction", _mmar, ("mmar",))
)
RESULTS.register("dcase2026")(ResultForm("CSV: question (the id), answer", _dcase, ("adqa-bench", "adqa-dev")))
