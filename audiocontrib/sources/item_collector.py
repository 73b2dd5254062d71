"""Reading: rows in, items and quarantine records out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from audiocontrib.errors import AudiocontribError, BadItem, UsageError, code_place, one_line
from audiocontrib.items import Clip, Item, ItemTable, Quarantined, item_row, make_item, qualified_id
from audiocontrib.registry import is_others
from audiocontrib.sources.base import BrokenRow, Columns, Fields, LeftOut, NoColumn, SourceRow
from audiocontrib.sources.cells import clip_of
from audiocontrib.sources.places import PlaceCounts

TRIED = 8
"""Rows of which somebody's own source is asked twice."""
FIXED = ("own_id", "question", "choices", "answer", "clip_id")


@dataclass(slots=True)
class ItemCollector:
    """The items of one data set while its rows come in."""

    dataset: str
    fields: Callable[[Columns], Fields | Sequence[Fields]]
    hint: str
    """What to do about a missing column; ``{field}`` stands for the field."""
    revision: str | None = None
    split: str | None = None
    """Only rows of this split are taken."""
    root: str | None = None
    """Absolute folder that audio paths are relative to and may not leave."""
    items: ItemTable = field(init=False)
    quarantined: list[Quarantined] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that are no question of this kind, by reason."""
    files: dict[str, int] = field(default_factory=dict)
    """The files that rows came from, numbered from 0."""
    _seen: dict[str, int] = field(default_factory=dict)
    """Each id's place among the items, number of the file and line, in one number (many rows, little memory)."""
    _again: dict[str, list[tuple[dict[str, Any], str, int]]] = field(default_factory=dict)
    """The rows whose id was seen before: as an item, with file and line."""
    _rows: Counter[str] = field(default_factory=Counter)
    """Rows of each file."""
    _splits: set[str] = field(default_factory=set)
    _places: defaultdict[str, PlaceCounts] = field(default_factory=lambda: defaultdict(PlaceCounts))
    _without_column: list[str] = field(default_factory=list)
    _twice: int = field(init=False)
    """Rows that are still asked twice."""

    def __post_init__(self) -> None:
        self.items = ItemTable(root=self.root)
        self._twice = TRIED if is_others(self.fields) else 0

    def take(self, row: SourceRow | BrokenRow, place: str) -> None:
        """Add the item of a row, or the reason why it is none; ``place`` is the split it was read from.

        Raises:
            UsageError: every row of the file lacks a column.
        """
        self.files.setdefault(row.file, len(self.files))
        self._rows[row.file] += 1
        if isinstance(row, BrokenRow):
            self._quarantine(row, row.field, row.reason)
            return
        own_id = None
        try:
            row.values.file = row.file
            for fields in self._fields(row.values):
                own_id = fields.own_id
                self._splits.update(filter(None, (fields.split, place)))
                if self.split is None or self.split in (fields.split, place):
                    if fields.has_key and fields.answer_as in ("index", "number"):
                        self._places[fields.answer_as].see(fields.answer, fields.choices)
                    self._add(self._item(fields, place), row)
        except NoColumn as error:
            self._without_column.append(f"{row.file}: {error}; {self.hint.format(field=error.field)}")
            if row.uniform:
                raise UsageError(self._without_column[-1], argument="mapping") from error
            self._quarantine(row, error.field, error.reason)
        except LeftOut as error:
            self.left_out[error.reason] += 1
        except BadItem as error:
            item_id = qualified_id(self.dataset, self.revision, own_id) if own_id else None
            self._quarantine(row, error.field, error.reason, item_id)
        except AudiocontribError:
            raise
        except Exception as error:  # whatever a row holds, the others may be good
            self._quarantine(row, "row", f"cannot be read: {one_line(error)}")

    def _fields(self, values: Columns) -> Sequence[Fields]:
        """What the source says of a row; somebody's own is asked twice of the first rows."""
        several = self._made(values)
        if self._twice:
            self._twice -= 1
            if _fixed(self._made(values)) != _fixed(several):
                raise AudiocontribError(f"{self.dataset} makes another question of the same row each time it is asked")
        return several

    def _made(self, values: Columns) -> Sequence[Fields]:
        """What the source makes of a row. BadItem too where its own code fails: the other rows may be good."""
        try:
            fields = self.fields(values)
        except AudiocontribError:
            raise
        except Exception as error:
            raise BadItem(
                "row", f"it cannot be read by {self.dataset}: {code_place(error)}{one_line(error)}"
            ) from error
        several: Sequence[Any] = fields if isinstance(fields, list | tuple) and fields else [fields]
        for one in several:
            if not isinstance(one, Fields):
                raise BadItem("row", f"{self.dataset} made {type(one).__name__} of it, not Fields")
        return several

    def check(self, where: str) -> None:
        """Raise an AudiocontribError if nothing at all was found, so that the cause is said once.

        The same if the golds are places, and all of them together say that they were counted otherwise.
        """
        self.settle(where)
        for way, places in self._places.items():
            if fault := places.fault(way):
                raise AudiocontribError(f"{where}: {fault}; say which: index or number", argument="answer_as")
        if self.items or (self.quarantined and len(self.quarantined) > len(self._without_column)):
            return
        if self._without_column:
            raise UsageError(self._without_column[0], argument="mapping")
        if self.left_out:
            why = "; ".join(f"{reason} ({n})" for reason, n in self.left_out.most_common())
            raise AudiocontribError(f"{where}: every row is left out: {why}")
        if self.split is None:
            raise AudiocontribError(f"{where}: it holds no rows")
        known = f"there are: {', '.join(sorted(self._splits))}" if self._splits else "no row says its split"
        raise UsageError(f"{where}: no row belongs to the split {self.split!r}; {known}", argument="split")

    def _item(self, fields: Fields, place: str) -> Item:
        return make_item(
            dataset=self.dataset,
            revision=self.revision,
            own_id=fields.own_id,
            question=fields.question,
            choices=fields.choices,
            answer=fields.answer,
            audio=self._clip(fields),
            answer_as=fields.answer_as,
            labels=fields.labels,
            has_key=fields.has_key,
            clip_id=fields.clip_id,
            question_type=fields.question_type,
            source_dataset=fields.source_dataset,
            split=fields.split or place,
            extra=fields.extra,
            notes=fields.notes,
        )

    def _clip(self, fields: Fields) -> Clip | None:
        clip = clip_of(fields.audio, self.root)
        if clip is None or (fields.start is None and fields.end is None):
            return clip
        return replace(clip, start=fields.start, end=fields.end)

    def _add(self, item: Item, row: SourceRow) -> None:
        if item.id in self._seen:
            self._again.setdefault(item.id, []).append((item_row(item), row.file, row.line))
            return
        self._seen[item.id] = len(self.items) << 80 | self.files[row.file] << 48 | row.line
        self.items.append(item)

    def settle(self, where: str) -> None:
        """Quarantine what has an id that is there before; where the rows differ, the first of them too.

        Raises:
            AudiocontribError: the ids of one file begin anew in another.
        """
        names, files = list(self._again), list(self.files)
        firsts = [self._seen[name] for name in names]
        held = self.items.take([first >> 80 for first in firsts]) if names else iter(())
        dropped: list[int] = []
        for name, first, item in zip(names, firsts, held, strict=True):
            file, line = files[first >> 48 & 0xFFFF_FFFF], first & (1 << 48) - 1
            same = all(row == item_row(item) for row, _, _ in self._again[name])
            what = "repeats" if same else "is that of rows which differ"
            for _, other, at in self._again[name]:
                of = "" if file == other else f" of {file}"
                self._note(other, at, "id", f"{what}; first seen at line {line}{of}", name)
            if not same:
                if not dropped:
                    self._check_files(where, name, file)
                dropped.append(first >> 80)
                self._note(file, line, "id", f"{what}; next at line {self._again[name][0][2]}", name)
        if dropped:
            self.items = self.items.without(dropped)

    def _check_files(self, where: str, name: str, file: str) -> None:
        """Ids that count anew in each file: most of those in one of them are in another."""
        for other, again in self._across().items():
            if other != file and again * 2 > self._rows[other]:
                raise AudiocontribError(
                    f"{where}: the ids of {file} begin anew in {other} ({name.partition('/')[2]!r} and {again - 1:,} "
                    "more), so they name no item: map id to -, or to a column that does, or read the files one by one",
                    argument="mapping",
                )

    def _across(self) -> Counter[str]:
        """File to the number of its ids that were seen in an earlier one."""
        files = list(self.files)
        first = {name: files[self._seen[name] >> 48 & 0xFFFF_FFFF] for name in self._again}
        return Counter(f for name, rows in self._again.items() for f in {f for _, f, _ in rows if f != first[name]})

    def _quarantine(self, row: SourceRow | BrokenRow, name: str, reason: str, item_id: str | None = None) -> None:
        self._note(row.file, row.line, name, reason, item_id)

    def _note(self, file: str, line: int, name: str, reason: str, item_id: str | None) -> None:
        self.quarantined.append(Quarantined(self.dataset, file, line, name, reason, item_id))


def _fixed(several: Sequence[Fields]) -> list[list[str]]:
    return [[repr(getattr(one, name)) for name in FIXED] for one in several]
