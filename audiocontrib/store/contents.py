"""What a run asks about: items.parquet, which only grows, and quarantine.parquet."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import (
    ITEM_SCHEMA,
    QUARANTINE_SCHEMA,
    ROWS_AT_ONCE,
    Items,
    ItemTable,
    Quarantined,
    todays_items,
)
from audiocontrib.store.damage import damaged, unreadable
from audiocontrib.store.files import LOCK, replacing, sealing, write_table_atomic
from audiocontrib.store.identity import differences
from audiocontrib.store.own import audio_root, check_own, origin_of, stated_root
from audiocontrib.store.seal import check_file

logger = logging.getLogger(__name__)


def check_unused(path: Path) -> None:
    """A folder becomes a run only if it is empty, or holds what a kill during the making of a run leaves."""
    own = (LOCK, "items.parquet", "quarantine.parquet")
    for entry in path.iterdir():
        empty = entry.name == "responses" and not any(entry.iterdir())
        if not (entry.name in own or entry.name.endswith(".tmp") or empty):
            raise UsageError(f"{path} is no run, and holds {entry.name!r}; name a new folder", argument="run")


def merge_items(path: Path, given: pa.Table) -> tuple[pa.Table, list[str]]:
    """The given items that the file does not hold yet, and the changes to those it holds (one text per change).

    Of given items with one id, the first counts.
    """
    places: dict[str, int] = {}
    for place, name in enumerate(texts(given["item_id"])):
        places.setdefault(name, place)
    new = np.zeros(len(given), dtype=bool)
    new[list(places.values())] = True
    changes = []
    for batch in batches(path):
        stored = pa.Table.from_batches([batch])
        for at, place, count in _runs([places.get(name) for name in texts(stored["item_id"])]):
            new[place : place + count] = False
            old, now = stored.slice(at, count), given.slice(place, count)
            if not old.equals(now):
                for was, row in zip(old.to_pylist(), now.to_pylist(), strict=True):
                    changes += differences(was, row, f"items.{row['item_id']}")
    return given if new.all() else given.filter(pa.array(new)), changes


def _runs(places: list[int | None]) -> Iterator[tuple[int, int, int]]:
    """Where places follow on one another: index of the first, the place there, and how many they are.

    Items come in the order in which they were written, so that mostly there is one.
    """
    start = 0
    for end in range(1, len(places) + 1):
        first = places[start]
        if end == len(places) or first is None or places[end] != first + end - start:
            if first is not None:
                yield start, first, end - start
            start = end


def add_items(path: Path, items: pa.Table) -> None:
    """Add items that the file does not hold. It is written anew, a few thousand rows in memory at a time."""
    if path.exists() and not len(items):
        return
    with replacing(path) as file, sealing(file, ITEM_SCHEMA) as writer:
        for batch in batches(path):
            writer.write_batch(batch)
        writer.write_table(items, row_group_size=ROWS_AT_ONCE)


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
    rows = (row for batch in batches(path, QUARANTINE_SCHEMA) for row in batch.to_pylist())
    return [Quarantined(**{name: row[name] for name in QUARANTINE_SCHEMA.names}) for row in rows]


def stored_items(run: Path, manifest: Mapping[str, Any], named: str | None) -> Items:
    """The items of a run, with what was quarantined; their clips are in the folder that may be read, if any is.

    Args:
        named: the folder of the audio that the user names.
    """
    root, origin = audio_root(run, manifest, named), dict(origin_of(manifest))
    if root is not None and root != origin.get("audio_root"):
        origin["audio_root"] = root
        if named is None:
            logger.warning(
                "note: %s was not made here%s: only clips in its own folder are read, unless theirs is named",
                run,
                f", and says that its audio is in {stated!r:.200}" if (stated := stated_root(manifest)) else "",
            )
    if not (run / "items.parquet").exists():
        raise AudiocontribError(f"{run} holds no items.parquet: put that file back, or give its score command again")
    items = ItemTable(batches(run / "items.parquet", ITEM_SCHEMA), root)
    return Items(items, read_quarantined(run / "quarantine.parquet"), origin)


def batches(path: Path, needed: pa.Schema | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file as Arrow, a few thousand at a time; none if there is no file.

    Raises:
        AudiocontribError: it is damaged, or a column that is needed is not there, or is of another type.
    """
    if not path.exists():
        return
    check_file(check_own(path, path.parent))
    with pq.ParquetFile(path.absolute(), pre_buffer=False) as file:  # else all that was read stays in memory
        held = todays_items(pa.RecordBatch.from_pylist([], schema=file.schema_arrow)).schema
        for field in needed or ():
            place = held.get_field_index(field.name)
            if place < 0 or not held.field(place).type.equals(field.type):
                raise damaged(path, f"its column {field.name!r} is missing, or holds something else")
        try:
            yield from map(todays_items, file.iter_batches(batch_size=ROWS_AT_ONCE))
        except (pa.ArrowException, OSError) as error:
            raise unreadable(path, error) from error
