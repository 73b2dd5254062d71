"""load_items: from the name of a data set, or a file, to its items and what was quarantined."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from audiocontrib.checked import whole_number
from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line, visible
from audiocontrib.hashing import file_sha256
from audiocontrib.items import Items
from audiocontrib.registry import is_others
from audiocontrib.sources.base import SOURCES, Columns, Make, Rows, Source, SourceRow
from audiocontrib.sources.columns import mapped
from audiocontrib.sources.files import READERS, manifests, read_rows, split_of
from audiocontrib.sources.hub import snapshot
from audiocontrib.sources.item_collector import TRIED, ItemCollector
from audiocontrib.sources.mappings import check_answer_as, joined_mapping
from audiocontrib.sources.opening import check_encoding, is_packed, kind_of_file
from audiocontrib.sources.tables import NAME, Table, read_table, table_fields

MOST_MADE = 10_000_000
"""Questions that are made on the spot at most: each takes its time."""


def load_items(
    dataset: str | os.PathLike[str] | Table,
    *,
    data: str | Path | None = None,
    revision: str | None = None,
    split: str | None = None,
    audio_root: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    mapping: Mapping[str, str | Sequence[str]] | None = None,
    answer_as: str = "text",
    name: str | None = None,
    encoding: str | None = None,
    progress: bool = False,
) -> Items:
    """The items of a data set; rows that cannot become items are in ``.quarantined``, each with its number and reason.

    Whether the clips exist is not looked at: conditions without audio need none. The items are kept as Arrow
    while they are read, so that a large set takes about the memory of its texts.

    Args:
        dataset: a name in SOURCES; or a file, a folder or a hub id (``owner/name``) of your own (source ``jsonl``);
            or rows in memory: a pandas DataFrame, a ``datasets.Dataset`` (a DatasetDict, a streaming one), an Arrow
            table, a list of dictionaries. Their audio is a path, the bytes of a file, or
            ``{"array": samples, "sampling_rate": hertz}``; see :func:`audiocontrib.sources.tables.read_table`.
        data: file or folder to read, in place of the hub.
        revision: of the data set on the hub, or your name for the state of your files; part of every id, unless
            it is a commit: then run.json says it alone, as it does where the newest commit was taken.
        split: only this split, where rows or files say which they belong to.
        audio_root: folder, .zip or .tar that audio paths are relative to and may not leave; by default the
            data's own; of rows in memory, the working directory.
        limit: stop after so many items.
        seed: for sets that are made on the spot.
        mapping: for data of your own: field to column, see :func:`audiocontrib.sources.columns.mapped`.
        answer_as: for data of your own: the answer column holds the option's ``text``, its ``letter``, its ``index``
            from 0 or its ``number`` from 1.
        name: of data of your own, part of every id; by default that of the file, or ``rows``.
        encoding: what files of text are written in; by default as their first bytes say, or UTF-8.
        progress: show on stderr how many rows were read.

    Raises:
        UsageError: an unknown name, a wrong option, a column that is not there.
        AudiocontribError: nothing could be read, with the file and what to do.

    Example:
        >>> items = load_items("my.csv", mapping={"choices": "a,b,c,d"}, answer_as="letter")
        >>> items = load_items(frame, mapping={"audio": "file"}, audio_root="/data/clips", name="mine")
    """
    columns = joined_mapping(mapping)
    check_encoding(encoding)
    if not isinstance(dataset, str | os.PathLike):
        if data is not None:
            raise UsageError("rows in memory are read as they are: leave out data")
        if name is not None and not (isinstance(name, str) and name.strip()):
            raise UsageError(f"name is {name!r:.80}, but is a text that is not blank")
        return _load_rows(dataset, name or NAME, revision, split, audio_root, limit, columns, answer_as, progress)
    return _load_source(
        os.fspath(dataset), data, revision, split, audio_root, limit, seed, columns, answer_as, name, encoding, progress
    )


def _load_source(
    dataset: str,
    data: str | Path | None,
    revision: str | None,
    split: str | None,
    audio_root: str | Path | None,
    limit: int | None,
    seed: int,
    columns: dict[str, str],
    answer_as: str,
    name: str | None,
    encoding: str | None,
    progress: bool,
) -> Items:
    """The items of a source, a file, a folder or a hub id."""
    source, named = _find(dataset, data)
    _check(source, named, limit, columns, answer_as, name, seed, revision)
    path = named or source.home
    hub = source.hub if path is None else None
    copy = snapshot(hub, revision, source.folder) if hub else None
    place = copy.folder if copy else path
    root = _audio_root(place, audio_root)
    own = path if path or not hub else Path(hub)
    name = source.name if source.fields or own is None else name or _own_name(own)
    layout = f"is this in the layout of {source.name}? Others are read as jsonl, with a mapping of fields to columns"
    reading = ItemCollector(
        dataset=name,
        fields=source.fields or mapped(columns, answer_as),
        hint=layout if source.fields else "say which column it is: {field}=COLUMN",
        revision=None if re.fullmatch("[0-9a-f]{40}", revision or "") else revision,
        split=split,
        root=root,
    )
    parts = _parts(source, place, seed, limit, encoding)
    _read(parts, reading, limit, progress)
    reading.check(str(path or hub or source.name))
    origin = {
        "name": name,
        "path": os.path.abspath(path) if path else None,
        "hub": hub,
        "revision": copy.revision if copy else revision,
        "split": split,
        "mapping": columns or None,
        "answer_as": None if source.fields else answer_as,
        "seed": seed if source.make else None,
        "encoding": encoding,
        "limit": limit,
        "audio_root": root,
        "left_out": dict(reading.left_out) or None,
        "sha256": {file: file_sha256(Path(file)) for file in reading.files} if path else None,
    }
    return _collected(reading, origin)


def _load_rows(
    rows: Any,
    name: str,
    revision: str | None,
    split: str | None,
    audio_root: str | Path | None,
    limit: int | None,
    mapping: dict[str, str],
    answer_as: str,
    progress: bool,
) -> Items:
    """The same for rows in memory."""
    _check_own(limit, answer_as)
    table = read_table(rows, name)
    root = _audio_root(Path.cwd(), audio_root)
    reading = ItemCollector(
        dataset=name,
        fields=table_fields(mapped(mapping, answer_as)),
        hint="say mapping={{'{field}': COLUMN}}",
        revision=revision,
        split=split,
        root=root,
    )
    _read(iter(table.parts.items()), reading, limit, progress)
    reading.check(name)
    origin = {
        "name": name,
        "given": table.kind,
        "revision": revision,
        "split": split,
        "mapping": mapping or None,
        "answer_as": answer_as,
        "limit": limit,
        "audio_root": root,
    }
    return _collected(reading, origin)


def _collected(reading: ItemCollector, origin: Mapping[str, Any]) -> Items:
    given = {key: value for key, value in origin.items() if value is not None}
    return Items(reading.items, reading.quarantined, given)


def _read(parts: Iterator[tuple[str, Rows]], reading: ItemCollector, limit: int | None, progress: bool) -> None:
    from tqdm import tqdm

    bar = tqdm(desc=visible(f"reading {reading.dataset}"), unit=" rows", disable=not progress, delay=1, mininterval=0.5)
    with bar:
        for place, rows in parts:
            for row in rows:
                reading.take(row, place)
                bar.update()
                if len(reading.items) == limit:
                    return


def _find(dataset: str, data: str | Path | None) -> tuple[Source, Path | None]:
    """The source, and the file or folder to read."""
    if dataset not in SOURCES and (Path(dataset).exists() or kind_of_file(Path(dataset)) in READERS):
        if data is not None:
            raise UsageError(
                f"{dataset} is a file already; leave out the data beside it, or name the data set", argument="data"
            )
        return SOURCES["jsonl"], Path(dataset)
    if dataset not in SOURCES and data is None and re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", dataset):
        return replace(SOURCES["jsonl"], hub=dataset), None
    return SOURCES.find(dataset), None if data is None else Path(data)


def _own_name(path: Path) -> str:
    """What a file, folder or hub id of the user's is called, so that two of them are told apart in one run."""
    if not path.is_file():
        return path.resolve().name
    return Path(path.stem).stem if is_packed(path) else path.stem


