"""Plain JSON lines: a row's parts by name, for whatever reads them."""

from __future__ import annotations

from typing import Any

from audiocontrib.export.base import Stage, TrainingExample, export_format
from audiocontrib.export.formats.swift import as_data_uri


@export_format(
    "jsonl",
    audio=("absolute", "relative", "copy", "embed"),
    embed=as_data_uri,
)
def jsonl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """System and user text as they are asked in scoring, the options in the order shown, and the wanted reply."""
    return parts(example) | {"audio": example.audio} | dict(example.extra)


def parts(example: TrainingExample) -> dict[str, Any]:
    """All of a row but the clip."""
    prompt = example.row.prompt
    return {
        "id": example.name,
        "system": prompt.system,
        "prompt": prompt.user,
        "question": prompt.question,
        "options": list(prompt.options),
        "gold": example.row.gold,
        "target": example.row.target,
    }
