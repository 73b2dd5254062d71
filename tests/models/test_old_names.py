"""Cards of trained models lie on the hub for years: what they import is there."""

from __future__ import annotations

import importlib

import pytest


def test_the_old_home_of_the_processors() -> None:
    old = importlib.import_module("audiocontrib.models.omni")
    new = importlib.import_module("audiocontrib.models.audio_only_processors")
    with pytest.warns(FutureWarning, match="is called audiocontrib.models.audio_only_processors now"):
        assert old.AudioOnlyOmniProcessor is new.AudioOnlyOmniProcessor
