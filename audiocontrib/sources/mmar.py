"""MMAR (arXiv 2505.13032): questions on speech, sound, music and their mixtures, from the open web."""

from __future__ import annotations

from audiocontrib.sources.base import Source, register_source
from audiocontrib.sources.columns import mapped

register_source(
    Source(
        name="mmar",
        about="MMAR, 1,000 questions on speech, sound, music and mixtures of them, 2 to 6 options",
        # thinking, cue and rubric explain the gold answer: they stay in extra, which no prompt shows
        fields=mapped(
            {
                "id": "id",
                "question": "question",
                "choices": "choices",
                "answer": "answer",
                "audio": "audio|audio_path",
                "question_type": "modality",
            }
        ),
        hub="BoJack/MMAR",
    )
)
