"""Checkpoints: whole or not at all. A list of their files is written last; without it, or against it, one is torn."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.store.files import replacing, sync_folder

LISTED = "complete.json"
"""File -> bytes, of a checkpoint that is whole."""
FULL = ("No space left", "Disk quota", "os error 28", "os error 122", "file write failed", "unexpected pos")
"""What is said of a full disk by Python, safetensors and torch, whose errors have no number."""


def step_of(checkpoint: Path) -> int:
    """The step after which a checkpoint was written."""
    return int(checkpoint.name.rpartition("-")[2])


def checkpoints(folder: Path) -> list[Path]:
    """All checkpoints, torn ones too, the oldest first."""
    return sorted(folder.glob("checkpoint-*"), key=step_of)


def bring_to_disk(folder: Path) -> list[Path]:
    """Wait until all files of a folder are on disk; gives them back."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)
    return files


def mark_complete(checkpoint: Path) -> None:
    """Bring a checkpoint to disk, then say that it is whole."""
    files = bring_to_disk(checkpoint)
    listed = {str(path.relative_to(checkpoint)): path.stat().st_size for path in files}
    with replacing(checkpoint / LISTED) as file:
        file.write(json.dumps(listed).encode())


def is_whole(checkpoint: Path) -> bool:
    """Whether all files are there, as long as they were."""
    try:
        listed = json.loads((checkpoint / LISTED).read_text(encoding="utf-8"))
        return all((checkpoint / name).stat().st_size == size for name, size in listed.items())
    except (OSError, ValueError):
        return False


def last_whole(folder: Path) -> Path | None:
    """The newest checkpoint that is whole, if there is one."""
    return next((path for path in reversed(checkpoints(folder)) if is_whole(path)), None)


def remove_torn(folder: Path) -> None:
    """Remove what a kill left behind while it was being written."""
    for path in checkpoints(folder):
        if not is_whole(path):
            shutil.rmtree(path, ignore_errors=True)


def remove_old(folder: Path, keep: int, best: int | None = None) -> None:
    """Keep only the newest checkpoints, and the one of the best step."""
    for path in checkpoints(folder)[:-keep]:
        if step_of(path) == best:
            continue
        (path / LISTED).unlink(missing_ok=True)  # first: a kill in between leaves it torn, not short of files
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """A block that writes ``place``; if it fails for want of space or rights, what there is of it is removed.

    Raises:
        AudiocontribError: in one line, what to do.
    """
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) or any(words in str(error) for words in FULL)
        if not (full or isinstance(error, AudiocontribError)):
            raise
        shutil.rmtree(place, ignore_errors=True)
        said = "disk full" if any(words in str(error) for words in FULL) else one_line(error, 160)
        last = last_whole(place.parent)
        kept = f"{last.name} is whole" if last else "what was written before is kept"
        raise AudiocontribError(
            f"{place} could not be written: {said}; {kept}: free space and give the same command again"
        ) from error
