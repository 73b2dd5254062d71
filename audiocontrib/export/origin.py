"""Where exported rows are from: the run and the split, and what the split says of each item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.hashing import file_sha256, stable_hash
from audiocontrib.items import Items
from audiocontrib.store import Run
from audiocontrib.store.run import ITEMS
from audiocontrib.store.splits import TABLE


def split_record(run: Run, split: str | Path | None) -> dict[str, Any]:
    """Name, hash and settings of the split, as JSON values; rule is "" where there is no split."""
    if split is None:
        return {"name": None, "rule": ""}
    saved = run.split(split)
    return {"name": saved.name, "rule": "", "sha256": file_sha256(saved.folder / TABLE), **saved.settings}


def run_facts(run: Run) -> dict[str, Any]:
    """Which run it is, as JSON values."""
    identity = run.manifest["identity"]
    return {
        "dataset": identity.get("dataset"),
        "identity_sha256": stable_hash(identity),
        "items_sha256": file_sha256(run.path / ITEMS),
    }


def said_of(run: Run, split: str | Path | None, items: Items) -> pa.Table:
    """part and score of each item, in the items' order; null where there is no split."""
    ids = items.table["item_id"]
    if split is None:
        return pa.table({"part": pa.nulls(len(ids), pa.string()), "score": pa.nulls(len(ids), pa.float64())})
    table = run.split(split).table
    places = pc.index_in(ids, table["item_id"].combine_chunks())
    return pa.Table.from_pydict({"part": table["split"].take(places), "score": table["score"].take(places)})
