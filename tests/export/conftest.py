"""What files that are exported, and run in a test, leave behind goes with the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What exported files import, and from where, goes with the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    yield
    sys.modules.pop("exported_audio", None)
