"""Sound: decoded audio, 16 kHz mono float32, with its length and content hash."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples per second of every Sound: what the feature extractors of all supported models expect."""


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
    return Sound(fixed, hashlib.sha256(fixed.data).hexdigest())


@lru_cache(maxsize=8)
def silence(seconds: float) -> Sound:
    """Digital silence (zeros)."""
    return make_sound(np.zeros(round(seconds * RATE), dtype=np.float32))
