"""Sound: decoded audio, 16 kHz mono float32, with its length and content hash."""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip

RATE = 16_000
"""Samples per second of every Sound: what the feature extractors of all supported models expect."""
MIN_SECONDS = 0.1
"""Shorter clips are refused: below 0.02 s some models get no audio token at all, and say nothing."""

STREAMED = 0x7FFF_F000
"""From here on a size in a WAV header means "unknown": what programs write that stream into a pipe."""
UNKNOWN_FRAMES = 0x7FFF_FFFF_FFFF_FFFF
"""libsndfile's SF_COUNT_MAX: it can neither make room for such a file nor find its end."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples at 16 kHz. Build it with :func:`make_sound`, which computes the hash."""

    samples: NDArray[np.float32] = field(repr=False, compare=False)
    """Shape (n,), float32, nominally in [-1, 1], read-only."""
    sha256: str
    """Of the samples' little-endian bytes."""

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / RATE


def make_sound(samples: NDArray[np.floating]) -> Sound:
    """A Sound of samples that are already mono and at 16 kHz."""
    fixed = np.ascontiguousarray(samples, dtype="<f4")
    fixed.setflags(write=False)
    return Sound(fixed, hashlib.sha256(fixed.tobytes()).hexdigest())


@lru_cache(maxsize=8)
def silence(seconds: float) -> Sound:
    """Digital silence (zeros)."""
    return make_sound(np.zeros(round(seconds * RATE), dtype=np.float32))


def decode(clip: Clip) -> Sound:
    """Decode, mix down to mono (mean of the channels) and resample to 16 kHz.

    Raises:
        BadAudio: the file is missing, outside its root, empty, truncated, too short, unreadable or
            holds samples that are not finite.
    """
    import soundfile

    raw = clip.data if clip.data is not None else _read(clip)
    if not raw:
        raise BadAudio(f"{clip}: the file is empty")
    raw = _complete_riff(clip, raw)
    try:
        with soundfile.SoundFile(io.BytesIO(raw)) as file:
            rate, promised = file.samplerate, file.frames
            if promised == UNKNOWN_FRAMES:
                raise BadAudio(f"{clip}: its header does not say how long it is (streamed); encode it again")
            samples = file.read(dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError) as error:
        # error_string leaves out the address of our buffer, so that the same fault reads the same every time
        reason = getattr(error, "error_string", error)
        raise BadAudio(f"{clip}: cannot be decoded: {reason}") from error
    if len(samples) < promised:
        raise BadAudio(f"{clip}: truncated: {promised} frames promised, {len(samples)} found")
    if len(samples) < MIN_SECONDS * rate:
        raise BadAudio(f"{clip}: {len(samples) / rate:.3f} s is too short; {MIN_SECONDS} s are needed")
    mono = samples.mean(axis=1)
    if not np.isfinite(mono).all():
        raise BadAudio(f"{clip}: holds samples that are not finite numbers")
    if rate != RATE:
        import librosa  # imported late: it takes seconds, and most sets are at 16 kHz already

        mono = librosa.resample(mono, orig_sr=rate, target_sr=RATE, res_type="soxr_hq")
    return make_sound(mono)


def resolve(clip: Clip) -> Path:
    """The file of a clip, inside its root after symbolic links are followed; BadAudio if it is not."""
    try:
        root = Path(clip.root or ".").resolve()
        path = (root / (clip.path or "")).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a name too long, a NUL inside
        raise BadAudio(f"{clip}: is no path that can be followed: {error}") from error
    if not path.is_relative_to(root):
        raise BadAudio(f"{clip}: leads out of the audio folder {root}")
    return path


def _read(clip: Clip) -> bytes:
    path = resolve(clip)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise BadAudio(f"{clip}: no such file in {clip.root or '.'}; is --audio-root right?") from None
    except OSError as error:
        raise BadAudio(f"{clip}: cannot be read: {error.strerror or error}") from error


def _complete_riff(clip: Clip, raw: bytes) -> bytes:
    """A WAV with the length of its samples filled in where it was streamed; others as they are.

    Raises:
        BadAudio: the header promises more samples than there are, which libsndfile would not say.
    """
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        return raw
    (riff,), at = struct.unpack_from("<I", raw, 4), 12
    while at + 8 <= len(raw):
        name, size = raw[at : at + 4], struct.unpack_from("<I", raw, at + 4)[0]
        if name == b"data":
            left = len(raw) - at - 8
            # an empty data chunk in a header that says that nothing follows it was never filled in
            if size >= STREAMED or (size == 0 and (riff + 8 <= at + 8 or riff >= STREAMED)):
                return raw[: at + 4] + struct.pack("<I", left) + raw[at + 8 :]
            if size > left:
                raise BadAudio(f"{clip}: truncated: {size} bytes of samples promised, {left} found")
            return raw
        at += 8 + size + size % 2
    raise BadAudio(f"{clip}: truncated: a WAV header without samples")
