"""A clip as an address that a page plays by itself."""

from __future__ import annotations

import base64
import io

from audiocontrib.audio.clip import Clip
from audiocontrib.audio.decoding import decode
from audiocontrib.audio.sound import RATE
from audiocontrib.errors import BadAudio

LONGEST = 30.0
"""Seconds of a clip that are embedded."""
DATA_URI = "data:audio/ogg;base64,"


def data_uri(clip: Clip, room: int) -> str | None:
    """The first 30 s of a clip as Ogg Opus in a data URI; None where it cannot be heard, or is longer than ``room``.

    Args:
        room: characters that the address may have.
    """
    import soundfile

    if room <= 0:
        return None
    try:
        samples = decode(clip).samples[: round(LONGEST * RATE)]
    except BadAudio:
        return None
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="OGG", subtype="OPUS")
    text = DATA_URI + base64.b64encode(file.getvalue()).decode()
    return text if len(text) <= room else None
