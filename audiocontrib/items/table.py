"""Many items: kept as Arrow, or as they were made, with what was quarantined and where they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa

from audiocontrib.items.item import Item, Quarantined
from audiocontrib.items.rows import ITEM_SCHEMA, QUARANTINE_SCHEMA, item_from_row, item_row
from audiocontrib.items.view import items_html

ROWS_AT_ONCE = 4096
"""Items that are turned into Arrow, or out of it, together."""


class ItemTable(Sequence[Item]):
    """Items kept as Arrow: a few hundred bytes each less than as objects. An Item is made when it is asked for."""

    def __init__(self, batches: Iterable[pa.RecordBatch] = (), root: str | None = None) -> None:
        """
        Args:
            batches: of ITEM_SCHEMA.
            root: the folder that all paths are relative to.
        """
        self._batches = list(batches)
        self._root = root
        self._new: list[dict[str, Any]] = []
        self._count = sum(batch.num_rows for batch in self._batches)

    def append(self, item: Item) -> None:
        """Add an item; of its clip's root, that of the table is kept."""
        self._new.append(item_row(item))
        self._count += 1
        if len(self._new) == ROWS_AT_ONCE:
            self._pack()

    @property
    def table(self) -> pa.Table:
        """All items as an Arrow table of ITEM_SCHEMA; nothing is copied."""
        self._pack()
        return pa.Table.from_batches(self._batches, schema=ITEM_SCHEMA)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return self._made(self.table)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> ItemTable: ...
    def __getitem__(self, index: int | slice) -> Item | ItemTable:
        places = range(len(self))[index]  # IndexError, and places from the end
        if isinstance(places, int):
            return next(self._made(self.table.slice(places, 1)))
        table = self.table
        part = table.slice(places.start, len(places)) if places.step == 1 else table.take(pa.array(places, pa.int64()))
        return ItemTable(part.to_batches(), self._root)

    def take(self, places: Sequence[int]) -> Iterator[Item]:
        """The items at these places, in this order."""
        return self._made(self.table.take(pa.array(places, pa.int64())))

    def without(self, places: Iterable[int]) -> ItemTable:
        """The other items."""
        kept = np.ones(len(self), dtype=bool)
        kept[list(places)] = False
        return ItemTable(self.table.filter(pa.array(kept)).to_batches(), self._root)

    def _made(self, table: pa.Table) -> Iterator[Item]:
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            for row in batch.to_pylist():
                yield item_from_row(row, self._root)

    def _pack(self) -> None:
        if self._new:
            self._batches.append(pa.RecordBatch.from_pylist(self._new, schema=ITEM_SCHEMA))
            self._new = []


class Items(Sequence[Item]):
    """The items of a data set, what was quarantined beside them, and where they came from.

    A slice is Items too, of the same origin: ``score(items[:3], …)``.

    Example:
        >>> items = load_items("demo", limit=200)
        >>> len(items), items[0].question, items.table.num_rows, items.quarantined
    """

    def __init__(
        self,
        items: Iterable[Item],
        quarantined: Iterable[Quarantined] = (),
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self._items: Sequence[Item] = items if isinstance(items, ItemTable) else tuple(items)
        self.quarantined = tuple(quarantined)
        self.origin: dict[str, Any] = dict(origin or {})
        """What was read: name, path or hub id, revision, options. JSON values; goes into run.json."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Items: ...
    def __getitem__(self, index: int | slice) -> Item | Items:
        if not isinstance(index, slice):
            return self._items[index]
        start, stop, step = index.indices(len(self))
        taken = [*self.origin.get("slices", ()), f"{start}:{stop}:{step}"]
        return Items(self._items[index], (), self.origin | {"slices": taken})

    def take(self, places: Sequence[int]) -> Iterator[Item]:
        """The items at these places, in this order."""
        if isinstance(self._items, ItemTable):
            return self._items.take(places)
        return (self._items[place] for place in places)

    @property
    def table(self) -> pa.Table:
        """The items as an Arrow table of ITEM_SCHEMA."""
        if isinstance(self._items, ItemTable):
            return self._items.table
        return pa.Table.from_pylist([item_row(item) for item in self._items], schema=ITEM_SCHEMA)

    @property
    def quarantine(self) -> pa.Table:
        """The quarantined rows as an Arrow table of QUARANTINE_SCHEMA."""
        rows = [{name: getattr(q, name) for name in QUARANTINE_SCHEMA.names} for q in self.quarantined]
        return pa.Table.from_pylist(rows, schema=QUARANTINE_SCHEMA)

    def __repr__(self) -> str:
        return f"Items({self.origin.get('name', '')!r}: {len(self):,} items, {len(self.quarantined):,} quarantined)"

    def _repr_html_(self) -> str:
        return items_html(repr(self), self, self.quarantined)
