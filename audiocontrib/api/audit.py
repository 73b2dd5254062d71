"""Audit from a notebook: of items, or of a run, which keeps the scores."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from audiocontrib.errors import UsageError
from audiocontrib.items import Item, Items, as_items
from audiocontrib.store import Run

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.audit import Audit


def audit(
    data: Iterable[Item] | Run,
    /,
    *,
    checks: str | Sequence[str] | None = None,
    against: Mapping[str, Iterable[Item] | str | os.PathLike[str]] | None = None,
    listen: bool = False,
    progress: bool = False,
) -> Audit:
    """Look for shortcuts, duplicates and faults in items, without any audio model.

    Args:
        data: items; or a run, whose items are looked at and which keeps the scores (the view ``audit``).
        checks: names of checks, see docs/audit.md; None: all.
        against: other sets that are searched for the same items, by name: items; or a file, in the layout of the
            data set of that name where it is known.
        listen: decode the clips: the same recordings, silent, clipped, narrow ones.
        progress: show on stderr which check is at work.

    Raises:
        UsageError: no such check or file, or what is given holds no items.
        AudiocontribError: there are no items.

    Example:
        >>> seen = ac.audit(ac.load_items("demo"), checks=["probes", "surface"])
        >>> seen.worst, seen.findings.to_pandas()
    """
    from audiocontrib.audit import CHECKS, Settings, run_checks

    run = data if isinstance(data, Run) else None
    items = run.load_items() if run else as_items(data)
    names = [checks] if isinstance(checks, str) else checks
    for name in names or ():
        CHECKS.find(name)
    settings = Settings(
        against={name: _other(name, one) for name, one in _named(against).items()},
        quarantine=items.quarantine,
        audio_root=items.origin.get("audio_root"),
        listen=listen,
        progress=progress,
    )
    seen = run_checks(items.table, names or None, settings)
    if run:
        serious = [row for row in seen.findings.to_pylist() if row["severity"] != "ok"]
        run.save_audit(seen.scores.replace_schema_metadata({"audiocontrib": json.dumps(serious)}))
    return seen


def _named(against: Any) -> Mapping[str, Any]:
    if against is None:
        return {}
    if not isinstance(against, Mapping) or not all(isinstance(name, str) for name in against):
        raise UsageError(f"against is {against!r:.80}, but is a mapping from a name to items, or to a file")
    return against


def _other(name: str, given: Any) -> pa.Table:
    """The items of another set; a file in the layout of that name where it is known, else as one of one's own."""
    from audiocontrib.sources import SOURCES, load_items

    if not isinstance(given, str | os.PathLike):
        return as_items(given).table
    file = os.fspath(given)
    items: Items = load_items(name, data=file) if name in SOURCES else load_items(file)
    return items.table
