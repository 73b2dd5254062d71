"""Real recordings from free packages, with questions on them; they come with the package (recipes/real_sounds)."""

from __future__ import annotations

from pathlib import Path

from audiocontrib.sources import audiomcq
from audiocontrib.sources.base import Source, register_source

register_source(
    Source(
        name="real-sounds",
        about="real recordings that come with the package: animals, instruments, events, speech, order, number, pitch",
        fields=audiomcq.fields,
        home=Path(__file__).parent / "items.jsonl",
    )
)
