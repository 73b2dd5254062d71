"""Hugging Face `datasets`: a folder with the audio inside, for ``load_from_disk``."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format
from audiocontrib.export.formats.jsonl import parts


def as_cell(data: bytes) -> dict[str, Any]:
    """A cell of an ``Audio`` column."""
    return {"bytes": data, "path": None}


@export_format(
    "datasets",
    audio=("embed",),
    file="{stage}",
    embed=as_cell,
)
def hf_datasets(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """The columns of ``jsonl``, the clip in an ``Audio`` column."""
    return parts(example) | {"audio": example.audio} | dict(example.extra)
