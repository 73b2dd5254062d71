"""MMAU (arXiv 2410.19168): the JSON files of the benchmark, all published generations, and a re-pack of them."""

from __future__ import annotations

import json

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, Fields, Source, item_text, register_source
from audiocontrib.sources.columns import NONE, mapped
from audiocontrib.sources.options import cell_options

COLUMNS = {
    "question": "question",
    "choices": "choices",
    "answer": "answer",
    "audio": "audio|audio_id",
    "question_type": "task",
    "source_dataset": "dataset",
}
_keyed = mapped(COLUMNS)
_keyless = mapped(COLUMNS | {"answer": NONE})


def fields(row: Columns) -> Fields:
    """A row of ``mmau-test-mini.json`` or ``mmau-test.json``; the generation of March 2025 has no ``id``.

    The re-pack lmms-lab/mmau is read too: its ``choices`` are the text of a JSON list, its ``audio`` holds bytes.
    The publisher keeps the answers of the split ``test``: a row of it without an answer is asked and never
    scored. In any other split it is quarantined. On its own hub the set has other columns, see :func:`_of_hub`.
    """
    if "other_attributes" in row:
        return _of_hub(row)
    keyless = row.get("split") == "test" and not row.get("answer")
    return _keyless(row) if keyless else _keyed(row)


def _of_hub(row: Columns) -> Fields:
    """A row of gamma-lab-umd/MMAU-test-mini: ``context`` (audio), ``instruction``, and the rest in a JSON text.

    Choices and answer carry labels, "(A) Man", which are taken off where the item is made. Ids are those of the JSON.
    """
    about = row["other_attributes"]
    try:
        about = json.loads(about) if isinstance(about, str) else about
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise BadItem("other_attributes", f"{row['other_attributes']!r:.60} is no JSON object")
    keyless = about.get("split") == "test" and not row["answer"]
    used = {"context", "instruction", "choices", "answer", "other_attributes", "clip_id"}
    named = {"id", "task", "dataset", "split"}
    return Fields(
        question=row["instruction"],
        choices=cell_options(row["choices"]).texts,
        answer=None if keyless else row["answer"],
        has_key=not keyless,
        audio=row["context"],
        own_id=item_text(about.get("id")),
        clip_id=item_text(row.get("clip_id")),
        question_type=about.get("task", ""),
        source_dataset=about.get("dataset", ""),
        split=about.get("split", ""),
        extra={name: cell for name, cell in row.items() if name not in used}
        | {name: cell for name, cell in about.items() if name not in named},
    )


register_source(
    Source(
        name="mmau",
        about="MMAU, sound, music and speech: 1,000 questions (test-mini) or 9,000 (test, without answers)",
        fields=fields,
    )
)
