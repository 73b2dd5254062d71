"""What every check of a data set takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.registry import Registry

FINDING_SCHEMA = schema_of(
    check=pa.string(),
    group=pa.string(),
    n=pa.int64(),
    value=pa.float64(),
    expected=pa.float64(),
    low=pa.float64(),
    high=pa.float64(),
    interval=pa.string(),
    p=pa.float64(),
    p_adjusted=pa.float64(),
    severity=pa.string(),
    detail=pa.string(),
)
"""One row per test or count; see :class:`Finding`."""

PAIR_SCHEMA = schema_of(
    item_a=pa.string(),
    item_b=pa.string(),
    dataset_a=pa.string(),
    dataset_b=pa.string(),
    kind=pa.string(),
    similarity=pa.float64(),
)
"""Items that say or play the same; ``kind`` is the check that found them."""

SHOWN = 5
"""Examples in the detail of a finding."""
LONGEST = 160
"""Characters of an example."""
SEVERITIES = ("ok", "note", "alarm")
"""From the least to the most: nothing found; worth a look; the set is not what it claims to be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw, as a row of FINDING_SCHEMA."""

    check: str
    n: int
    """How many items (or what ``unit`` says) the value is over."""
    value: float | None
    """A share of the ``n``, where nothing else is said; None: it could not be taken, ``detail`` says why."""
    detail: str = ""
    """For a person: what it means, with examples."""
    group: str = ""
    """The part of the set that was looked at; "": all of it."""
    expected: float | None = None
    """The value if the texts (or places) said nothing about the gold."""
    low: float | None = None
    """95 % interval of the value, with ``high``."""
    high: float | None = None
    interval: str | None = None
    """Its kind, as in :class:`~audiocontrib.statistics.clusters.ClusteredMean`."""
    p: float | None = None
    """Two-sided p-value of the value against what is expected; None: no test, only a count."""
    severity: str = "ok"
    """Of a count: one of SEVERITIES. Of a test it follows from the p-value, corrected for all tests."""
    matters: bool = True
    """Whether the effect is large enough to call an alarm, were it not luck; else it is a note."""
    unit: str = "items"
    """What ``n`` counts: ``rows``, ``items`` or ``clips``."""
    count: int | None = None
    """Of a count: how many of the ``n``; ``value`` is their share."""

    @classmethod
    def share(
        cls, check: str, count: int, n: int, detail: str, *, unit: str = "items", severity: str = "note"
    ) -> Finding:
        """How many of ``n`` are of a kind; it is of this severity where there is at least one."""
        value = count / n if n else None
        return cls(check, n, value, detail, severity=severity if count else "ok", unit=unit, count=count)

    @classmethod
    def examples(
        cls, check: str, those: Sequence[str], n: int, *, unit: str = "items", severity: str = "note"
    ) -> Finding:
        """The same of a kind whose members are told in words: the first few are examples."""
        more = f" and {len(those) - SHOWN} more" if len(those) > SHOWN else ""
        shown = "; ".join(shorten(one) for one in those[:SHOWN])
        detail = f"{len(those)} {unit}, e.g. {shown}{more}" if those else "none"
        return cls.share(check, len(those), n, detail, unit=unit, severity=severity)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check gives back."""

    findings: Sequence[Finding]
    scores: pa.Table | None = None
    """``item_id`` and one double column or more: scores that join the contribution table."""
    pairs: pa.Table | None = None
    """PAIR_SCHEMA."""
    features: pa.Table | None = None
    """FEATURE_SCHEMA: what a classifier went by."""


FEATURE_SCHEMA = schema_of(
    probe=pa.string(),
    feature=pa.string(),
    weight=pa.float64(),
    options=pa.int64(),
    gold_share=pa.float64(),
    example=pa.string(),
)
"""A feature of a probe: weight in the fit on all items, options that have it, share of those that are gold, an item."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What checks may be told."""

    seed: int = 0
    level: float = 0.01
    """Family-wise error rate of all tests of an audit together (Holm): a set without shortcuts raises an
    alarm at most this often."""
    max_items: int = 20_000
    """Classifiers are fitted on at most so many items, drawn by clip; the rest has no out-of-fold score."""
    against: Mapping[str, pa.Table] = field(default_factory=dict)
    """Other sets (name -> ITEM_SCHEMA) that are searched for the same questions and clips."""
    quarantine: pa.Table | None = None
    """QUARANTINE_SCHEMA: the rows that did not become items."""
    audio_root: str | None = None
    """Folder of the clips; None: only clips that the items carry themselves can be heard."""
    listen: bool = False
    """Whether clips are decoded (minutes to hours) or only texts are read."""
    progress: bool = False


Check = Callable[[pa.Table, Settings], CheckResult]
"""``check(items, settings)`` over a table of ITEM_SCHEMA."""
CHECKS: Registry[Check] = Registry("check")


def shorten(text: str) -> str:
    """A text of at most LONGEST characters, for a table."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def finding_row(finding: Finding, p_adjusted: float | None, severity: str) -> dict[str, Any]:
    """A finding as a row of FINDING_SCHEMA."""
    values = {name: getattr(finding, name) for name in FINDING_SCHEMA.names if hasattr(finding, name)}
    return values | {"p_adjusted": p_adjusted, "severity": severity}
