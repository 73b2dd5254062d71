"""DCASE 2025 Task 5, audio question answering (arXiv 2505.07365): options are printed with their labels."""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.columns import mapped

_LABELLED = re.compile(r"\s*(?:\(([A-Za-z])\)|([A-Za-z])[.):])\s*(\S.*)", re.DOTALL)
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
    """A row under any of the spellings in use; printed labels are taken off where every option has its own.

    An id may stand in more than one of the three parts of the set, so the clip's name is part of identity.
    """
    plain = _plain(row)
    if isinstance(plain.audio, str):
        audio = _within_root(plain.audio)
        plain = replace(plain, audio=audio, own_id=plain.own_id and f"{posixpath.basename(audio)}/{plain.own_id}")
    printed = plain.choices
    if not (isinstance(printed, list) and all(isinstance(choice, str) for choice in printed)):
        return plain  # make_item says what is wrong with them
    texts = _unlabelled(printed)
    notes = ["labels printed before the choices taken off"] if texts else []
    return replace(
        plain, choices=texts or printed, answer=_answer(plain.answer, printed, texts or printed), notes=notes
    )


def _within_root(audio: str) -> str:
    """The clip's name alone where the row holds an address, or a path of the publisher's own machine."""
    return posixpath.basename(audio) if posixpath.isabs(audio) or "://" in audio else audio


def _unlabelled(printed: Sequence[str]) -> list[str] | None:
    """The options without "(A)", "B." and so on; None unless each has the label of its place."""
    found = [_LABELLED.fullmatch(choice) for choice in printed]
    labels = [(m[1] or m[2]).upper() for m in found if m]
    if len(labels) < len(printed) or labels != list(string.ascii_uppercase[: len(labels)]):
        return None
    return [m[3].rstrip() for m in found if m]


def _answer(answer: Any, printed: Sequence[str], texts: Sequence[str]) -> Any:
    """The text of the option that ``answer`` is: as printed, without its label, or the label alone."""
    if answer in printed:
        return texts[printed.index(answer)]
    label = _LABEL.fullmatch(str(answer))
    place = string.ascii_uppercase.index(label[1].upper()) if label else len(texts)
    labelled = texts[place : place + 1]
    if labelled and answer in texts and [answer] != labelled:
        raise BadItem("answer", f"{answer!r} is the text of one option and the label of another")
    return labelled[0] if labelled else answer


register_source(
    Source(
        name="dcase2025-aqa",
        about="DCASE 2025 Task 5: bioacoustics, temporal soundscapes and complex questions",
        fields=fields,
        hub="PeacefulData/2025_DCASE_AudioQA_Official",
    )
)
