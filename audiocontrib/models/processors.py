"""The processors that stand in for published ones: a path that stays, for the scripts of model cards."""

from __future__ import annotations

from audiocontrib.models.audio_only_omni import (
    AudioOnlyDots3Processor,
    AudioOnlyGemma4UnifiedProcessor,
    AudioOnlyInklingProcessor,
    AudioOnlyNemotronProcessor,
)
from audiocontrib.models.audio_only_processors import (
    AudioOnlyGemma3nProcessor,
    AudioOnlyGemma4Processor,
    AudioOnlyOmni3Processor,
    AudioOnlyOmniProcessor,
    AudioOnlyPhi4Processor,
)
from audiocontrib.models.granite import GraniteProcessor
from audiocontrib.models.voxtral import TextualVoxtralProcessor

__all__ = [
    "AudioOnlyDots3Processor",
    "AudioOnlyGemma3nProcessor",
    "AudioOnlyGemma4Processor",
    "AudioOnlyGemma4UnifiedProcessor",
    "AudioOnlyInklingProcessor",
    "AudioOnlyNemotronProcessor",
    "AudioOnlyOmni3Processor",
    "AudioOnlyOmniProcessor",
    "AudioOnlyPhi4Processor",
    "GraniteProcessor",
    "TextualVoxtralProcessor",
]
