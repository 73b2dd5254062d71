"""MMAU-Pro (arXiv 2508.13992): its multiple-choice questions about one recording; the rest is left out by name."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources.base import Columns, Fields, LeftOut, Source, register_source
from audiocontrib.sources.columns import mapped

_OTHER_TASKS = ("open", "instruction following")
"""The categories that the official scorer judges by other means than by options."""
_plain = mapped(
    {
        "question": "question",
        "choices": "choices",
        "answer": "answer",
        "audio": "audio|audio_path",
        "question_type": "category",
    }
)


def fields(row: Columns) -> Fields:
    """A row of ``test.parquet``; ``audio_path`` is a list of paths.

    Raises:
        LeftOut: a row of another task than multiple choice, or on several recordings (an item has one).
    """
    category = row["category"]
    if category in _OTHER_TASKS:
        raise LeftOut("category", f"category {category!r}: not multiple choice")
    plain = _plain(row)
    if not isinstance(plain.audio, list):
        return plain
    if len(plain.audio) > 1:
        raise LeftOut("audio", "on several recordings at once")
    return replace(plain, audio=plain.audio[0] if plain.audio else "")


register_source(
    Source(
        name="mmau-pro",
        about="MMAU-Pro, the multiple-choice questions on one recording among its 5,305 rows",
        fields=fields,
        hub="gamma-lab-umd/MMAU-Pro",
    )
)
