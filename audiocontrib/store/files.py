"""Files that appear whole or not at all, whoever else reads and writes in the folder."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.store.seal import OPEN_SEAL, close_seal

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
TEMPORARY = ".tmp"
"""Suffix of a file that is being written; no reader looks at these."""
ABANDONED_SECONDS = 3600.0
"""A temporary file that nobody has written to for so long belongs to a process that was killed. Age alone
decides: a process id says nothing on a shared disk, nor between containers that share a host name."""
COMPRESSION: Final = "zstd"
LOCK = ".lock"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when the block ends well and is on disk by then.

    Raises:
        AudiocontribError: the disk is full, or the folder cannot be written to; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}{TEMPORARY}")
    try:
        with temporary.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_table_atomic(table: pa.Table, path: str | Path) -> Path:
    """Write a table as Parquet to ``path``, whose folder is made if need be; gives the path back.

    Raises:
        AudiocontribError: as :func:`replacing`.
    """
    path = Path(path)
    make_folder(path.parent)
    with replacing(path) as file, sealing(file, table.schema) as writer:
        writer.write_table(table)
    return path


@contextmanager
def sealing(file: BinaryIO, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """A writer of Parquet into an empty file; where the block ends well, the file has its seal."""
    with pq.ParquetWriter(file, schema, compression=COMPRESSION) as writer:
        writer.add_key_value_metadata(OPEN_SEAL)
        yield writer
    close_seal(file)


def make_folder(path: Path) -> None:
    """Make ``path`` and the folders above it. AudiocontribError if that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def sync_folder(path: Path) -> None:
    """Bring the names in a folder to disk: without it a power cut may undo a rename."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one process at a time reads, merges and writes. Released by a kill too."""
    from filelock import FileLock

    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire()
    except NotImplementedError as error:  # filelock's word for a file system without flock
        raise AudiocontribError(f"{path} cannot be locked; put the run on a file system that has locks") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield
    finally:
        lock.release()


def remove_abandoned(folder: Path) -> None:
    """Remove what killed writers left anywhere under ``folder``."""
    for path in folder.rglob(f".*{TEMPORARY}"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # its writer finished it, or another process removed it


def cannot_write(path: Path, error: OSError) -> AudiocontribError:
    """What a user is told when ``path`` could not be written."""
    if error.errno in DISK_FULL or "No space left" in str(error):  # Arrow may give the text alone
        return AudiocontribError(
            f"disk full while writing {path}; what was written before is kept; "
            "free space and run the same command again"
        )
    return AudiocontribError(f"{path} cannot be written: {error.strerror or one_line(error)}")
