"""MMAU (arXiv 2410.19168): the JSON files of the benchmark, all published generations, and a re-pack of them."""

from __future__ import annotations

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.columns import NONE, mapped

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
    scored. In any other split it is quarantined.
    """
    keyless = row.get("split") == "test" and not row.get("answer")
    return _keyless(row) if keyless else _keyed(row)


register_source(
    Source(
        name="mmau",
        about="MMAU, sound, music and speech: 1,000 questions (test-mini) or 9,000 (test, without answers)",
        fields=fields,
    )
)
