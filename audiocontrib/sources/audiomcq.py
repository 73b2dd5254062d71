"""AudioMCQ (arXiv 2509.21060), with the published audio-contribution labels, and the part DCASE 2026 trains on."""

from __future__ import annotations

from audiocontrib.sources.base import Columns, Fields, Source, item_text, register_source
from audiocontrib.sources.columns import mapped

_plain = mapped(
    {
        "question": "question",
        "choices": "choices",
        "answer": "answer",
        "audio": "audio_path",
        "id": "id",
        "question_type": "question_type",
        "source_dataset": "source_dataset",
    }
)


def fields(row: Columns) -> Fields:
    """A row in the published schema; ``audio-contribution`` and the chains of thought stay in ``extra``, verbatim."""
    if item_text(row.get("id")):  # nobody says that an id is unique across sources and question types
        whole = f"{row.get('source_dataset')}/{row.get('question_type')}/{row['id']}"
        return _plain(Columns(row, id=whole))
    return _plain(row)


register_source(
    Source(
        name="audiomcq",
        about="AudioMCQ, 571,118 questions on seven audio sources, with published weak/strong labels",
        fields=fields,
        hub="inclusionAI/AudioMCQ",
        folder="datasets",
    )
)

register_source(
    Source(
        name="audiomcq-strongac",
        about="AudioMCQ-StrongAC-GeminiCoT, about 19,480 strong questions with audio and a reviewed chain of thought",
        fields=fields,
        hub="Harland/AudioMCQ-StrongAC-GeminiCoT",
    )
)
