"""What a data set is: a Source, filed by name; and what one of its rows says: Fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.registry import Registry


class NoColumn(BadItem):
    """A row without a column that is needed, or with two that could be meant."""


class LeftOut(BadItem):
    """A good row of the data set that is no multiple-choice question about one clip.

    It is neither an item nor quarantined: it is counted under its reason, which is therefore the same text
    for all rows of a kind.
    """


class Columns(dict[str, Any]):
    """A row: column name to value. ``row[name]`` raises NoColumn for a missing one; ``row.get`` does not."""

    file = ""
    """The file that it was read from; set while a data set is read."""

    def __missing__(self, name: str) -> Any:
        """Raise NoColumn."""
        raise NoColumn(name, f"there is no column {name!r}; {columns_there(self)}")


def columns_there(names: Iterable[str]) -> str:
    """Which columns there are, in words."""
    return f"there are: {', '.join(names)}" if names else "there are no columns at all"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One readable row of a manifest."""

    file: str
    """For messages: the file's path, or the hub's id."""
    line: int
    """Line where the row begins in a text file; number of the row from 1 in Parquet, Arrow and hub sets."""
    values: Columns
    uniform: bool = False
    """Whether every row of the file has these very columns, so that a missing one is the file's fault."""


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row that cannot be read; the rest of its file can."""

    file: str
    line: int
    field: str
    reason: str


Rows = Iterator[SourceRow | BrokenRow]
"""What a reader gives: it goes on after a row that it cannot read."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What a row supplies for an Item; :func:`audiocontrib.items.make_item` checks it."""

    question: Any
    choices: Any
    answer: Any
    audio: Any
    """A path relative to the audio root, ``bytes``, or ``{"path", "bytes"}``; None: the set has no audio."""
    start: float | None = None
    """Seconds into the recording at which the clip begins; with ``end``: None where all of it is meant."""
    end: float | None = None
    own_id: str | None = None
    """The source's own id, unique in the data set; None: a hash of the content is taken."""
    clip_id: str | None = None
    """Name of the recording; None: the path, or a hash of the bytes."""
    question_type: Any = ""
    source_dataset: Any = ""
    split: Any = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """All other columns, under their own names."""
    answer_as: str = "text"
    """What ``answer`` is: the option's ``text``, ``letter``, ``index`` from 0, or ``number`` from 1."""
    labels: Sequence[str] = ()
    """Of the choices, where the row gives them labels of its own."""
    has_key: bool = True
    """False where the publisher keeps the answers."""
    notes: Sequence[str] = ()
    """What the source saw and did, beside what :func:`audiocontrib.items.make_item` notes."""


Make = Callable[[int, int | None], Iterable[Mapping[str, Any]]]
"""From seed and limit to rows."""


@dataclass(frozen=True, slots=True)
class Source:
    """A data set that is known by name."""

    name: str
    about: str
    """One line for ``audiocontrib datasets``."""
    fields: Callable[[Columns], Fields | Sequence[Fields]] | None = None
    """What a row says; several Fields where it holds several questions. It raises BadItem for a bad row. None: the
    user's column mapping decides."""
    hub: str | None = None
    """Where it is published, ``owner/name`` for ``datasets.load_dataset``; None: only files are read."""
    folder: str = ""
    """Subfolder that holds the manifests, in a local folder that has it; the audio root stays above it."""
    make: Make | None = None
    """``make(seed, limit)``: rows made on the spot, where no files are needed. ``limit`` may be ignored."""
    home: Path | None = None
    """The manifest, where it comes with the package, clips beside it; read where no other is named."""


SOURCES: Registry[Source] = Registry("data set")
NAME = re.compile(r"[A-Za-z0-9][\w-]*")


def register_source(source: Source) -> Source:
    """File a source under its name. UsageError if it is taken, or reads as a file or a hub id."""
    if not (isinstance(source, Source) and isinstance(source.name, str) and NAME.fullmatch(source.name)):
        named = getattr(source, "name", source)
        raise UsageError(f"a data set needs a name of letters, digits, - and _; this is {named!r}")
    if not (source.fields or source.make or source.name == "jsonl"):
        raise UsageError(f"data set {source.name}: say in fields what its rows mean")
    return SOURCES.register(source.name)(source)


def item_text(value: Any) -> str | None:
    """An id or name as text; None where the cell is empty. The number 0 is a name like any other."""
    return None if value is None or value == "" else str(value)
