"""Files of a run that are not as they were written, or cannot be read: what a user is told of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pyarrow as pa

from audiocontrib.errors import AudiocontribError, one_line


class DamagedFile(AudiocontribError):
    """A file of a run does not hold what was written."""


def damaged(path: Path, why: str) -> DamagedFile:
    """What a user is told of a file that is not as it was written."""
    again = _AGAIN.get(path.name) or _AGAIN.get(path.parent.name)
    return DamagedFile(f"{path} is damaged ({why}); {again or 'put back a copy of it, or make it again'}")


def check_regular(path: Path) -> os.stat_result:
    """What the disk says of a file. DamagedFile if it is a folder, or a pipe or device, which might be read for ever.

    Raises:
        OSError: it is missing, or its folder may not be read.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise damaged(path, "it is a folder, a pipe or a device, not a file")
    return about


def unreadable(path: Path, error: Exception) -> AudiocontribError:
    """What a user is told of a file that cannot be read: it is missing, may not be read, or is damaged."""
    if isinstance(error, FileNotFoundError):
        return AudiocontribError(f"{path} is missing: put it back, or make it again")
    if isinstance(error, PermissionError):
        return AudiocontribError(f"{path} may not be read: {error.strerror or 'permission denied'}; ask who owns it")
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, pa.ArrowException):
        return AudiocontribError(f"{path} cannot be read: {error.strerror or one_line(error, 120)}")
    return damaged(path, one_line(error, 120))


_MOVE = "move it out of the run and give the same command again, which makes anew what it held"
_AGAIN = {
    "responses": _MOVE,
    "items.parquet": _MOVE,
    "quarantine.parquet": _MOVE,
    "run.json": "put back a copy of it, or score anew",
    "marks.jsonl": "put back a copy of it, or repair the run, which keeps the other lines",
    "split.parquet": "make the split again",
    "settings.json": "make the split again",
    "certificate.json": "certify the split again",
    "certificate-rotated.json": "certify the split again",
}
"""What makes a file again."""
