<<<<<<< HEAD
"""The name under which model cards of release 0.1 import :mod:`audiocontrib.models.audio_only_processors`."""

from __future__ import annotations

from typing import Any

from audiocontrib.deprecation import renamed
from audiocontrib.models import audio_only_processors


def __getattr__(name: str) -> Any:
    found = getattr(audio_only_processors, name)
    renamed(__name__, audio_only_processors.__name__, gone="0.4")
    return found
=======
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
>>>>>>> main