def _check_own(limit: Any, answer_as: Any) -> None:
    if limit is not None:
        whole_number(limit, "limit", least=1)
    check_answer_as(answer_as)


def _check(
    source: Source, path: Path | None, limit: int | None, mapping: Mapping[str, str], answer_as: str,
    name: str | None, seed: int, revision: str | None,
) -> None:  # fmt: skip
    _check_own(limit, answer_as)
    whole_number(seed, "seed")
    if limit is not None and source.make:
        whole_number(limit, "limit", least=1, most=MOST_MADE)
    if source.fields and name is not None:
        raise UsageError(f"{source.name} has its own name; leave name out")
    if source.fields and (mapping or answer_as != "text"):
        raise UsageError(f"{source.name} knows its own columns; a mapping, and how answers are given, are for jsonl")
    if source.make and (path is not None or revision is not None):
        word = "data" if path is not None else "revision"
        raise UsageError(f"{source.name} is made on the spot; it takes no {word}", argument=word)
    if path is None and not (source.make or source.hub or source.home):
        raise UsageError(f"{source.name} is read from a file or folder: say which", argument="data")


def _audio_root(path: Path | None, audio_root: str | Path | None) -> str | None:
    if audio_root is not None:
        archive = str(audio_root).lower().endswith((".zip", ".tar")) and os.path.isfile(audio_root)
        if not archive and not os.path.isdir(audio_root):
            raise UsageError(f"{audio_root}: there is no such folder, .zip or .tar of audio", argument="audio_root")
        return os.path.abspath(audio_root)
    return os.path.abspath(path if path.is_dir() else path.parent) if path else None


def _parts(
    source: Source, path: Path | None, seed: int, limit: int | None, encoding: str | None
) -> Iterator[tuple[str, Rows]]:
    """The rows, file by file, each with the split that the file's place says ("": none)."""
    if path is not None:
        inner = path / source.folder
        for file in manifests(inner if inner.is_dir() else path):
            yield split_of(file), read_rows(file, encoding)
    elif source.make:
        yield "", _made(source, source.make, seed, limit)


def _first(make: Make, seed: int, limit: int | None) -> list[str]:
    """The first rows that a source makes, in words."""
    return [repr(dict(values)) for values in islice(make(seed, limit), TRIED)]


def _made(source: Source, make: Make, seed: int, limit: int | None) -> Rows:
    """The rows that a source makes on the spot. AudiocontribError if its code fails."""
    place = f"{source.name} (seed {seed})"
    try:
        if is_others(make) and (first := _first(make, seed, limit)) != _first(make, seed, limit):
            raise AudiocontribError(
                f"data set {place}: it makes other rows each time with the same seed, e.g. {first!r:.60}"
            )
        for number, values in enumerate(make(seed, limit), start=1):
            yield SourceRow(place, number, Columns(values), uniform=True)
    except (AudiocontribError, GeneratorExit):
        raise
    except Exception as error:
        raise AudiocontribError(f"data set {place}: {code_place(error)}{one_line(error)}") from error
