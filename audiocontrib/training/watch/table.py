"""The curve of a watched training as a table, which step is best in it, and whether it says to stop.

    audiocontrib query "select step, value from 'trained/sft/watched.parquet' where measure = 'gain'" --file trained

Every checkpoint holds the rows up to its step: after a kill the table goes on from there, so that no step is missing
and none is there twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.training.watch.settings import Watch

WATCHED = "watched.parquet"
COLUMNS: dict[str, tuple[pa.DataType, str]] = {
    "step": (pa.int64(), "optimiser steps that were done; 0: before the first"),
    "part": (pa.string(), "of the split: `all`, and each part by itself"),
    "measure": (pa.string(), "`accuracy`, `abstained`, `gain` (A - S) or `relative_gain` ((A - S) / (1 - S))"),
    "condition": (pa.string(), "under which; of what the audio adds: over which"),
    "n": (pa.int64(), "items with a vote"),
    "clips": (pa.int64(), "recordings that they are about"),
    "value": (pa.float64(), "the mean; of what the audio adds with 1/K for an abstention; null: not known"),
    "low": (pa.float64(), "lower end of its 95 % interval, by clip; null where there is none"),
    "high": (pa.float64(), "upper end"),
    "interval": (pa.string(), "kind of the interval"),
    "least": (pa.float64(), "what the audio adds at least, whatever abstentions are worth"),
    "most": (pa.float64(), "and at most"),
    "chance": (pa.float64(), "mean 1/K, of accuracies"),
}
"""Column -> its type, and what it says."""
WATCHED_SCHEMA = schema_of(**{name: kind for name, (kind, _) in COLUMNS.items()})
MOST_ROWS, MOST_BYTES = 400_000, 64 * 2**20
"""A larger table was not written by a training: an asking has at most 40 rows."""


def read_watched(path: Path) -> pa.Table:
    """The table in a file, of WATCHED_SCHEMA.

    Raises:
        AudiocontribError: it is damaged, or another table; in one line.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AudiocontribError(f"{path} is no table of watched items: it has more than {MOST_BYTES:,} bytes")
        with pq.ParquetFile(path) as file:
            lacking = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if lacking or file.metadata.num_rows > MOST_ROWS:
                why = f"it has no column {lacking[0]}" if lacking else f"it has {file.metadata.num_rows:,} rows"
                raise AudiocontribError(f"{path} is no table of watched items: {why}")
            return file.read(list(COLUMNS)).select(list(COLUMNS)).cast(WATCHED_SCHEMA)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AudiocontribError(f"{path} cannot be read: {one_line(error, 160)}") from error


def values_by_step(table: pa.Table, watch: Watch) -> dict[int, float | None]:
    """Step -> what the best step is best by, in the order of the steps; None where it is not known."""
    asked = "audio" if watch.by == "accuracy" else watch.without
    rows = (row for row in table.to_pylist() if row["part"] == "all")
    return {row["step"]: row["value"] for row in rows if (row["measure"], row["condition"]) == (watch.by, asked)}


def best_step(table: pa.Table, watch: Watch) -> int | None:
    """The step after the first with the highest value, the earliest of equals; None before there is one."""
    known = {step: value for step, value in values_by_step(table, watch).items() if step and value is not None}
    return max(known, key=lambda step: (known[step], -step), default=None)


def is_over(table: pa.Table, watch: Watch) -> bool:
    """Whether ``patience`` askings in a row were no better than the best one before them."""
    if watch.patience is None:
        return False
    steps = [step for step in values_by_step(table, watch) if step]
    best = best_step(table, watch)
    return sum(step > (best or 0) for step in steps) >= watch.patience + (best is None)


def curve(table: pa.Table) -> list[dict[str, Any]]:
    """A row a step, of all items: ``step``, ``n`` and a mapping of value, low and high by measure and condition."""
    found: dict[int, dict[str, Any]] = {}
    for row in table.to_pylist():
        if row["part"] == "all":
            own = found.setdefault(row["step"], {"step": row["step"], "n": row["n"], "told": {}})
            own["told"][row["measure"], row["condition"]] = row
    return [found[step] for step in sorted(found)]


def logged(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What a step's rows say of all items, by names for a tracker: ``watch/audio``, ``watch/gain_silence``, …"""
    told: dict[str, float] = {}
    for row in rows:
        if row["part"] != "all" or row["value"] is None:
            continue
        own = row["condition"] if row["measure"] == "accuracy" else f"{row['measure']}_{row['condition']}"
        told[f"watch/{own}"] = row["value"]
        ends = {"low": row["low"], "high": row["high"]}
        told |= {f"watch/{own}_{end}": value for end, value in ends.items() if value is not None}
    return told
