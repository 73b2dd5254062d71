"""SAKURA (arXiv 2505.13237): what is heard (single hop), and what follows from it (multi hop), in four tracks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.inside import options_inside

HOPS = ("single", "multi")
TRACKS = ("Animal", "Emotion", "Gender", "Language")


def fields(row: Columns) -> list[Fields]:
    """Both questions of a row of a track's ``metadata.csv``: the options stand inside, "… (a) sheep (b) cat".

    The clips of a track lie in the folder ``audio`` beside the file, which names the track: ``Animal/metadata.csv``.
    """
    beside = Path(row.file).parent
    track, clip = beside.name if beside.name in TRACKS else "", row["file"]
    if isinstance(clip, str) and (beside / "audio").is_dir():
        clip = str((beside / "audio" / clip).absolute())
    used = {"file", *(f"{hop}_{part}" for hop in HOPS for part in ("instruction", "answer"))}
    extra = {name: cell for name, cell in row.items() if name not in used}
    return [_question(row, hop, track, clip, extra) for hop in HOPS]


def _question(row: Columns, hop: str, track: str, clip: Any, extra: dict[str, Any]) -> Fields:
    question, options = options_inside(row[f"{hop}_instruction"])
    return Fields(
        question=question,
        choices=options.texts,
        labels=options.labels,
        answer=row[f"{hop}_answer"],
        audio=clip,
        own_id=f"{track}/{row['file']}/{hop}" if isinstance(row["file"], str) and track else None,
        question_type=f"{track.lower()}-{hop}" if track else hop,
        source_dataset=track,
        extra=extra | {"published_question": row[f"{hop}_instruction"]},
    )


register_source(
    Source(
        name="sakura",
        about="SAKURA, 4,000 questions on animal, emotion, gender and language: 500 clips each, single and multi hop",
        fields=fields,
    )
)
