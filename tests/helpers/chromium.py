"""A real browser for pages: Debian's chromium, driven by playwright; a test is skipped where one of them is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def opened_chromium() -> Iterator[Any]:
    """The browser, closed at the end."""
    sync = pytest.importorskip("playwright.sync_api", reason="the PyPI package playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH (Debian's package chromium)")
    with sync.sync_playwright() as play:
        opened = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield opened
        opened.close()
