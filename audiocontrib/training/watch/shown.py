"""A watched training as it lies in its folder, also while it goes on; read as text and numbers, without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from audiocontrib.config import build
from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.training.watch.settings import Watch
from audiocontrib.training.watch.table import WATCHED, best_step, read_watched

RECORD = "training.json"
LONGEST = 64 * 2**20
"""Bytes of a record that are read."""


@dataclass(frozen=True, slots=True)
class WatchedTraining:
    """The curve of a training, and what it is about."""

    folder: Path
    table: pa.Table = field(repr=False)
    """Of :data:`audiocontrib.training.watch.table.WATCHED_SCHEMA`."""
    watch: Watch | None
    """None where the record does not say it."""
    stage: str
    start: str
    """The model that it started from."""
    done: bool

    @property
    def without(self) -> str:
        """The condition over which what the audio adds is shown."""
        return self.watch.without if self.watch else "silence"

    @property
    def best(self) -> int | None:
        """The best step so far."""
        return best_step(self.table, self.watch) if self.watch else None


def is_watched(folder: Path) -> bool:
    """Whether a folder is that of a training which is watched."""
    return (folder / RECORD).is_file() and (folder / WATCHED).is_file()


def open_watched(folder: Path) -> WatchedTraining:
    """The watched training in a folder.

    Raises:
        UsageError: nothing was watched there.
        AudiocontribError: a file is damaged; in one line.
    """
    if not is_watched(folder):
        what = "was trained without watching" if (folder / RECORD).is_file() else "is no folder of a training"
        raise UsageError(f"{folder} {what}; name one that holds {WATCHED}", argument="training")
    held = _record(folder / RECORD)
    stages = held.get("stages")
    last = stages[-1] if isinstance(stages, list) and stages and isinstance(stages[-1], dict) else {}
    identity = held.get("identity")
    settings = identity.get("settings") if isinstance(identity, dict) else None
    told = settings.get("watch") if isinstance(settings, dict) else None
    watch = build(Watch, told, f"{folder / RECORD}: identity.settings.watch") if told is not None else None
    return WatchedTraining(
        folder, read_watched(folder / WATCHED), watch, _text(last.get("stage")), _text(last.get("start")),
        (folder / "model").exists(),
    )  # fmt: skip


def _record(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LONGEST:
            raise AudiocontribError(f"{path} has more than {LONGEST:,} bytes: no training wrote it")
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AudiocontribError(f"{path} cannot be read: {one_line(error, 160)}") from error
    if not isinstance(held, dict):
        raise AudiocontribError(f"{path} holds no record of a training")
    return held


def _text(value: object) -> str:
    return value if isinstance(value, str) else "?"
