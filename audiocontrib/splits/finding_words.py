"""What a rule found out about the set as a whole, in words: an estimate, its interval and the kind of it in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from audiocontrib.number_text import NONE, as_words, at_most, percent, share_or_bound, signed

SHARES = {
    *("leak_share", "leaks_left_in_strong", "second_among_lost", "second_if_alike"),
    *("answerable_share", "expected_false_weak_share"),
}
"""Findings that are shares of items."""
BOUNDS = {"false_at_most"}
"""Findings that are upper bounds of shares."""


def findings_in_words(findings: Mapping[str, Any]) -> dict[str, str]:
    """Name of a finding -> what it says.

    Args:
        findings: of a split: JSON values, where ``NAME_interval`` and ``NAME_interval_kind`` belong to ``NAME``.
    """
    return dict(_told(findings))


def _told(findings: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in findings.items():
        if any(name == f"{other}{end}" for other in findings for end in ("_interval", "_interval_kind")):
            continue
        ends, kind = findings.get(f"{name}_interval"), findings.get(f"{name}_interval_kind") or ""
        yield name.replace("_", " "), _words(name, value, ends, kind)


def _words(name: str, value: Any, ends: Any, kind: str) -> str:
    if name in BOUNDS and isinstance(value, float):
        return at_most(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    between = isinstance(ends, list) and len(ends) == 2 and None not in ends
    if not number or not (name in SHARES or between):
        return as_words(value)
    if name in SHARES:
        return share_or_bound(value, ends[0], ends[1], kind) if between else _with_kind(percent(value), kind)
    return _with_kind(signed(value, *ends), kind)


def _with_kind(value: str, kind: str) -> str:
    return f"{value} ({kind})" if kind and value != NONE else value
