"""Files that hold several recordings one after another, of which a decoder hears the first and says nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from audiocontrib.audio.mp3 import behind_tag, frames_and_promise

OGG_AUDIO = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")
"""How the first page of a stream of sound begins; pictures and subtitles beside it do not count (RFC 3533, 4)."""
SPARE_FRAMES = 2
"""MP3 frames beyond those that are promised: encoders do not agree whether to count the first."""


class SeveralRecordings(Exception):
    """A file of more than one recording; the message says so."""


def check_one_recording(file: BinaryIO) -> None:
    """Look through a whole file for a second recording in it; it is left at its start.

    Raises:
        SeveralRecordings: there is one, which would not be heard.
    """
    file.seek(0)
    head = file.read(16)
    count = next((count for pattern, count in _COUNTS.items() if re.match(pattern, head, re.DOTALL)), None)
    found = count(head + file.read()) if count else 1
    file.seek(0)
    if found > 1:
        raise SeveralRecordings(
            f"holds {found} recordings, of which only one would be heard: split it, or encode it as one"
        )


def _flac(data: bytes) -> int:
    """Beginnings of a FLAC, with the block that must follow (RFC 9639, 8)."""
    return data.count(b"fLaC\x00\x00\x00\x22") + data.count(b"fLaC\x80\x00\x00\x22")


def _ogg(data: bytes) -> int:
    """Streams of sound, chained or side by side."""
    streams, at = 0, 0
    while (at := data.find(b"OggS", at)) >= 0 and at + 27 <= len(data):
        segments = data[at + 26]
        body = at + 27 + segments
        if data[at + 5] & 2:
            streams += data.startswith(OGG_AUDIO, body)
        at = body + sum(data[at + 27 : body])
    return streams


def _mp3(data: bytes) -> int:
    """Two where more frames follow than the file says, at which libsndfile stops."""
    if data[:3] == b"ID3" and data.startswith(b"fLaC", behind_tag(data, 0)):
        return _flac(data)
    frames, promised = frames_and_promise(data)
    return 2 if promised is not None and frames > promised + SPARE_FRAMES else 1


def _au(data: bytes) -> int:
    start, size = (int.from_bytes(data[n : n + 4], "little" if data[:1] == b"d" else "big") for n in (4, 8))
    return 1 + data.startswith((b".snd", b"dns."), start + size)


def _mp4(data: bytes) -> int:
    """Boxes at the top that begin a file (ISO 14496-12, 4.3)."""
    found, at = 0, 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        found += data[at + 4 : at + 8] == b"ftyp"
        if size < 8:
            break
        at += size
    return found


def _webm(data: bytes) -> int:
    """Headers that say their kind of document (RFC 8794, 11.2.4)."""
    return len(re.findall(rb"\x1a\x45\xdf\xa3.{1,64}?\x42\x82.(?:webm|matroska)", data, re.DOTALL))


def _by_mark(mark: bytes) -> Callable[[bytes], int]:
    return lambda data: data.count(mark)


_COUNTS: dict[bytes, Callable[[bytes], int]] = {
    b"fLaC": _flac,
    b"OggS": _ogg,
    rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]": _mp3,
    rb"\.snd|dns\.": _au,
    b"....ftyp": _mp4,
    b"\x1a\x45\xdf\xa3": _webm,
    b"\x30\x26\xb2\x75": _by_mark(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"),
    b"#!AMR": _by_mark(b"#!AMR"),
}
"""Pattern of the beginning to the number of recordings. Files of WAV and AIFF on end are refused by libsndfile."""
