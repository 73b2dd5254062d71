"""Samples: from the files of packages, joined and mixed, to Ogg Vorbis. All are mono float32 at 16 kHz."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from audiocontrib.errors import AudiocontribError

RATE = 16_000
PEAK = 10 ** (-3 / 20)
QUALITY = 3
"""Of libvorbis."""

Samples = NDArray[np.float32]


def decode(data: bytes, g722: bool = False) -> Samples:
    """What FFmpeg makes of an encoded file; ``g722``: it has no header to be known by."""
    given = ["-f", "g722"] if g722 else []
    return np.frombuffer(_ffmpeg([*given, "-i", "pipe:0", "-f", "f32le", *_PLAIN, "pipe:1"], data), np.float32).copy()


def ogg(samples: Samples) -> bytes:
    """As Ogg Vorbis: the same samples give the same bytes with the same FFmpeg."""
    given = ["-f", "f32le", *_PLAIN, "-i", "pipe:0", "-c:a", "libvorbis", "-q:a", str(QUALITY)]
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1", "-f", "ogg", "pipe:1"]
    return _ffmpeg([*given, *exact], samples.astype("<f4").tobytes())


_PLAIN = ["-ar", str(RATE), "-ac", "1"]


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    done = subprocess.run(["ffmpeg", "-v", "error", *arguments], input=data, capture_output=True)
    if done.returncode:
        raise AudiocontribError(f"ffmpeg: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    return done.stdout


def tidy(samples: Samples, longest: float = 8.0) -> Samples:
    """Without silence at both ends (40 dB below the peak), cut to ``longest`` seconds with a fade, peak at -3 dBFS."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 100)
    margin = RATE // 50
    cut = samples[max(0, loud[0] - margin) : loud[-1] + margin]
    if len(cut) > longest * RATE:
        cut = cut[: round(longest * RATE)].copy()
        cut[-RATE // 5 :] *= np.linspace(1, 0, RATE // 5, dtype=np.float32)
    return level(cut)


def level(samples: Samples) -> Samples:
    """With the peak at -3 dBFS."""
    return (samples * (PEAK / np.abs(samples).max())).astype(np.float32)


def even(samples: Samples) -> Samples:
    """With the loudest 0.4 s at one level, so that sounds beside each other are heard alike; the peak bounds it."""
    width = min(len(samples), round(0.4 * RATE))
    power = np.convolve(samples.astype(np.float64) ** 2, np.ones(width) / width, "valid").max()
    gain = min(0.1 / np.sqrt(power), PEAK / np.abs(samples).max())
    return (samples * gain).astype(np.float32)


def joined(parts: Sequence[Samples], pause: float) -> Samples:
    """One after the other with ``pause`` seconds of silence between them, all equally loud."""
    gap = np.zeros(round(pause * RATE), np.float32)
    pieces = [piece for part in parts for piece in (gap, even(part))][1:]
    return level(np.concatenate(pieces))


def placed(parts: Sequence[Samples], starts: Sequence[float]) -> Samples:
    """Added up, each from its start in seconds on, and a tenth of a second of silence at the end."""
    places = [round(start * RATE) for start in starts]
    end = max(at + len(part) for at, part in zip(places, parts, strict=True))
    out = np.zeros(end + RATE // 10, np.float32)
    for at, part in zip(places, parts, strict=True):
        out[at : at + len(part)] += part
    return level(out)
