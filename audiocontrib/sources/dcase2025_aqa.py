"""DCASE 2025 Task 5, audio question answering (arXiv 2505.07365): options are printed with their labels."""

from __future__ import annotations

import posixpath
import re
import string
from dataclasses import replace
from typing import Any

from audiocontrib.items.printed import printed_labels
from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.columns import mapped

_LABEL = re.compile(r"\s*\(?([A-Za-z])[.):]?\s*")
_plain = mapped(
    {
        # the files are gated and were not read: these are the spellings in use for such rows
        "question": "question|question_text",
        "choices": "choice|choices|multi_choice|options",
        "answer": "answer",
        "audio": "audio|audio_url|audio_path|audio_id",
    }
)


def fields(row: Columns) -> Fields:
    """A row under any of the spellings in use.

    An id may stand in more than one of the three parts of the set, so the clip's name is part of identity.
    """
    plain = _plain(row)
    if isinstance(plain.audio, str):
        audio = _within_root(plain.audio)
        plain = replace(plain, audio=audio, own_id=plain.own_id and f"{posixpath.basename(audio)}/{plain.own_id}")
    return replace(plain, answer=_answer(plain.answer, plain.choices))


def _within_root(audio: str) -> str:
    """The clip's name alone where the row holds an address, or a path of the publisher's own machine."""
    return posixpath.basename(audio) if posixpath.isabs(audio) or "://" in audio else audio


def _answer(answer: Any, choices: Any) -> Any:
    """The text of the option whose place a letter is, where options carry no labels; anything else as it is."""
    label = _LABEL.fullmatch(str(answer))
    if not label or not isinstance(choices, list) or not all(isinstance(c, str) for c in choices):
        return answer
    if answer in choices or printed_labels(choices):
        return answer
    place = string.ascii_uppercase.index(label[1].upper())
    return choices[place] if place < len(choices) else answer


register_source(
    Source(
        name="dcase2025-aqa",
        about="DCASE 2025 Task 5: bioacoustics, temporal soundscapes and complex questions",
        fields=fields,
        hub="PeacefulData/2025_DCASE_AudioQA_Official",
    )
)
