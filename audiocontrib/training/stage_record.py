"""Lineage: the stages that made a model, each written down with the next one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.prompts import prompt_record
from audiocontrib.training.checkpoints import step_of
from audiocontrib.training.recipe import Stage
from audiocontrib.training.rows import TrainingRows
from audiocontrib.training.trainer import CHECKPOINTS

MANIFEST = "training.json"
StageRecords = list[dict[str, Any]]
"""The stages of a training, the first one first, as plain values: what :func:`stages` says of each."""


def stages(
    stage: str, settings: Stage, rows: TrainingRows, start: str | Path, model: AudioLanguageModel
) -> StageRecords:
    """What is known of a stage before it begins, after the stages that made the model which it starts from."""
    told = model.fingerprint()
    own: dict[str, Any] = {
        "stage": stage,
        "start": str(start),
        "model": {name: told[name] for name in ("model_type", "class", "weights_sha256")},
        "settings": asdict(settings),
        "items": len(rows.items),
        "rows": len(rows),
        "copies": rows.copies,
        "notes": list(rows.notes),
        "prompt": prompt_record(rows.prompt),
        "source": dict(rows.source),
    }
    if own["source"].get("recipe", {}).get(stage) != own["settings"]:
        own["source"].pop("recipe", None)  # trained otherwise than it says: it would not make this model again
    plain: dict[str, Any] = json.loads(json.dumps(own))
    return [*stages_of(Path(start)), plain]


def stages_of(model: Path) -> StageRecords:
    """The stages that made a model, by what its training left beside it; none for any other model.

    Raises:
        AudiocontribError: what lies beside it cannot be read.
    """
    kept = model.parent.name == CHECKPOINTS
    manifest = (model.parent.parent if kept else model.parent) / MANIFEST
    if not ((model / "config.json").is_file() and manifest.is_file()):
        return []
    try:
        found: StageRecords = json.loads(manifest.read_text(encoding="utf-8")).get("stages", [])
    except (OSError, ValueError, AttributeError) as error:
        raise AudiocontribError(
            f"{manifest}: what was trained before cannot be read ({one_line(error, 80)}); bring the file back, or move "
            "the model to a folder of its own"
        ) from error
    if kept and found:
        found[-1] |= {"steps": step_of(model), "checkpoint": True}
    return found
