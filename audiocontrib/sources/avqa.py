"""AVQA in the form that R1-AQA trains on (arXiv 2503.11197): ``answer`` is the option's index."""

from __future__ import annotations

from audiocontrib.sources.base import Source, register_source
from audiocontrib.sources.columns import mapped

register_source(
    Source(
        name="avqa",
        about="AVQA as R1-AQA writes it, one object a line; the answer is the option's index",
        fields=mapped(
            {
                "id": "id",
                "question": "question_text",
                "choices": "multi_choice",
                "answer": "answer",
                "audio": "audio_path",
                "source_dataset": "dataset_name",
                "question_type": "question_type",
            },
            answer_as="index",
        ),
    )
)
