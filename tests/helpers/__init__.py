"""What tests share: planted runs, worlds, layouts, fake servers."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
"""The checkout."""
IMPORTED = pytest.StashKey[frozenset[str]]()
"""Of the configuration: the modules that were there when all tests had been collected."""
