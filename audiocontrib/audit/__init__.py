"""Audit: what is in a data set, what is wrong with it, and what it betrays without any audio model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules

import pyarrow as pa

from audiocontrib.arrow import texts
from audiocontrib.audit.base import (
    CHECKS,
    FEATURE_SCHEMA,
    FINDING_SCHEMA,
    PAIR_SCHEMA,
    SEVERITIES,
    Check,
    CheckResult,
    Finding,
    Settings,
    finding_row,
)
from audiocontrib.audit.clips import LOOKS
from audiocontrib.audit.kinds import FAILS, KINDS
from audiocontrib.audit.validation import TABLES, Validation, validate
from audiocontrib.errors import AudiocontribError
from audiocontrib.statistics import holm

__all__ = [
    "CHECKS",
    "FAILS",
    "KINDS",
    "LOOKS",
    "TABLES",
    "Audit",
    "Check",
    "Finding",
    "Settings",
    "Validation",
    "audit",
    "validate",
]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


@dataclass(frozen=True, slots=True)
class Audit:
    """What all checks saw."""

    findings: pa.Table
    """FINDING_SCHEMA, as the checks come; ``p_adjusted`` is Holm's over all tests of the audit."""
    scores: pa.Table = field(repr=False)
    """``item_id`` and the checks' scores, one row per item; null where a check has none."""
    pairs: pa.Table = field(repr=False)
    """PAIR_SCHEMA: items that say or play the same."""
    features: pa.Table = field(repr=False)
    """FEATURE_SCHEMA: what the classifiers went by."""

    @property
    def worst(self) -> str:
        """The highest severity of all findings."""
        return max(texts(self.findings["severity"]), key=SEVERITIES.index, default="ok")

    def to_json(self) -> str:
        """All tables but the scores, as one JSON object."""
        tables = {"findings": self.findings, "features": self.features, "pairs": self.pairs}
        return json.dumps({"worst": self.worst} | {name: t.to_pylist() for name, t in tables.items()}, allow_nan=False)


def run_checks(items: pa.Table, checks: Sequence[str] | None = None, settings: Settings | None = None) -> Audit:
    """Look for shortcuts, duplicates and faults in the items of a data set.

    Args:
        items: ITEM_SCHEMA: ``load_items(…).table``, or the view ``items`` of a run.
        checks: names in CHECKS; None: all of them.

    Raises:
        UsageError: no such check.
        AudiocontribError: there are no items.

    Example:
        >>> run_checks(load_items("rul-muchomusic", data="RUL-MuchoMusic.json").table, ["probes"]).findings
    """
    from tqdm import tqdm

    settings = settings or Settings()
    if not len(items):
        raise AudiocontribError("there are no items to audit")
    chosen = {name: CHECKS.find(name) for name in (checks or CHECKS)}
    seen: list[CheckResult] = []
    with tqdm(chosen.items(), desc="audit", disable=None if settings.progress else True) as bar:
        for name, check in bar:
            bar.set_postfix_str(name)
            seen.append(check(items, settings))
    found = [finding for one in seen for finding in one.findings]
    scores = pa.Table.from_pydict({"item_id": items["item_id"]})
    for one in seen:
        if one.scores is not None:
            scores = scores.join(one.scores, "item_id", join_type="left outer")
    return Audit(
        pa.Table.from_pylist(_rows(found, settings.level), schema=FINDING_SCHEMA),
        scores.sort_by("item_id"),
        pa.concat_tables([PAIR_SCHEMA.empty_table(), *(one.pairs for one in seen if one.pairs is not None)]),
        pa.concat_tables([FEATURE_SCHEMA.empty_table(), *(one.features for one in seen if one.features is not None)]),
    )


def _rows(found: Sequence[Finding], level: float) -> list[dict[str, object]]:
    """The findings with p-values corrected for all tests, and the severities that follow."""
    tested = [finding.p for finding in found if finding.p is not None]
    adjusted = iter(holm(tested)) if tested else iter(())
    rows = []
    for finding in found:
        p = None if finding.p is None else float(next(adjusted))
        severity = finding.severity
        if p is not None:
            severity = "ok" if p >= level else "alarm" if finding.matters else "note"
        rows.append(finding_row(finding, p, severity))
    return rows
