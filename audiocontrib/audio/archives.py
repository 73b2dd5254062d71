"""One file out of a .zip, an uncompressed .tar, or a cell of a Parquet or Arrow table; nothing is unpacked.

A reference is a path that runs through the archive: ``speech.zip/inner/a.wav``, ``shard-000.tar/key.flac``,
``train.parquet/17/audio`` (row 17, counted from 1, column ``audio``). Indexes are kept per process. They are keyed
by the file's size and time of change, and the open zip by the process too, so that forks and threads are safe.
"""

from __future__ import annotations

import io
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeAlias, TypeVar

from audiocontrib.audio.arrow_check import BadArrow, check_arrow

MAX_MEMBER = 512 * 2**20
"""Bytes of the largest file that is taken out of an archive: it is held in memory."""
BLOCK = 1 << 20
GROUP_BYTES = MAX_MEMBER // 4
"""Of a column in a row group of a Parquet file that is kept in memory; two are kept. Of a larger one, a batch is."""
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")
"""Compressed as a whole: to reach a file, all that is before it must be decompressed."""


class BadMember(Exception):
    """A file that cannot be had from an archive; the message says why."""


class NoMember(BadMember):
    """There is no such file in the archive."""


_Members: TypeAlias = "dict[str, zipfile.ZipInfo | None]"
_File = TypeVar("_File")


class Member(NamedTuple):
    """A regular file in a tar."""

    name: str
    """In its shortest form: ``./a.wav`` is ``a.wav``."""
    offset: int
    size: int


def read_member(archive: Path, name: str) -> bytes:
    """The bytes of one file.

    Raises:
        BadMember: it is not there, is no regular file, is larger than MAX_MEMBER, or is damaged.
    """
    facts = archive.stat()
    return ARCHIVES[_kind(archive)](archive, name, facts.st_mtime_ns, facts.st_size)


def has_member(archive: Path, name: str) -> bool:
    """Whether there is such a file, by the list of names of a .zip or .tar; a table's cell is taken to be there.

    Raises:
        BadMember, zipfile.BadZipFile, OSError: the list cannot be read.
    """
    facts = archive.stat()
    kind, key = _kind(archive), (archive, facts.st_mtime_ns, facts.st_size)
    if kind == ".zip":
        return posixpath.normpath(name) in _zip(*key, os.getpid())[1]
    return kind != ".tar" or posixpath.normpath(name) in _tar(*key)


def tar_members(path: Path) -> Iterator[Member]:
    """The regular files of an uncompressed tar, in its order.

    Links, devices and names that are absolute or lead upwards are left out, so that they cannot be asked for.

    Raises:
        BadMember: it is no such tar, or it breaks off (after what is before has been given).
    """
    try:
        with tarfile.open(path, "r:") as tar:
            for info in tar:
                name = posixpath.normpath(info.name)
                if info.isreg() and not info.issparse() and _is_plain(name):
                    yield Member(name, info.offset_data, info.size)
                tar.members = []  # type: ignore[attr-defined]  # tarfile would keep every header it has seen
            end = tar.offset
        with path.open("rb") as file:  # tarfile takes a header that it cannot read for the end
            file.seek(end)
            if file.read(512).strip(b"\0"):
                raise BadMember(f"not a whole uncompressed tar: damaged at byte {end:,}")
    except tarfile.TarError as error:
        raise BadMember(f"not a whole uncompressed tar: {error}") from error


def _kind(archive: Path) -> str:
    return next(suffix for suffix in ARCHIVES if archive.name.lower().endswith(suffix))


def _is_plain(name: str) -> bool:
    return not posixpath.isabs(name) and name.split("/")[0] != ".." and "\\" not in name


def _check_size(size: int) -> None:
    if size > MAX_MEMBER:
        raise BadMember(f"is {size:,} bytes; at most {MAX_MEMBER:,} are read from inside an archive: unpack it")


def _named(members: Mapping[str, _File | None], name: str) -> _File:
    """The one file of a name.

    Raises:
        NoMember, BadMember: there is none, or there are several.
    """
    short = posixpath.normpath(name)
    member = members.get(short)
    if member is None:
        if short in members:
            raise BadMember("several files in the archive are called so: which is meant is not known")
        raise NoMember("there is no such file in the archive")
    return member


def _from_zip(path: Path, name: str, changed: int, size: int) -> bytes:
    try:
        archive, members = _zip(path, changed, size, os.getpid())
        info = _named(members, name)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise BadMember("is a link inside the archive; only files are read")
        _check_size(info.file_size)
        with archive.open(info) as file:  # gives no more than file_size, and compares the checksum
            return _read_once(file, info.file_size)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadMember(f"cannot be read from the zip: {error}") from error


def _read_once(file: IO[bytes], size: int) -> bytes:
    """A file in memory once: its own ``read()`` holds it twice while it joins the pieces."""
    whole = io.BytesIO()
    if size:
        whole.seek(size - 1)
        whole.write(b"\0")  # room for all of it
        whole.seek(0)
    shutil.copyfileobj(file, whole, BLOCK)
    whole.truncate()
    return whole.getvalue()


