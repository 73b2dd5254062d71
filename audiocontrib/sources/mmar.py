"""MMAR (arXiv 2505.13032): questions on speech, sound, music and their mixtures, from the open web."""

from __future__ import annotations

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.blanks import without_blanks
from audiocontrib.sources.columns import mapped

# thinking, cue and rubric explain the gold answer: they stay in extra, which no prompt shows
_plain = mapped(
    {
        "id": "id",
        "question": "question",
        "choices": "choices",
        "answer": "answer",
        "audio": "audio|audio_path",
        "question_type": "modality",
    }
)


def fields(row: Columns) -> Fields:
    """A row of ``MMAR-meta.jsonl``. Four of the 1,000 end with an empty choice, which is left out and noted."""
    return without_blanks(_plain(row))


register_source(
    Source(
        name="mmar",
        about="MMAR, 1,000 questions on speech, sound, music and mixtures of them, 2 to 6 options",
        fields=fields,
        hub="BoJack/MMAR",
    )
)
