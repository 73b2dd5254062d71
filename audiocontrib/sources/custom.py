"""A file of your own: JSON, JSON lines, CSV, Parquet or Arrow, with a mapping of its columns."""

from __future__ import annotations

from audiocontrib.sources.base import Source, register_source

register_source(Source(name="jsonl", about="Your own JSON, JSON lines, CSV or Parquet, with a mapping of columns"))
