"""VoiceBench (arXiv 2410.17196), the parts with options: OpenBookQA and MMSU, read aloud."""

from __future__ import annotations

import re

from audiocontrib.sources.base import Columns, Fields, LeftOut, Source, register_source
from audiocontrib.sources.inside import options_inside

_LETTER = re.compile(r"\s*[A-Z]\s*")


def fields(row: Columns) -> Fields:
    """A row of ``openbookqa`` or ``mmsu``: ``prompt`` is what is said, options included; ``reference`` is a letter."""
    reference = row.get("reference")
    if not isinstance(reference, str) or not _LETTER.fullmatch(reference):
        raise LeftOut("reference", "no letter of an option: another part of VoiceBench")
    question, options = options_inside(row["prompt"])
    used = ("prompt", "reference", "audio", "clip_id")
    return Fields(
        question=question,
        choices=options.texts,
        labels=options.labels,
        answer=reference.strip(),
        audio=row["audio"],
        clip_id=row.get("clip_id"),
        extra={name: cell for name, cell in row.items() if name not in used} | {"published_question": row["prompt"]},
    )


register_source(
    Source(
        name="voicebench",
        about="VoiceBench, the parts with options (openbookqa, mmsu): questions and options read aloud",
        fields=fields,
        hub="hlt-lab/voicebench",
    )
)
