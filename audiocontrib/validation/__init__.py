"""Validation: what a data set holds and what is wrong with it, before any model is asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from audiocontrib.errors import UsageError
from audiocontrib.items import Items
from audiocontrib.validation import clips, texts
from audiocontrib.validation.clips import LOOKS
from audiocontrib.validation.findings import FINDING_SCHEMA, KINDS, Finding

__all__ = ["FAILS", "FINDING_SCHEMA", "KINDS", "LOOKS", "TABLES", "Finding", "Validation", "validate"]

FAILS = ("quarantined", "missing", "unreadable", "short")
"""Findings that fail the command unless it is told otherwise: what they name cannot be asked."""
TABLES = {
    "findings": "what was found, how often, and one example",
    "quarantined": "the rows that cannot be asked, by field and kind of reason",
    "counts": "items by source, type, split, number of options and place of the gold",
    "baselines": "accuracy without listening or reading: one place, the longest option, chance",
    "clips": "recordings by source: how many are there, and how long they are",
    "lengths": "quantiles of the recordings' seconds",
    "formats": "recordings by format, sample rate and channels",
}
"""The tables of a Validation, each with what it shows."""


@dataclass(frozen=True, slots=True)
class Validation:
    """A data set, looked at as a whole; one Arrow table for each name in TABLES."""

    origin: Mapping[str, Any]
    """What was read, as in :attr:`audiocontrib.items.Items.origin`."""
    items: int
    findings: pa.Table
    quarantined: pa.Table
    counts: pa.Table
    baselines: pa.Table
    clips: pa.Table
    lengths: pa.Table
    formats: pa.Table

    def failures(self, fail_on: Collection[str] = FAILS) -> list[str]:
        """The findings of these kinds that are there, each in words: ``missing: 3 of 10 clips``."""
        rows = self.findings.to_pylist()
        return [f"{r['kind']}: {r['n']} of {r['of']} {r['unit']}" for r in rows if r["kind"] in fail_on and r["n"]]

    def to_json(self) -> str:
        """All tables as one JSON object, on one line."""
        whole = {"origin": dict(self.origin), "items": self.items}
        whole |= {name: getattr(self, name).to_pylist() for name in TABLES}
        return json.dumps(whole, ensure_ascii=False)


def validate(items: Items, audio: str = "headers", *, progress: bool = False, workers: int | None = None) -> Validation:
    """Look at a data set: its rows, its texts, its options and its recordings.

    Args:
        audio: what is looked at of each recording, one of LOOKS. Only ``decode`` sees whether it is silent.
        progress: show on stderr how many recordings were looked at.
        workers: threads that look at recordings; None: one for each processor.

    Raises:
        UsageError: ``audio`` is none of LOOKS.

    Example:
        >>> validate(load_items("mmau", data="mmau-test-mini.json"), audio="no").baselines.to_pandas()
    """
    if audio not in LOOKS:
        raise UsageError(f"audio {audio!r}: it is one of {', '.join(LOOKS)}")
    looked = clips.look(items, audio, progress, workers)
    table = items.table
    options = texts.Options.of(table)
    found = [*texts.text_findings(items, table, options), *clips.clip_findings(looked, audio)]
    return Validation(
        origin=items.origin,
        items=len(items),
        findings=pa.Table.from_pylist([f.row() for f in found], schema=FINDING_SCHEMA),
        quarantined=texts.quarantined(items),
        counts=texts.counts(table, options),
        baselines=texts.baselines(options),
        clips=clips.by_source(looked, audio),
        lengths=clips.lengths(looked),
        formats=clips.formats(looked),
    )
