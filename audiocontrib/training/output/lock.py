"""The lock of a training's folder: one training at a time writes there, and another one is told which."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.store.files import cannot_write, make_folder, replacing
from audiocontrib.training.output.folder import CHECKPOINTS, MODEL
from audiocontrib.training.output.training_record import RECORD

LOCK, HOLDER = ".training.lock", ".training.holder.json"


def is_empty(out: Path) -> bool:
    """Whether a folder is not there, or holds nothing but a lock, or what a kill left of the first files."""
    ours = (LOCK, HOLDER, f".{HOLDER}.", f".{RECORD}.")
    return not out.exists() or all(path.name.startswith(ours) for path in out.iterdir())


def not_begun(out: Path) -> bool:
    """Whether a folder holds a training's record and no step of it, not even one that a kill has lost."""
    ours = (RECORD, LOCK, HOLDER, f".{HOLDER}.", f".{RECORD}.")
    others = [path for path in out.iterdir() if not path.name.startswith(ours)]
    return all(path.name == CHECKPOINTS and path.is_dir() and not any(path.iterdir()) for path in others)


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold a training's folder; a kill releases it. A finished one, or one of somebody else, needs no holding.

    Raises:
        AudiocontribError: another process holds it, named with its host and since when; or it cannot be locked.
    """
    if (out / MODEL).exists() or not (is_empty(out) or (out / RECORD).exists()):
        yield
        return
    from filelock import FileLock, Timeout

    make_folder(out)
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise AudiocontribError(f"{out} is being trained{_holder(out)}; wait for it, or name another folder") from error
    except NotImplementedError as error:  # filelock's word for a file system without flock
        raise AudiocontribError(f"{out} cannot be locked; name a folder on a file system that has locks") from error
    except OSError as error:
        raise cannot_write(out / LOCK, error) from error
    try:
        with replacing(out / HOLDER) as file:
            told = {"process": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
            file.write(json.dumps(told).encode())
        yield
    finally:
        lock.release()


def _holder(out: Path) -> str:
    """Who holds it, in words; nothing where that cannot be read."""
    try:
        told: dict[str, Any] = json.loads((out / HOLDER).read_text(encoding="utf-8"))
        return f" by process {int(told['process'])} on {told['host']!s:.80} since {told['since']!s:.19}"
    except (OSError, ValueError, TypeError, KeyError):
        return ""
