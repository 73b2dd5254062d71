"""What a run asks about: items.parquet, which only grows, and quarantine.parquet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.items import ITEM_SCHEMA, Item, Items, Quarantined, item_row
from audiocontrib.store.files import COMPRESSION, check_whole, replacing, write_table_atomic
from audiocontrib.store.identity import differences

ROWS_AT_ONCE = 4096


def merge_items(path: Path, items: Items) -> tuple[list[Item], list[str]]:
    """The items that the file does not hold yet, and the changes to those it holds (one text per change)."""
    new = {item.id: item for item in items}
    changes = []
    for row in rows(path):
        item = new.pop(row["item_id"], None)
        if item is not None:
            changes += differences(row, item_row(item), f"items.{item.id}")
    return list(new.values()), changes


def add_items(path: Path, items: list[Item]) -> None:
    """Add items that the file does not hold. It is written anew, a few thousand rows in memory at a time."""
    if path.exists() and not items:
        return
    with replacing(path) as file, pq.ParquetWriter(file, ITEM_SCHEMA, compression=COMPRESSION) as writer:
        for batch in _batches(path):
            writer.write_batch(batch)
        for start in range(0, len(items), ROWS_AT_ONCE):
            writer.write_table(Items(items[start : start + ROWS_AT_ONCE]).table)


def add_quarantined(path: Path, new: Iterable[Quarantined], *, once_per_item: bool) -> None:
    """Add rows that the file does not hold; with ``once_per_item``, none that names an item's field again."""
    stored = read_quarantined(path)
    named = {(q.item_id, q.field) for q in stored if q.item_id is not None}
    merged = dict.fromkeys(stored)
    for row in new:
        if once_per_item and (row.item_id, row.field) in named:
            continue
        merged[row] = None
        if row.item_id is not None:
            named.add((row.item_id, row.field))
    if len(merged) > len(stored) or not path.exists():
        write_table_atomic(Items((), merged).quarantine, path)


def drop_unheard(path: Path, item_ids: Collection[str]) -> None:
    """Drop the rows that say that the clip of one of these items cannot be heard."""
    stored = read_quarantined(path)
    kept = [q for q in stored if not (q.field == "audio" and q.item_id in item_ids)]
    if len(kept) < len(stored):
        write_table_atomic(Items((), kept).quarantine, path)


def read_quarantined(path: Path) -> list[Quarantined]:
    """The rows of quarantine.parquet; none if there is no file."""
    return [Quarantined(**row) for row in rows(path)]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a Parquet file, a few thousand in memory at a time; none if there is no file."""
    for batch in _batches(path):
        yield from batch.to_pylist()


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if not path.exists():
        return
    check_whole([path])
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=ROWS_AT_ONCE)
