"""MMAU (arXiv 2410.19168): the JSON files of the benchmark, all published generations."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources.base import Columns, Fields, Source, register
from audiocontrib.sources.columns import mapped

_plain = mapped(
    {
        "question": "question",
        "choices": "choices",
        "answer": "answer",
        "audio": "audio_id",
        "question_type": "task",
        "source_dataset": "dataset",
    }
)


def fields(row: Columns) -> Fields:
    """A row of ``mmau-test-mini.json`` or ``mmau-test.json``.

    The generation of March 2025 has no ``id``. The answers of the split ``test`` are kept by the
    publisher: a row of it without an answer is asked and never scored; elsewhere it is quarantined.
    """
    plain = _plain(Columns({"answer": None, **row}))
    return replace(plain, has_key=bool(plain.answer) or plain.split != "test")


register(
    Source(
        name="mmau",
        about="MMAU, sound, music and speech: 1,000 questions (test-mini) or 9,000 (test, without answers)",
        fields=fields,
    )
)
