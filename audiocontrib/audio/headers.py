"""Headers that promise more than there is: libsndfile would shorten such files and say nothing."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

STREAMED = 0x7FFF_F000
"""From here on a size in a WAV header means "to the end": what programs write that stream into a pipe."""
MAX_MENDED = 512 * 2**20
"""Bytes of the largest WAV whose size was left at zero that is read: it is filled in, in memory."""
MAX_CHUNKS = 1000
"""Chunks that are looked through for the samples."""
MAX_PAGE = 65_307
"""Bytes of the largest Ogg page (RFC 3533)."""


class Incomplete(Exception):
    """A file that does not hold what its header promises; the message says so."""


def with_wav_size(file: BinaryIO) -> BinaryIO:
    """The file, from its start; a WAV whose size was left at zero is held in memory, with its size filled in.

    FLAC and MP3 are left to the decoder, which counts what it finds against the header.

    Raises:
        Incomplete: the header promises more than there is.
    """
    head = file.read(12)
    for pattern, check in _CHECKS.items():
        if re.match(pattern, head, re.DOTALL):
            file = check(file)
    file.seek(0)
    return file


def _riff(file: BinaryIO) -> BinaryIO:
    """A WAV: the size of its data chunk against the bytes that are left."""
    length = _length(file)
    riff = struct.unpack("<I", _at(file, 4, 4))[0]
    for name, size, at in _chunks(file, "<I"):
        if name != b"data":
            continue
        if size == 0 and (riff + 8 <= at or riff >= STREAMED):  # never filled in: nothing follows, says the header
            if length > MAX_MENDED:
                raise Incomplete("its header does not say how long it is (streamed); encode it again")
            mended = io.BytesIO(_at(file, 0, length))
            mended.seek(at - 4)
            mended.write(struct.pack("<I", length - at))
            return mended
        if size < STREAMED:
            _promised(size, length - at)
        elif length - at > 0xFFFF_FFFF:
            raise Incomplete("is larger than a WAV can say; convert it to FLAC")
        return file
    raise Incomplete("truncated: a WAV header without samples")


def _form(file: BinaryIO) -> BinaryIO:
    """An AIFF or AIFF-C: the size of its sound chunk against the bytes that are left."""
    length = _length(file)
    for name, size, at in _chunks(file, ">I"):
        if name == b"SSND":
            _promised(size, length - at)
            return file
    raise Incomplete("truncated: an AIFF header without samples")


def _au(file: BinaryIO) -> BinaryIO:
    """A Sun/NeXT file: offset and size of its samples; all ones mean that the size is unknown."""
    head = _at(file, 0, 12).ljust(12, b"\0")
    start, size = struct.unpack("<II" if head.startswith(b"dns.") else ">II", head[4:])
    if size != 0xFFFF_FFFF:
        _promised(size, max(0, _length(file) - start))
    return file


def _ogg(file: BinaryIO) -> BinaryIO:
    """Ogg says its length nowhere, but marks its last page (RFC 3533, 6)."""
    length = _length(file)
    start = max(0, length - 2 * MAX_PAGE)
    tail = _at(file, start, length - start)
    at = tail.rfind(b"OggS")
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    whole = len(page) >= 27 + segments and len(page) >= 27 + segments + sum(page[27 : 27 + segments])
    if at < 0 or not whole or not page[5] & 4:
        raise Incomplete("truncated: its last Ogg page is cut, or not marked as the end")
    return file


def _chunks(file: BinaryIO, size_format: str) -> Iterator[tuple[bytes, int, int]]:
    """Name, size and place of the content of each chunk after a 12-byte header."""
    at = 12
    for _ in range(MAX_CHUNKS):
        head = _at(file, at, 8)
        if len(head) < 8:
            return
        size = struct.unpack(size_format, head[4:])[0]
        yield head[:4], size, at + 8
        at += 8 + size + size % 2


def _promised(size: int, left: int) -> None:
    if size > left:
        raise Incomplete(f"truncated: {size} bytes of samples promised, {max(left, 0)} found")


def _length(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


_CHECKS: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"RIFF....WAVE": _riff,
    b"FORM....AIF[FC]": _form,
    rb"\.snd|dns\.": _au,
    b"OggS": _ogg,
}
"""Pattern of the first 12 bytes to the check."""
