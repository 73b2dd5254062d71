"""Samples as the bytes of a WAV file: the same samples give the same bytes."""

from __future__ import annotations

import io
import operator
from typing import Any

import numpy as np

from audiocontrib.audio.decoding import RATES
from audiocontrib.errors import BadAudio

LOUDEST = 10.0
"""Floats are nominally in [-1, 1]; beyond this they are on another scale, such as that of 16-bit numbers."""
WHOLE = (np.dtype("int16"), np.dtype("int32"))
"""Whole numbers that WAV keeps as they are."""


def wav_bytes(samples: Any, rate: Any) -> bytes:
    """A mono WAV of an array: int16 and int32 as they are, floats as float32.

    Args:
        samples: shape (n,), or with one channel (1, n) or (n, 1); floats in [-1, 1], or int16 or int32.
        rate: samples a second.

    Raises:
        BadAudio: it is no such array; the message says what to do.
    """
    hertz = _rate(rate)
    try:
        given = np.asarray(samples)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadAudio(f"the array cannot be read: {error}") from error
    if given.ndim == 2 and 1 in given.shape:
        given = given.reshape(-1)
    if given.ndim != 1:
        raise BadAudio(
            f"the array has the shape {given.shape}, but must be mono, (n,): take the mean over the axis of channels"
        )
    if given.size == 0:
        raise BadAudio("the array is empty")
    if given.dtype.kind == "f":
        given = given.astype("<f4")
        peak = float(np.max(np.abs(given)))
        if not np.isfinite(peak):
            raise BadAudio("the array holds samples that are not finite numbers")
        if peak > LOUDEST:
            raise BadAudio(f"the array has floats up to {peak:g}, which belong in [-1, 1]: divide by the full scale")
    elif given.dtype not in WHOLE:
        raise BadAudio(f"the array is of {given.dtype}; samples are floats in [-1, 1], int16 or int32")
    return _wav(given, hertz)


def _rate(rate: Any) -> int:
    try:
        hertz = operator.index(int(rate) if isinstance(rate, float) and rate.is_integer() else rate)
    except TypeError:
        raise BadAudio(f"the sampling rate is {rate!r}, but must be a whole number of samples a second") from None
    if isinstance(rate, bool) or not RATES[0] <= hertz <= RATES[1]:
        raise BadAudio(f"the sampling rate is {rate!r}, which no sound has")
    return hertz


def _wav(samples: np.ndarray[Any, Any], rate: int) -> bytes:
    from scipy.io import wavfile  # soundfile writes the time of day into WAVs of floats

    file = io.BytesIO()
    wavfile.write(file, rate, np.ascontiguousarray(samples))
    return file.getvalue()
