"""Files of text as bytes in UTF-8, whatever they are compressed by and written in."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, cast

from audiocontrib.errors import AudiocontribError, UsageError

BOMS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
        codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
"""How a text begins that says its encoding itself; the longer first."""


HEAD = 64
"""Bytes by which it is seen what a file is."""
NO_TEXTS = {
    b"PK\x03\x04": "a zip, as .xlsx files are too: unpack it, or save the table as CSV",
    b"PAR1": "a Parquet file: name it .parquet",
    b"ARROW1": "an Arrow file: name it .arrow",
    b"\x1f\x8b": "packed by gzip: name it .gz at the end",
    b"\x28\xb5\x2f\xfd": "packed by zstd: name it .zst at the end",
    b"version https://git-lfs": "a pointer of Git LFS: fetch the file itself (git lfs pull)",
}
"""How files begin that are no texts of rows, whatever they are called."""


def kind_of_file(path: Path) -> str:
    """What a file is by its name: the ending before that of what it is compressed by: ``.jsonl`` of ``a.jsonl.gz``."""
    ending = path.suffix.lower()
    return Path(path.stem).suffix.lower() if ending in PACKERS else ending


def is_packed(path: Path) -> bool:
    """Whether a file is compressed, by its name."""
    return path.suffix.lower() in PACKERS


def check_encoding(encoding: str | None) -> None:
    """UsageError if there is no such encoding of texts."""
    try:
        "x".encode(encoding or "utf-8")  # an empty text would not be looked at
    except (LookupError, TypeError) as error:
        raise UsageError(f"{encoding!r} is no encoding of texts; there are utf-8, latin-1, cp1252, …") from error


def open_text(path: Path, encoding: str | None = None) -> BinaryIO:
    """A file as bytes in UTF-8, from its start. One of another encoding is held in memory.

    Args:
        encoding: what it is written in; None: as its first bytes say, or UTF-8.

    Raises:
        UsageError: there is no such encoding.
        AudiocontribError: it is not written in it.
    """
    check_encoding(encoding)
    opener: Callable[[Path], Any] = PACKERS.get(path.suffix.lower(), _plain)
    file = cast("BinaryIO", opener(path))
    head = file.peek(HEAD)[:HEAD] if hasattr(file, "peek") else b""
    if opener is _plain:
        _check_text(path, head)
    named = encoding or next((name for mark, name in BOMS.items() if head.startswith(mark)), None)
    if named is None:
        if b"\0" in head[:4]:
            raise AudiocontribError(
                f"{path}: is no UTF-8; it may be utf-16-le or utf-16-be: say so", argument="encoding"
            )
        return file
    with file:
        try:
            text = file.read().decode(named)
        except UnicodeError as error:
            raise AudiocontribError(f"{path}: is not written in {named}: {error}", argument="encoding") from error
    return io.BytesIO(text.encode())


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")


def _check_text(path: Path, head: bytes) -> None:
    """AudiocontribError if a file is by its first bytes no text of rows, but something else under that name."""
    what = next((what for mark, what in NO_TEXTS.items() if head.startswith(mark)), "")
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        what = "a web page (HTML): download the file itself"
    if what:
        raise AudiocontribError(f"{path}: is {what}")


def _zst(path: Path) -> BinaryIO:
    import pyarrow as pa

    return cast("BinaryIO", io.BufferedReader(pa.input_stream(str(path), compression="zstd")))


PACKERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zst": _zst}
"""Ending to a function that opens what is so compressed."""
