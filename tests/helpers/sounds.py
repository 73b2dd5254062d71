"""Sounds for tests, encoded on the spot."""

from __future__ import annotations

import io
import math
from fractions import Fraction

import numpy as np
import pytest
import soundfile
import soxr

from audiocontrib.audio import RATE


def tone(seconds: float = 1.0, rate: int = RATE) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = RATE, form: str = "WAV", subtype: str | None = None) -> bytes:
    """By libsndfile; samples of shape (n,) or (n, channels)."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype)
    return file.getvalue()


def resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """The mean of the channels at 16 kHz, as ``librosa.resample`` makes it: by soxr, at its exact length."""
    made = soxr.resample(samples.mean(axis=1), rate, RATE, quality="HQ")
    size = math.ceil(len(samples) * RATE / rate)
    return np.pad(made[:size], (0, max(0, size - len(made))))


def by_ffmpeg(samples: np.ndarray, rate: int, form: str, codec: str, bit_rate: int | None = None) -> bytes:
    """By FFmpeg; samples of shape (n, channels), 1 or 2 channels. Skips the test where PyAV is not installed."""
    av = pytest.importorskip("av", reason="PyAV is not installed: pip install 'audiocontrib[m4a]'")
    file, layout = io.BytesIO(), ("mono", "stereo")[samples.shape[1] - 1]
    with av.open(file, "w", format=form) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for part in (frame, None):
            container.mux(stream.encode(part))
    return file.getvalue()
