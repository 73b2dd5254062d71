"""``training.json``: what identifies a training, the stages that made its model, and with which versions."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiocontrib.config import build
from audiocontrib.errors import AudiocontribError
from audiocontrib.provenance import CommandStep, Provenance, SplitSettings, from_json, to_json
from audiocontrib.store.files import replacing
from audiocontrib.training.output.checkpoints import step_of
from audiocontrib.training.output.folder import CHECKPOINTS
from audiocontrib.training.output.stage_record import StageRecord
from audiocontrib.training.recipe import KINDS, TrainingRecipe

RECORD = "training.json"
FORMAT = 2
"""Of the file; audiocontrib 0.1 wrote none, and told where rows come from as shell commands."""
PACKAGES = ("audiocontrib", "torch", "transformers", "trl", "peft", "accelerate")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """A training, from its start on."""

    identity: Mapping[str, Any]
    """What fixes the outcome; a training that goes on must have the same."""
    stages: tuple[StageRecord, ...] = ()
    """What made the model, the first stage first; none before it begins."""
    left_out: Mapping[str, str] | None = None
    """Items that cannot be trained on: id -> why; None until they were looked for."""
    steps: int | None = None
    """Of the last stage; None until it is done."""
    resumed: int | None = None
    """The step of the checkpoint from which it went on."""
    measured: Mapping[str, float] | None = None
    """Seconds, tokens, clips and memory of the last stage; None until it is done. No part of what identifies it."""
    versions: Mapping[str, str] = dataclass_field(default_factory=lambda: {name: version(name) for name in PACKAGES})
    format: int = FORMAT


def write_record(out: Path, record: TrainingRecord) -> None:
    """Write ``training.json`` into the folder of a training, whole or not at all."""
    with replacing(out / RECORD) as file:
        file.write(json.dumps(to_json(record), indent=2, ensure_ascii=False).encode() + b"\n")


def read_record(out: Path) -> TrainingRecord:
    """What ``training.json`` in a folder says, of this version or of an older one.

    Raises:
        AudiocontribError: it cannot be read, or a newer version wrote it; in one line with file and field.
    """
    path = out / RECORD
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AudiocontribError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(held, dict):
        raise AudiocontribError(f"{path} holds no record of a training")
    written = held.get("format", 1)
    if isinstance(written, bool) or not isinstance(written, int) or written < 1:
        raise AudiocontribError(f"{path}: format: it is {written!r}, not a number from 1 to {FORMAT}")
    if written > FORMAT:
        raise AudiocontribError(
            f"{path}: format: a newer audiocontrib wrote it ({written}; this one reads up to {FORMAT}): update it"
        )
    stages = held.get("stages", [])
    if not isinstance(stages, list):
        raise AudiocontribError(f"{path}: stages: it must be a list")
    made = [_stage(one, written, path, f"stages.{place}") for place, one in enumerate(stages)]
    record: TrainingRecord = from_json(TrainingRecord, held | {"stages": made, "format": FORMAT}, path)
    return record


def stages_of(model: Path) -> tuple[StageRecord, ...]:
    """The stages that made a model, by what its training left beside it; none for any other model.

    Raises:
        AudiocontribError: what lies beside it cannot be read.
    """
    kept = model.parent.name == CHECKPOINTS
    out = model.parent.parent if kept else model.parent
    if not ((model / "config.json").is_file() and (out / RECORD).is_file()):
        return ()
    try:
        *before, last = read_record(out).stages or (None,)
    except AudiocontribError as error:
        raise AudiocontribError(f"{error}; bring the file back, or move the model to a folder of its own") from error
    if last is None:
        return ()
    return (*before, replace(last, steps=step_of(model), checkpoint=True, watched=None) if kept else last)


def _stage(held: Any, written: int, path: Path, field: str) -> StageRecord:
    """A stage from JSON values."""
    where = f"{path}: {field}"
    if not isinstance(held, dict) or held.get("stage") not in KINDS:
        raise AudiocontribError(f"{where}.stage: it must be {' or '.join(KINDS)}")
    if written < FORMAT:
        held = _converted(held, path, field)
    settings = build(KINDS[held["stage"]], held.get("settings"), f"{where}.settings")
    recipe = held.get("recipe") and build(TrainingRecipe, held["recipe"], f"{where}.recipe")
    record: StageRecord = from_json(StageRecord, held | {"settings": settings, "recipe": recipe}, path, field)
    return record


def _converted(held: Mapping[str, Any], path: Path, field: str) -> dict[str, Any]:
    """A stage as audiocontrib 0.1 wrote it, in the fields of today."""
    source, model = held.get("source", {}), held.get("model", {})
    if not (isinstance(source, dict) and isinstance(model, dict)):
        raise AudiocontribError(f"{path}: {field}: source and model must hold fields and values")
    own = {name: value for name, value in held.items() if name != "source"}
    own["model"] = {"model_class" if name == "class" else name: value for name, value in model.items()}
    return own | {"recipe": source.get("recipe"), "provenance": _provenance(source, path, f"{field}.source")}


def _provenance(source: Mapping[str, Any], path: Path, field: str) -> Provenance | None:
    if "run" not in source:
        return None
    commands, rule, data = source.get("commands", []), source.get("rule"), source.get("data", {})
    texts = isinstance(commands, list) and all(isinstance(one, str) for one in commands)
    if not (texts and isinstance(data, dict) and isinstance(rule, dict | None)):
        raise AudiocontribError(f"{path}: {field}: commands must be texts; data and rule must hold fields and values")
    try:
        steps = tuple(CommandStep(words=tuple(shlex.split(line)[1:])) for line in commands)
    except ValueError as error:
        raise AudiocontribError(f"{path}: {field}.commands: {error}") from error
    values = {name: source[name] for name in ("run", "split", "part", "prompt") if name in source}
    settings = SplitSettings.of(rule, path, f"{field}.rule") if rule and "rule" in rule else None
    values |= {"data": data, "rule": settings, "steps": steps}
    made: Provenance = from_json(Provenance, values, path, field)
    return made
