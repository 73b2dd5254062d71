"""Item: one multiple-choice question about one recording; how it is identified, validated and stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from audiocontrib.errors import BadItem

MIN_CHOICES, MAX_CHOICES = 2, 26  # one letter each
ROWS_AT_ONCE = 4096
"""Items that are turned into Arrow, or out of it, together."""
COLLAPSED = "identical choices collapsed"
"""How the note begins; ``extra["published_choices"]`` then has the row's own list."""

ITEM_SCHEMA = pa.schema(
    [
        ("item_id", pa.string()),
        ("dataset", pa.string()),
        ("question", pa.string()),
        ("choices", pa.list_(pa.string())),
        ("answer", pa.int16()),
        ("audio", pa.struct([("path", pa.string()), ("bytes", pa.binary())])),
        ("clip_id", pa.string()),
        ("question_type", pa.string()),
        ("source_dataset", pa.string()),
        ("split", pa.string()),
        ("notes", pa.list_(pa.string())),
        ("extra", pa.string()),  # JSON object
    ]
)

QUARANTINE_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("item_id", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("field", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Clip:
    """Where the samples of a recording are: a file within ``root``, or its encoded bytes."""

    path: str | None = None
    """Path as the data set gives it, in its shortest form, relative to ``root``; may not leave ``root``."""
    root: str | None = None
    """Folder the path is relative to; None when only the bytes are used."""
    data: bytes | None = field(default=None, repr=False)
    """The encoded file itself (WAV, FLAC, MP3, …), where the data set carries it inside a row."""

    def __str__(self) -> str:
        return self.path or f"{len(self.data or b'')} bytes of audio"


@dataclass(frozen=True, slots=True)
class Item:
    """One question about one clip. Made by :func:`make_item`, which validates it."""

    id: str
    """Data set (with revision, where pinned) and the source's own id: ``mmau/3fe64f3d-…``."""
    dataset: str
    question: str
    choices: tuple[str, ...]
    """2 to 26 distinct options, in the source's order; every stored choice is an index into it."""
    answer: int | None
    """Index of the gold option. None only where the publisher keeps the key (asked, never scored)."""
    audio: Clip | None
    clip_id: str
    """Items on one recording share it: the cluster of every interval."""
    question_type: str = ""
    source_dataset: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()
    """What was seen and done when the row was read, e.g. that identical choices were collapsed."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The source's other fields, kept as they were."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that did not become an item, or an item whose clip cannot be heard, with the reason."""

    dataset: str
    file: str
    line: int | None
    field: str
    reason: str
    item_id: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        name = f" ({self.item_id})" if self.item_id else ""
        return f"{where}: {self.field}: {self.reason}{name}"


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

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return tuple(self._made(self.table.slice(start, max(0, stop - start))))
            return tuple(self[place] for place in range(start, stop, step))
        place = range(len(self))[index]  # IndexError, and places from the end
        return next(self._made(self.table.slice(place, 1)))

    def take(self, places: Sequence[int]) -> Iterator[Item]:
        """The items at these places, in this order."""
        return self._made(self.table.take(pa.array(places, pa.int64())))

    def _made(self, table: pa.Table) -> Iterator[Item]:
        for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
            for row in batch.to_pylist():
                yield item_from_row(row, self._root)

    def _pack(self) -> None:
        if self._new:
            self._batches.append(pa.RecordBatch.from_pylist(self._new, schema=ITEM_SCHEMA))
            self._new = []


class Items(Sequence[Item]):
    """The items of a data set, what was quarantined beside them, and where they came from."""

    def __init__(
        self,
        items: Iterable[Item],
        quarantined: Iterable[Quarantined] = (),
        origin: Mapping[str, Any] | None = None,
    ) -> None:
        self._items = items if isinstance(items, ItemTable) else tuple(items)
        self.quarantined = tuple(quarantined)
        self.origin: dict[str, Any] = dict(origin or {})
        """What was read: name, path or hub id, revision, options. JSON values; goes into run.json."""

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __getitem__(self, index: Any) -> Any:
        return self._items[index]

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


def item_row(item: Item) -> dict[str, Any]:
    """An item as a row of ITEM_SCHEMA. Bytes are kept only where there is no file to point to."""
    clip = item.audio
    audio = None if clip is None else {"path": clip.path, "bytes": clip.data if clip.root is None else None}
    return {
        "item_id": item.id,
        "dataset": item.dataset,
        "question": item.question,
        "choices": list(item.choices),
        "answer": item.answer,
        "audio": audio,
        "clip_id": item.clip_id,
        "question_type": item.question_type,
        "source_dataset": item.source_dataset,
        "split": item.split,
        "notes": list(item.notes),
        "extra": json.dumps(dict(item.extra), ensure_ascii=False, sort_keys=True, default=str),
    }


def item_from_row(row: Mapping[str, Any], root: str | None = None) -> Item:
    """The inverse of :func:`item_row`; ``root`` is the audio root recorded in run.json."""
    audio = row["audio"]
    if audio is not None:
        audio = Clip(path=audio["path"], root=None if audio["bytes"] else root, data=audio["bytes"])
    return Item(
        id=row["item_id"],
        dataset=row["dataset"],
        question=row["question"],
        choices=tuple(row["choices"]),
        answer=row["answer"],
        audio=audio,
        clip_id=row["clip_id"],
        question_type=row["question_type"],
        source_dataset=row["source_dataset"],
        split=row["split"],
        notes=tuple(row["notes"]),
        extra=json.loads(row["extra"]),
    )


def make_item(
    *,
    dataset: str,
    own_id: str | None,
    question: Any,
    choices: Any,
    answer: Any,
    audio: Clip | None,
    revision: str | None = None,
    answer_as: str = "text",
    has_key: bool = True,
    clip_id: str | None = None,
    question_type: Any = "",
    source_dataset: Any = "",
    split: Any = "",
    extra: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Item:
    """A validated Item. Nothing is repaired silently: identical choices are collapsed and noted.

    Args:
        own_id: the source's own id; None makes an id from a hash of the content (never a row number).
        answer: the gold option: its text, its 0-based index, or its letter, as ``answer_as`` says
            (``text``, ``index``, ``letter``).
        has_key: False for sets whose publisher keeps the answers; then ``answer`` must be None.
        notes: what the source saw and did; what is seen here is added.

    Raises:
        BadItem: with the field and the reason, when the row cannot be asked or scored.
    """
    if not isinstance(question, str) or not question.strip():
        raise BadItem("question", "is empty")
    listed = _check_choices(choices)
    gold = _resolve_answer(answer, listed, answer_as) if has_key else None
    distinct = tuple(dict.fromkeys(listed))
    seen, kept = list(notes), dict(extra or {})
    if len(distinct) < len(listed):
        twice = sorted({c for c in listed if listed.count(c) > 1})
        seen.append(f"{COLLAPSED}: {', '.join(map(repr, twice))}")
        kept.setdefault("published_choices", listed)
        if len(distinct) < MIN_CHOICES:
            raise BadItem("choices", f"all {len(listed)} are {listed[0]!r}; two different ones are needed")
    if len(distinct) > MAX_CHOICES:
        raise BadItem("choices", f"there are {len(distinct)}; at most {MAX_CHOICES} can be asked")
    clip_name = clip_id or _clip_name(audio)
    own = own_id or "sha256:" + _digest([question, *distinct, str(gold), clip_name or ""])
    item_id = qualified_id(dataset, revision, own)
    return Item(
        id=item_id,
        dataset=dataset,
        question=question,
        choices=distinct,
        answer=None if gold is None else distinct.index(gold),
        audio=audio,
        clip_id=clip_name or item_id,
        question_type=str(question_type or ""),
        source_dataset=str(source_dataset or ""),
        split=str(split or ""),
        notes=tuple(seen),
        extra=kept,
    )


def qualified_id(dataset: str, revision: str | None, own_id: str) -> str:
    """An item's id in full: the data set, its revision where it is pinned, and the source's own id."""
    return f"{dataset}@{revision}/{own_id}" if revision else f"{dataset}/{own_id}"


def _clip_name(audio: Clip | None) -> str | None:
    # the path beside embedded bytes is often the same for every row (audio.wav): the bytes tell clips apart
    if audio is not None and audio.data is not None:
        return "sha256:" + hashlib.sha256(audio.data).hexdigest()[:20]
    return audio.path if audio else None


def _check_choices(choices: Any) -> list[str]:
    if isinstance(choices, str) or not isinstance(choices, Sequence):
        raise BadItem("choices", f"is a {type(choices).__name__}, not a list of options")
    for place, choice in enumerate(choices, start=1):
        if not isinstance(choice, str):
            raise BadItem("choices", f"option {place} is {choice!r}, not a text")
        if not choice.strip():
            raise BadItem("choices", f"option {place} is empty")
    if len(choices) < MIN_CHOICES:
        raise BadItem("choices", f"there are {len(choices)}; at least {MIN_CHOICES} are needed")
    return list(choices)


def _resolve_answer(answer: Any, choices: Sequence[str], answer_as: str) -> str:
    """The gold option's text, which is one of ``choices``, or BadItem."""
    if answer is None or answer == "":
        raise BadItem("answer", "is empty")
    if answer_as == "text":
        if answer not in choices:
            raise BadItem("answer", f"{answer!r} is not one of the choices {list(choices)!r}")
        return str(answer)
    if answer_as == "letter":
        letter = str(answer).strip().strip("().").upper()
        index = ord(letter) - ord("A") if len(letter) == 1 else -1
    elif answer_as == "index":
        index = _whole_number(answer)
    else:
        raise ValueError(f"answer_as is {answer_as!r}; it is text, index or letter")
    if not 0 <= index < len(choices):
        raise BadItem("answer", f"{answer_as} {answer!r} is outside the {len(choices)} choices")
    return choices[index]


def _whole_number(answer: Any) -> int:
    """An index as JSON, CSV or a float column gives it: 1, "1" or 1.0, but neither 1.5 nor True."""
    try:
        index = int(answer)
    except (TypeError, ValueError, OverflowError):
        index = None
    if index is None or isinstance(answer, bool) or (isinstance(answer, float) and answer != index):
        raise BadItem("answer", f"{answer!r} is not an index")
    return index


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:20]
