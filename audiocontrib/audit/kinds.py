"""What validation counts: kinds of faults of rows, options and recordings."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.audit.base import Finding

KINDS = {
    "quarantined": "rows that cannot be asked",
    "repeated": "rows whose id an earlier row has (they are quarantined)",
    "left-out": "rows that are no multiple-choice question about one recording",
    "collapsed": "items whose identical choices were collapsed into one",
    "gold-collapsed": "items whose gold was among the identical choices",
    "equal": "items with choices that only case, spaces or punctuation tell apart: a reply cannot say which is meant",
    "gold-equal": "items whose gold is among such choices",
    "labelled": "items whose options were printed with labels (A. …), which were taken off",
    "partly-labelled": "items of which some options begin with a label and others do not: a letter may be misread",
    "keyless": "items without a gold answer: asked, never scored",
    "noted": "items that carry another note of their source",
    "missing": "recordings that are not there",
    "unreadable": "recordings that cannot be decoded",
    "short": "recordings too short to be heard",
    "silent": "recordings without any sound",
}
"""Kind of finding -> what it counts."""
KIND_SCHEMA = schema_of(
    kind=pa.string(),
    n=pa.int64(),
    of=pa.int64(),
    unit=pa.string(),
    meaning=pa.string(),
    example=pa.string(),
)
"""A kind of KINDS, and how many of what were found to be of it."""
FAILS = ("quarantined", "missing", "unreadable", "short")
"""Findings that fail the command unless it is told otherwise: what they name cannot be asked."""


def kind_finding(kind: str, count: int, n: int, example: str, *, unit: str = "items") -> Finding:
    """How many of ``n`` are of a kind of KINDS, and the first of them in words."""
    return Finding.share(kind, count, n, example, unit=unit, severity="alarm" if kind in FAILS else "note")


def kind_row(finding: Finding) -> dict[str, Any]:
    """Such a finding as a row of KIND_SCHEMA."""
    kind = finding.check
    row = {"kind": kind, "n": finding.count, "of": finding.n, "unit": finding.unit}
    return row | {"meaning": KINDS[kind], "example": finding.detail}
