"""MMSU (arXiv 2506.04779): spoken language understanding. VoiceBench's "mmsu" is another data set."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.columns import mapped

_OPTIONAL = ("choice_c", "choice_d")
_plain = mapped(
    {
        "id": "id",
        "question": "question",
        "answer": "answer_gt",
        "audio": "audio|audio_path",
        "question_type": "task_name",
    }
)


def fields(row: Columns) -> Fields:
    """A row with ``choice_a`` to ``choice_d``; ``answer_gt`` is the option's text.

    Where a question has two or three options, C and D are missing or empty; the official script then prints
    the word None for them. It is no option here.
    """
    optional = [row.get(name) for name in _OPTIONAL]
    there = [cell for cell in optional if cell not in (None, "", "None")]
    return replace(_plain(row), choices=[row["choice_a"], row["choice_b"], *there])


register_source(
    Source(
        name="mmsu",
        about="MMSU, 5,000 questions on understanding spoken language, 47 tasks",
        fields=fields,
        hub="ddwang2000/MMSU",
    )
)
