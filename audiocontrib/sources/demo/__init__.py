"""The demo data set: synthesised clips, and for every question the truth whether the audio is needed."""

from __future__ import annotations

from dataclasses import replace

from audiocontrib.sources import audiomcq
from audiocontrib.sources.base import Columns, Fields, Source, register_source
from audiocontrib.sources.demo.make import demo_rows

DEFAULT_ITEMS = 240


def fields(row: Columns) -> Fields:
    """A row in AudioMCQ's schema, with the clip's bytes beside it."""
    published = Columns({name: value for name, value in row.items() if name != "audio"})
    return replace(audiomcq.fields(published), audio={"path": row["audio_path"], "bytes": row["audio"]})


register_source(
    Source(
        name="demo",
        about="synthesised clips made on the spot from a seed; every question knows whether the audio is needed",
        fields=fields,
        make=lambda seed, limit: demo_rows(seed, limit or DEFAULT_ITEMS),
    )
)
