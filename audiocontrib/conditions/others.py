"""Conditions of other tools, which are kept under their own name and cannot be asked: ``other:mask20``."""

from __future__ import annotations

OTHER = "other"
LONGEST = 80


def other_condition(spec: str) -> str | None:
    """``other:NAME`` as it is kept, with single blanks; None if it is not so written."""
    kind, colon, name = spec.partition(":")
    name = " ".join(name.split())
    sound = kind == OTHER and colon and name and len(name) <= LONGEST and name.isprintable()
    return f"{OTHER}:{name}" if sound else None
