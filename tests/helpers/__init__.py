"""What tests share: planted runs, worlds, layouts, fake servers."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout."""
