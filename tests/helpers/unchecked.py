"""Checkpoints without their self-check: for files in which many are made, and held against plain forwards or files."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new checkpoint would prove itself for seconds; tests/models/test_self_check.py is about that."""
    monkeypatch.setattr(import_module("audiocontrib.models.load"), "check_once", lambda model: None)
