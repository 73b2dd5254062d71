"""Audio: from a clip, wherever it lies, to 16 kHz mono samples.

``paths`` and ``archives`` find the bytes, ``headers`` sees that they are all there, ``containers`` opens them
with libsndfile or FFmpeg, ``decoding`` makes a Sound of them, block by block.
"""

from audiocontrib.audio.clip import Clip
from audiocontrib.audio.containers import Probe
from audiocontrib.audio.data_uri import data_uri
from audiocontrib.audio.decoding import MAX_SECONDS, MIN_SECONDS, decode, probe
from audiocontrib.audio.encoding import wav_bytes
from audiocontrib.audio.paths import exists, stamp
from audiocontrib.audio.sound import RATE, Sound, make_sound, silence

__all__ = [
    "MAX_SECONDS",
    "MIN_SECONDS",
    "RATE",
    "Clip",
    "Probe",
    "Sound",
    "data_uri",
    "decode",
    "exists",
    "make_sound",
    "probe",
    "silence",
    "stamp",
    "wav_bytes",
]
