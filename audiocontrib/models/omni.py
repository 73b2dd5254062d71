"""The old path of :mod:`audiocontrib.models.processors`; the cards of models that were trained before name it."""

from __future__ import annotations

from audiocontrib.deprecation import renamed
from audiocontrib.models.audio_only_processors import (
    AudioOnlyGemma3nProcessor,
    AudioOnlyGemma4Processor,
    AudioOnlyOmni3Processor,
    AudioOnlyOmniProcessor,
    AudioOnlyPhi4Processor,
)

__all__ = [
    "AudioOnlyGemma3nProcessor",
    "AudioOnlyGemma4Processor",
    "AudioOnlyOmni3Processor",
    "AudioOnlyOmniProcessor",
    "AudioOnlyPhi4Processor",
]

renamed("audiocontrib.models.omni", "audiocontrib.models.processors", gone="0.4")
