"""Clips of an exported folder as samples. Needs numpy, scipy and soundfile, and nothing of audiocontrib."""

import os
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE = 16_000


def samples(name: str, seconds: float = 30.0) -> Any:
    """A clip as float32 samples, mono, 16 kHz, cut where audiocontrib cuts it.

    A path that is not absolute is looked for beside this file, then in the folder that AUDIO_ROOT names.
    """
    path = Path(name)
    if not path.is_absolute():
        beside = Path(__file__).parent / path
        path = beside if beside.is_file() else Path(os.environ.get("AUDIO_ROOT", ".")) / path
    heard, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = heard.mean(axis=1)
    if rate != RATE:
        shared = gcd(rate, RATE)
        mono = resample_poly(mono, RATE // shared, rate // shared)
    return np.ascontiguousarray(mono[: round(seconds * RATE)], dtype=np.float32)
