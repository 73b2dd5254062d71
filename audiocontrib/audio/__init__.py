"""Audio: from a clip, wherever it lies, to 16 kHz mono samples.

``paths`` and ``archives`` find the bytes, ``headers`` sees that they are all there, ``containers`` opens them
with libsndfile or FFmpeg, ``decoding`` makes a Sound of them, block by block.
"""

from audiocontrib.audio.containers import Probe
from audiocontrib.audio.decoding import MAX_SECONDS, MIN_SECONDS, decode, probe
from audiocontrib.audio.paths import exists, stamp
from audiocontrib.audio.sound import RATE, Sound, make_sound, silence

__all__ = [
    "MAX_SECONDS",
    "MIN_SECONDS",
    "RATE",
    "Probe",
    "Sound",
    "decode",
    "exists",
    "make_sound",
    "probe",
    "silence",
    "stamp",
]
