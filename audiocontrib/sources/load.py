"""load_items: from the name of a data set, or a file, to its items and what was quarantined."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.hashing import file_sha256
from audiocontrib.items import Items
from audiocontrib.sources.base import SOURCES, Columns, Make, Rows, Source, SourceRow
from audiocontrib.sources.columns import mapped
from audiocontrib.sources.files import READERS, manifests, read_rows, split_of
from audiocontrib.sources.hub import snapshot
from audiocontrib.sources.item_collector import ItemCollector


def load_items(
    dataset: str,
    *,
    data: str | Path | None = None,
    revision: str | None = None,
    split: str | None = None,
    audio_root: str | Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    mapping: Mapping[str, str] | None = None,
    answer_as: str = "text",
    progress: bool = False,
) -> Items:
    """The items of a data set; rows that cannot become items are in ``.quarantined``.

    Whether the clips exist is not looked at: conditions without audio need none. The items are kept as Arrow
    while they are read, so that a large set takes about the memory of its texts.

    Args:
        dataset: a name in SOURCES; or a file, a folder or a hub id (``owner/name``) of your own (source ``jsonl``).
        data: file or folder to read, in place of the hub.
        revision: of the data set on the hub, or your name for the state of your files; part of every id, unless
            it is a commit: then run.json says it alone, as it does where the newest commit was taken.
        split: only this split, where rows or files say which they belong to.
        audio_root: folder, .zip or .tar that audio paths are relative to and may not leave; by default the data's own.
        limit: stop after so many items.
        seed: for sets that are made on the spot.
        mapping: for ``jsonl``: field to column, see :func:`audiocontrib.sources.columns.mapped`.
        answer_as: for ``jsonl``: the answer column holds the option's ``text``, ``letter`` or ``index``.
        progress: show on stderr how many rows were read.

    Raises:
        UsageError: an unknown name, a wrong option, a column that is not there.
        AudiocontribError: nothing could be read, with the file and what to do.

    Example:
        >>> items = load_items("my.csv", mapping={"choices": "a,b,c,d"}, answer_as="letter")
    """
    source, named = _find(dataset, data)
    _check(source, named, limit, mapping, answer_as)
    path = named or source.home
    hub = source.hub if path is None else None
    copy = snapshot(hub, revision, source.folder) if hub else None
    place = copy.folder if copy else path
    root = _audio_root(place, audio_root)
    own = path if path or not hub else Path(hub)
    name = source.name if source.fields or own is None else _own_name(own)
    layout = f"is this in the layout of {source.name}? Read others with --dataset jsonl --map FIELD=COLUMN"
    reading = ItemCollector(
        dataset=name,
        fields=source.fields or mapped(mapping, answer_as),
        hint=layout if source.fields else "say --map {field}=COLUMN",
        revision=None if re.fullmatch("[0-9a-f]{40}", revision or "") else revision,
        split=split,
        root=root,
    )
    parts = _parts(source, place, seed, limit)
    _read(parts, reading, limit, progress)
    reading.check(str(path or hub or source.name))
    origin = {
        "name": name,
        "path": os.path.abspath(path) if path else None,
        "hub": hub,
        "revision": copy.revision if copy else revision,
        "split": split,
        "mapping": dict(mapping) if mapping else None,
        "answer_as": None if source.fields else answer_as,
        "seed": seed if source.make else None,
        "limit": limit,
        "audio_root": root,
        "left_out": dict(reading.left_out) or None,
        "sha256": {file: file_sha256(Path(file)) for file in reading.files} if path else None,
    }
    given = {key: value for key, value in origin.items() if value is not None}
    return Items(reading.items, reading.quarantined, given)


def _read(parts: Iterator[tuple[str, Rows]], reading: ItemCollector, limit: int | None, progress: bool) -> None:
    from tqdm import tqdm

    bar = tqdm(desc=f"reading {reading.dataset}", unit=" rows", disable=not progress, delay=1, mininterval=0.5)
    with bar:
        for place, rows in parts:
            for row in rows:
                reading.take(row, place)
                bar.update()
                if len(reading.items) == limit:
                    return


def _find(dataset: str, data: str | Path | None) -> tuple[Source, Path | None]:
    """The source, and the file or folder to read."""
    if dataset not in SOURCES and (Path(dataset).exists() or Path(dataset).suffix.lower() in READERS):
        if data is not None:
            raise UsageError(f"--dataset {dataset} is a file already; leave out --data, or name the data set")
        return SOURCES["jsonl"], Path(dataset)
    if dataset not in SOURCES and data is None and re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", dataset):
        return replace(SOURCES["jsonl"], hub=dataset), None
    return SOURCES.find(dataset), None if data is None else Path(data)


def _own_name(path: Path) -> str:
    """What a file, folder or hub id of the user's is called, so that two of them are told apart in one run."""
    return path.stem if path.is_file() else path.resolve().name


def _check(
    source: Source, path: Path | None, limit: int | None, mapping: Mapping[str, str] | None, answer_as: str
) -> None:
    if limit is not None and limit < 1:
        raise UsageError(f"limit {limit}: at least one item must be asked for")
    if answer_as not in ("text", "letter", "index"):
        raise UsageError(f"answer_as {answer_as!r}: it is text, letter or index")
    if source.fields and (mapping or answer_as != "text"):
        raise UsageError(f"{source.name} knows its own columns; --map and --answer-as are for jsonl")
    if path is not None and source.make:
        raise UsageError(f"{source.name} is made on the spot; it takes no --data")
    if path is None and not (source.make or source.hub or source.home):
        raise UsageError(f"{source.name} is read from a file or folder: say --data PATH")


def _audio_root(path: Path | None, audio_root: str | Path | None) -> str | None:
    if audio_root is not None:
        archive = str(audio_root).lower().endswith((".zip", ".tar")) and os.path.isfile(audio_root)
        if not archive and not os.path.isdir(audio_root):
            raise UsageError(f"--audio-root {audio_root}: there is no such folder, .zip or .tar")
        return os.path.abspath(audio_root)
    return os.path.abspath(path if path.is_dir() else path.parent) if path else None


def _parts(source: Source, path: Path | None, seed: int, limit: int | None) -> Iterator[tuple[str, Rows]]:
    """The rows, file by file, each with the split that the file's place says ("": none)."""
    if path is not None:
        inner = path / source.folder
        for file in manifests(inner if inner.is_dir() else path):
            yield split_of(file), read_rows(file)
    elif source.make:
        yield "", _made(source, source.make, seed, limit)


def _made(source: Source, make: Make, seed: int, limit: int | None) -> Rows:
    """The rows that a source makes on the spot. AudiocontribError if its code fails."""
    place = f"{source.name} (seed {seed})"
    try:
        for number, values in enumerate(make(seed, limit), start=1):
            yield SourceRow(place, number, Columns(values), uniform=True)
    except (AudiocontribError, GeneratorExit):
        raise
    except Exception as error:
        raise AudiocontribError(f"data set {place}: {code_place(error)}{one_line(error)}") from error