@lru_cache(maxsize=8)
def _zip(path: Path, changed: int, size: int, process: int) -> tuple[zipfile.ZipFile, _Members]:
    """The open archive and its files by name; None where two are called so."""
    archive = zipfile.ZipFile(path)
    infos: dict[str, zipfile.ZipInfo | None] = {}
    for info in archive.infolist():
        name = posixpath.normpath(info.filename)
        if not info.is_dir() and _is_plain(name):
            infos[name] = None if name in infos else info
    return archive, infos


def _from_tar(path: Path, name: str, changed: int, size: int) -> bytes:
    member = _named(_tar(path, changed, size), name)
    _check_size(member.size)
    with path.open("rb") as file:
        file.seek(member.offset)
        raw = file.read(min(member.size, size))
    if len(raw) < member.size:
        raise BadMember(f"truncated: {member.size} bytes promised by the tar, {len(raw)} found")
    return raw


@lru_cache(maxsize=64)
def _tar(path: Path, changed: int, size: int) -> dict[str, Member | None]:
    """Its files by name; None where two are called so, of which unpacking would keep the last."""
    found: dict[str, Member | None] = {}
    try:
        for member in tar_members(path):
            found[member.name] = None if member.name in found else member
    except BadMember:
        if not found:
            raise
    return found


def _from_table(path: Path, name: str, changed: int, size: int) -> bytes:
    import pyarrow as pa

    row, _, column = name.partition("/")
    if not (row.isascii() and row.isdigit() and column):
        raise BadMember(f"a cell is called ROW/COLUMN, as in {path.name}/17/audio")
    try:
        cell = _cell(path, int(row) - 1, column, changed, size)
    except (pa.ArrowException, OSError, BadArrow) as error:
        raise BadMember(f"cannot be read from the table: {error}") from error
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        raise BadMember("the cell holds no bytes of a file")
    _check_size(len(data))
    return data


def _cell(path: Path, row: int, column: str, changed: int, size: int) -> Any:
    if row < 0:
        raise NoMember("rows of a table are counted from 1")
    if _kind(path) == ".arrow":
        table, at = _mapped(path, changed, size), row
    else:
        ends = _group_ends(path, changed, size)
        group = bisect_right(ends, row)
        at = row - (ends[group - 1] if group else 0)
        small = group < len(ends) and _column_bytes(path, changed, size, group, column) <= GROUP_BYTES
        if small or group >= len(ends):
            table = _group(path, changed, size, group, column) if group < len(ends) else None
        else:
            table, at = _batch(path, group, column, at), 0
    if table is None or not 0 <= at < table.num_rows or column not in table.column_names:
        raise NoMember("there is no such row and column in the table")
    return table[column][at].as_py()


@lru_cache(maxsize=64)
def _group_ends(path: Path, changed: int, size: int) -> list[int]:
    import pyarrow.parquet as pq

    facts = pq.read_metadata(path.absolute())
    return list(accumulate(facts.row_group(n).num_rows for n in range(facts.num_row_groups)))


@lru_cache(maxsize=2)
def _group(path: Path, changed: int, size: int, group: int, column: str) -> Any:
    """One column of one row group. Questions come in the order of the rows, so the next clip is mostly in it too."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path.absolute()) as file:
        names = [column] if column in file.schema_arrow.names else []
        # in small batches, since pyarrow cannot hold 2 GB of bytes inside a struct in one piece
        batches = list(file.iter_batches(batch_size=64, row_groups=[group], columns=names))
        return pa.Table.from_batches(batches) if batches else None


@lru_cache(maxsize=64)
def _column_bytes(path: Path, changed: int, size: int, group: int, column: str) -> int:
    """Bytes of a column in a row group, unpacked."""
    import pyarrow.parquet as pq

    facts = pq.read_metadata(path.absolute()).row_group(group)
    chunks = (facts.column(n) for n in range(facts.num_columns))
    return sum(one.total_uncompressed_size for one in chunks if one.path_in_schema.split(".")[0] == column)


def _batch(path: Path, group: int, column: str, row: int) -> Any:
    """One row of a row group that is too large to be kept: what is before it is read and let go.

    What is in memory is a page of the file (as a rule 1 MB) and a batch.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path.absolute(), pre_buffer=False) as file:
        names = [column] if column in file.schema_arrow.names else []
        for batch in file.iter_batches(batch_size=8, row_groups=[group], columns=names):
            if row < batch.num_rows:
                return pa.Table.from_batches([batch.slice(row, 1)])
            row -= batch.num_rows
    return None


@lru_cache(maxsize=64)
def _mapped(path: Path, changed: int, size: int) -> Any:
    import pyarrow as pa

    check_arrow(path)
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return stream.read_all()


ARCHIVES: dict[str, Callable[[Path, str, int, int], bytes]] = {
    ".zip": _from_zip,
    ".tar": _from_tar,
    ".parquet": _from_table,
    ".arrow": _from_table,
}
"""File suffix to a function of the archive's path, the name in it, and the archive's time of change and size."""
