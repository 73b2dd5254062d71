"""Seals: each file of a run holds a hash of its content, so that a bit that flips on a disk is seen.

A Parquet file holds it in the key-value metadata of its footer; for JSON see ``json_seal``. A file is checked
when a process first reads it. Files of older programs have no seal; of their parts, run.json's neighbour SEALS has one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.store.damage import check_regular, damaged, unreadable
from audiocontrib.store.json_seal import KEY, read_sealed

SEALS = "hashes.json"
"""Of the parts that have no seal of their own: name -> SHA-256."""
_MARK = b"audiocontrib-sha256:"
_OPEN = b"0" * 64
OPEN_SEAL = {KEY: (_MARK + _OPEN).decode()}
"""Metadata of a Parquet file that is being written; :func:`close_seal` puts the hash in its place."""
_SEAL = re.compile(re.escape(_MARK) + rb"(.{64})", re.DOTALL)
_BLOCK = 1 << 18
_CHECKED: dict[tuple[str, int, int, int], bool] = {}
"""Files that this process has found whole (path, size, time of change, inode), and whether they have a seal."""


def close_seal(file: BinaryIO) -> None:
    """Write the hash into a whole Parquet file with OPEN_SEAL among its metadata; of it, the file with OPEN_SEAL."""
    file.flush()
    place, kept = _seal_place(file)
    if place is not None and kept == _OPEN:
        sha256 = _sha256(file, place)
        file.seek(place)
        file.write(sha256.encode())


def check_file(path: Path, known: Mapping[str, str] | None = None) -> bool:
    """Whether a Parquet file has a seal; it is whole if so, and has a whole footer in any case.

    Args:
        known: name -> SHA-256 of files without a seal.

    Raises:
        DamagedFile: it is not what was written.
        AudiocontribError: it is missing, or may not be read.
    """
    try:
        about = check_regular(path)
        state = (str(path.absolute()), about.st_size, about.st_ctime_ns, about.st_ino)
        if _CHECKED.get(state) or (state in _CHECKED and path.name not in (known or {})):
            return _CHECKED[state]
        with path.open("rb") as file:
            place, kept = _seal_place(file)
            wanted = kept.decode("latin-1") if kept else (known or {}).get(path.name)
            if wanted is not None and _sha256(file, place) != wanted:
                raise damaged(path, "its content is not what was written: its hash is another")
        with pq.ParquetFile(path.absolute()):  # Arrow takes ~ or file: at the start of a name for something else
            pass
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    _CHECKED[state] = wanted is not None
    return wanted is not None


def check_files(paths: Iterable[Path], known: Mapping[str, str] | None = None) -> list[Path]:
    """:func:`check_file` of many; gives those without a seal."""
    paths = list(paths)
    with ThreadPoolExecutor(max_workers=min(8, len(paths)) or 1) as pool:  # hashing leaves Python's lock
        sealed = list(pool.map(lambda path: check_file(path, known), paths))
    return [path for path, has in zip(paths, sealed, strict=True) if not has]


def forget_checked() -> None:
    """Check each file again when it is next read."""
    _CHECKED.clear()


def known_seals(run: Path) -> dict[str, str]:
    """Name -> SHA-256 of the parts of older programs; empty where none was kept."""
    path = run / SEALS
    if not path.exists():
        return {}
    held = read_sealed(path, dict)
    if not all(isinstance(value, str) for value in held.values()):
        raise damaged(path, "it does not hold a hash for each name")
    return held


def _seal_place(file: BinaryIO) -> tuple[int | None, bytes | None]:
    """Where in a file the hash stands, and the hash; None where it has none."""
    size = file.seek(0, 2)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little") + 8
    if file.read(4) != b"PAR1" or length > size:
        return None, None  # no Parquet file: its reader says so
    file.seek(size - length)
    footer = file.read(length)
    found = list(_SEAL.finditer(footer))
    return (size - length + found[-1].start(1), found[-1].group(1)) if found else (None, None)


def _sha256(file: BinaryIO, place: int | None) -> str:
    """Of a file's bytes, the hash in it being open."""
    file.seek(0)
    sha256, at, block = hashlib.sha256(), 0, memoryview(bytearray(_BLOCK))  # one buffer: new ones take time
    while n := file.readinto(block):  # type: ignore[attr-defined]
        if place is not None and at < place + len(_OPEN) and place < at + n:
            start, end = max(place - at, 0), min(place + len(_OPEN) - at, n)
            block[start:end] = b"0" * (end - start)
        sha256.update(block[:n])
        at += n
    return sha256.hexdigest()
