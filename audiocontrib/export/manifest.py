"""manifest.json: what an export was made of, and the hash of every file; and the folder, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.hashing import file_sha256
from audiocontrib.store.files import ABANDONED_SECONDS, TEMPORARY, cannot_write, make_folder, sync_folder

MANIFEST = "manifest.json"


def made_before(out: Path, request: Mapping[str, Any]) -> bool:
    """Whether the same export was made in ``out`` before, and is as it was.

    Raises:
        UsageError: ``out`` holds something else.
        AudiocontribError: a file of it has changed or is gone.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return False
    try:
        held = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        asked, files = held["request"], held["files"]
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{out} is not empty, and holds no export; name another folder", argument="out") from None
    if changed := sorted(name for name in {*asked, *request} if asked.get(name) != request.get(name)):
        raise UsageError(
            f"{out} holds another export ({', '.join(changed)} differ); name another folder", argument="out"
        )
    for name, facts in files.items():
        path = out / name
        if not path.is_file() or file_sha256(path) != facts["sha256"]:
            raise AudiocontribError(f"{path} is gone, or is not as it was exported; remove {out} and export again")
    return True


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes ``out`` when the block ends well, and is removed when it does not.

    Raises:
        AudiocontribError: it cannot be written, or the disk is full.
    """
    make_folder(out.parent)
    _remove_abandoned(out)
    folder = out.with_name(f".{out.name}.{uuid4().hex}{TEMPORARY}")
    try:
        folder.mkdir()
        yield folder
        os.replace(folder, out)  # over an empty folder too; it fails if something has come in between
        sync_folder(out.parent)
    except OSError as error:
        raise cannot_write(out, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Add sizes and hashes of all files in ``folder`` to the facts, and write them there as MANIFEST."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    with (folder / MANIFEST).open("x", encoding="utf-8") as file:
        file.write(json.dumps({**facts, "files": files}, indent=2, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _remove_abandoned(out: Path) -> None:
    """Remove what killed exports to the same place left."""
    for left in out.parent.glob(f".{out.name}.*{TEMPORARY}"):
        newest = max((path.stat().st_mtime for path in (left, *left.iterdir())), default=0.0)
        if time.time() - newest > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
