"""An encoded file as blocks of samples: by libsndfile, or, for what it does not know, by FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from audiocontrib.audio.headers import Incomplete, with_wav_size
from audiocontrib.audio.mp3 import length_of
from audiocontrib.audio.parts import SeveralRecordings, check_one_recording

BLOCK = 2**18
"""Samples, of all channels together, that are decoded at a time."""
UNKNOWN_FRAMES = 0x7FFF_FFFF_FFFF_FFFF
"""libsndfile's SF_COUNT_MAX: it can neither make room for such a file nor find its end."""
SNDFILE_FORMATS = {"WAV", "WAVEX", "AIFF", "AU", "FLAC", "OGG", "MP3"}
"""Those of libsndfile's formats in which a file that was cut short is noticed; see docs/audio.md."""
SLACK = 0.1
"""Seconds by which FFmpeg's files may be shorter than they say; players and muxers round differently."""

Blocks = Iterator[NDArray[np.float32]]
"""Arrays of shape (frames, channels), nominally in [-1, 1]."""


class Undecodable(Exception):
    """A file that cannot be decoded; the message says why."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a file says of itself."""

    seconds: float
    rate: int
    """Frames per second, as encoded."""
    channels: int
    format: str
    """Container and encoding, as ``WAV PCM_16`` or ``MP4 aac``."""


@contextmanager
def opened(file: BinaryIO, whole: bool) -> Iterator[tuple[Probe, Blocks]]:
    """What an encoded file says of itself, and its samples, which are decoded as they are taken.

    Args:
        whole: look through the whole file, whether it holds a second recording.

    Raises:
        Undecodable, Incomplete, SeveralRecordings: at once, or while the blocks are taken.
    """
    if whole:
        check_one_recording(file)
    head, length = file.read(16), length_of(file)
    kind = ("MP3 without its length", "mp3") if length == "unknown" else _ffmpeg_kind(head)
    with _ffmpeg(file, *kind) if kind else _sndfile(file, exact=length == "said") as parts:
        yield parts


@contextmanager
def _sndfile(file: BinaryIO, exact: bool) -> Iterator[tuple[Probe, Blocks]]:
    import soundfile

    try:
        with soundfile.SoundFile(with_wav_size(file)) as sound:
            if sound.format not in SNDFILE_FORMATS:
                raise Undecodable(
                    f"is {sound.format}, in which a file that was cut short goes unnoticed; convert it to WAV or FLAC"
                )
            if sound.frames == UNKNOWN_FRAMES:
                raise Incomplete("its header does not say how long it is (streamed); encode it again")
            seconds = sound.frames / sound.samplerate
            yield (
                Probe(seconds, sound.samplerate, sound.channels, f"{sound.format} {sound.subtype}"),
                _sndfile_blocks(sound, exact),
            )
    except soundfile.SoundFileError as error:
        # error_string leaves out the address of our buffer, so that the same fault reads the same every time
        raise Undecodable(f"cannot be decoded: {getattr(error, 'error_string', error)}") from error


def _sndfile_blocks(sound: Any, exact: bool) -> Blocks:
    found = 0
    while len(block := sound.read(max(1, BLOCK // sound.channels), dtype="float32", always_2d=True)):
        found += len(block)
        yield block
    if exact and found < sound.frames:
        raise Incomplete(f"truncated: {sound.frames} frames promised, {found} found")


def _ffmpeg_kind(head: bytes) -> tuple[str, str] | None:
    """Name and FFmpeg demuxer of a file that libsndfile does not know.

    FFmpeg is never left to guess: some of the formats that it may find in a text name other files to open.
    """
    if head[4:8] == b"ftyp":
        return "MP4", "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "WebM", "matroska"
    if head[:4] == b"\x30\x26\xb2\x75":
        return "WMA", "asf"
    if head[:5] == b"#!AMR":
        return "AMR", "amr"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # an MP3 has other layer bits
        return "AAC", "aac"
    return None


@contextmanager
def _ffmpeg(file: BinaryIO, name: str, demuxer: str) -> Iterator[tuple[Probe, Blocks]]:
    try:
        import av
    except ImportError:
        raise Undecodable(f"is {name}, which libsndfile cannot read; pip install 'audiocontrib[m4a]' for it") from None
    try:
        promised = None
        with av.open(file, format=demuxer) as container:
            if not container.streams.audio:
                raise Undecodable(f"is {name} without any sound")
            if len(container.streams.audio) > 1:
                raise SeveralRecordings(
                    f"is {name} with {len(container.streams.audio)} tracks of sound: keep one of them"
                )
            stream = container.streams.audio[0]
            if demuxer == "mp4" and stream.duration:
                promised = float(stream.duration * stream.time_base)
            elif demuxer in ("matroska", "asf") and container.duration:  # elsewhere it is a guess from the bit rate
                promised = container.duration / av.time_base
            packets = () if promised else container.demux(stream)
            seconds = promised or float(sum(packet.duration or 0 for packet in packets) * stream.time_base)
            about = Probe(seconds, stream.rate, stream.channels, f"{name} {stream.codec_context.name}")
        file.seek(0)
        with av.open(file, format=demuxer) as container:
            yield about, _ffmpeg_blocks(container, about.rate, promised)
    except (av.FFmpegError, ValueError) as error:  # ValueError: rate or channels change on the way
        raise Undecodable(f"cannot be decoded: {getattr(error, 'strerror', None) or error}") from error


def _ffmpeg_blocks(container: Any, rate: int, promised: float | None) -> Blocks:
    """The first audio stream; FFmpeg leaves out the encoder's lead-in where the file says how long that is."""
    import av

    found, end = 0, None if promised is None else round(promised * rate)
    planes = av.AudioResampler(format="fltp", rate=rate)  # an AAC may change its rate after its header
    for frame in container.decode(container.streams.audio[0]):
        for part in planes.resample(frame):
            block = part.to_ndarray().T[: None if end is None else max(0, end - found)]
            found += len(block)
            yield block
    if end is not None and found < end - SLACK * rate:
        raise Incomplete(f"truncated: {promised:.2f} s promised, {found / rate:.2f} s found")
