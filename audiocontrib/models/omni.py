"""The old name of :mod:`audiocontrib.models.audio_only_processors`, which the cards of trained models import."""

from __future__ import annotations

from typing import Any

from audiocontrib.deprecation import renamed
from audiocontrib.models import audio_only_processors


def __getattr__(name: str) -> Any:
    renamed("audiocontrib.models.omni", "audiocontrib.models.audio_only_processors", gone="0.4")
    return getattr(audio_only_processors, name)
