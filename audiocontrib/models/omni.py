"""The name under which model cards of release 0.1 import :mod:`audiocontrib.models.audio_only_processors`."""

from __future__ import annotations

from typing import Any

from audiocontrib.deprecation import renamed
from audiocontrib.models import audio_only_processors


def __getattr__(name: str) -> Any:
    found = getattr(audio_only_processors, name)
    renamed(__name__, audio_only_processors.__name__, gone="0.4")
    return found
