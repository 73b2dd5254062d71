"""What a data set holds and what is wrong with it, before any model is asked."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from audiocontrib.audit.baselines import baselines
from audiocontrib.audit.clips import LOOKS, clip_findings, clip_formats, clip_lengths, clips_by_source, look_at_clips
from audiocontrib.audit.kinds import FAILS, KIND_SCHEMA, kind_row
from audiocontrib.audit.options import OptionTable, published_choices
from audiocontrib.audit.rows import counts, quarantined, row_findings
from audiocontrib.checked import whole_number
from audiocontrib.deprecation import renamed
from audiocontrib.errors import UsageError
from audiocontrib.items import Items

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
    """A data set, looked at as a whole; an Arrow table for each name in TABLES."""

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


MOST_WORKERS = 1024
"""Threads that a machine can be asked for."""


def validate(
    items: Items,
    clips: str = "headers",
    *,
    progress: bool = False,
    workers: int | None = None,
    audio: str | None = None,
) -> Validation:
    """Look at a data set: its rows, its texts, its options and its recordings.

    Args:
        clips: what is looked at of each recording, one of LOOKS. Only ``decode`` sees whether it is silent.
        progress: show on stderr how many recordings were looked at.
        workers: threads that look at recordings; None: one for each processor.
        audio: the old name of ``clips``.

    Raises:
        UsageError: ``clips`` is none of LOOKS.

    Example:
        >>> validate(load_items("mmau", data="mmau-test-mini.json"), clips="no").baselines.to_pandas()
    """
    if audio is not None:
        renamed("validate(audio=…)", "clips", gone="0.4")
        clips = audio
    if clips not in LOOKS:
        raise UsageError(f"clips {clips!r}: it is one of {', '.join(LOOKS)}")
    if workers is not None:
        whole_number(workers, "workers", least=1, most=MOST_WORKERS)
    looked = look_at_clips(items, clips, progress, workers)
    table = items.table
    options, published = OptionTable.of(table), published_choices(table)
    found = [*row_findings(items, options, published), *clip_findings(looked, clips)]
    return Validation(
        origin=items.origin,
        items=len(items),
        findings=pa.Table.from_pylist([kind_row(one) for one in found], schema=KIND_SCHEMA),
        quarantined=quarantined(items),
        counts=counts(table, options, published),
        baselines=baselines(table),
        clips=clips_by_source(looked, clips),
        lengths=clip_lengths(looked),
        formats=clip_formats(looked),
    )
