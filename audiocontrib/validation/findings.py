"""A finding: something that is wrong with a data set, or worth knowing, and how often."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

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
"""Kind -> what it counts."""

FINDING_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("n", pa.int64()),
        ("of", pa.int64()),
        ("unit", pa.string()),
        ("meaning", pa.string()),
        ("example", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Finding:
    """How many of what were found to be of a kind."""

    kind: str
    n: int
    of: int
    unit: str
    """``rows``, ``items`` or ``clips``."""
    example: str = ""
    """The first one, in words."""

    def row(self) -> dict[str, Any]:
        """As a row of FINDING_SCHEMA."""
        return asdict(self) | {"meaning": KINDS[self.kind]}
