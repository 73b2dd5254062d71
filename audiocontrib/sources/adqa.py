"""Audio-dependent question answering, DCASE 2026 Task 5: the development set and ADQA-Bench."""

from __future__ import annotations

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.blanks import without_blanks
from audiocontrib.sources.columns import NONE, mapped

COLUMNS = {
    "id": "id",
    "question": "question_text",
    "choices": "multi_choice",
    "answer": "answer",
    "audio": "audio|audio_path",
}
_keyed = mapped(COLUMNS)
_keyless = mapped(COLUMNS | {"answer": NONE})


def dev_fields(row: Columns) -> Fields:
    """A row of ``dev.jsonl``; ``answer`` is the option's text (R1-AQA's files of this layout hold its index)."""
    return without_blanks(_keyed(row))


def bench_fields(row: Columns) -> Fields:
    """A row of ``eval-noanswer.jsonl``: asked, never scored, unless an ``answer`` was added to it."""
    return without_blanks(_keyed(row) if row.get("answer") else _keyless(row))


register_source(
    Source(
        name="adqa-dev",
        about="DCASE 2026 Task 5, development set: 1,607 questions that were filtered to depend on the audio",
        fields=dev_fields,
        hub="Harland/DCASE2026-Task5-DevSet",
    )
)
register_source(
    Source(
        name="adqa-bench",
        about="ADQA-Bench, DCASE 2026 Task 5: 3,000 questions without answers: they can be asked, not scored",
        fields=bench_fields,
        hub="Harland/ADQA-Bench",
    )
)
