"""Rows of manifests on disk: JSON, JSON lines, CSV, Parquet and Arrow files, and folders that hold them."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError
from audiocontrib.sources.base import BrokenRow, Columns, Row, Rows
from audiocontrib.sources.jsonfiles import read_json, read_json_lines

BATCH = 64
"""Rows of a Parquet file that are held at a time; they may carry the audio itself."""
DESCRIPTIONS = {"dataset_dict.json", "dataset_info.json", "dataset_infos.json", "state.json"}
"""What the library datasets writes beside the data."""


def manifests(path: Path) -> list[Path]:
    """The files to read: the file itself, or all in a folder and its subfolders, in the order of their paths.

    Raises:
        AudiocontribError: nothing is there, or nothing that can be read.
    """
    known = ", ".join(READERS)
    if not path.exists():
        raise AudiocontribError(f"{path}: there is no such file or folder")
    if path.is_file():
        if path.suffix.lower() not in READERS:
            raise AudiocontribError(f"{path}: a data set is read from a file of one of the kinds {known}")
        return [path]
    files = [
        file
        for file in path.rglob("*")
        if file.suffix.lower() in READERS
        and file.name not in DESCRIPTIONS
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
    ]
    if not files:
        raise AudiocontribError(f"{path}: the folder holds no file of the kinds {known}")
    return sorted(files, key=lambda file: file.relative_to(path).parts)


def read_rows(path: Path) -> Rows:
    """The rows of one file.

    Raises:
        AudiocontribError: the file as a whole cannot be read; a single bad row is a BrokenRow.
    """
    try:
        yield from READERS[path.suffix.lower()](path)
    except OSError as error:
        raise AudiocontribError(f"{path}: cannot be read: {error.strerror or error}") from error


def split_of(path: Path) -> str:
    """The split that a file's place or name says, as the library datasets names them; "" if neither does.

    Example:
        >>> split_of(Path("data/test-00000-of-00002.parquet"))
        'test'
    """
    if (path.parent.parent / "dataset_dict.json").is_file():
        return path.parent.name
    shard = re.fullmatch(r"(\w[\w.]*?)-\d{5}-of-\d{5}(-\w+)?", path.stem)
    return shard.group(1) if shard and path.suffix != ".arrow" else ""


def rows_of_batches(batches: Iterable[Any], name: str) -> Rows:
    """Rows of Arrow record batches, numbered from 1."""
    number = 0
    for batch in batches:
        for values in batch.to_pylist():
            number += 1
            yield Row(name, number, Columns(_without_nan(values)), uniform=True)


def _read_csv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
        try:
            header = next(reader, [])
            twice = {name for name in header if header.count(name) > 1}
            if twice:
                raise AudiocontribError(f"{path}:1: two columns are called {min(twice)!r}; rename one")
            while True:
                line = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield BrokenRow(str(path), line, "csv", str(error))
                    continue
                if len(cells) == len(header):
                    yield Row(str(path), line, Columns(zip(header, cells, strict=True)), uniform=True)
                elif cells:
                    reason = f"the row has {len(cells)} values, the header {len(header)}"
                    yield BrokenRow(str(path), line, "csv", reason)
        except UnicodeDecodeError as error:
            raise AudiocontribError(f"{path}: not UTF-8 after line {reader.line_num}; save it so") from error


def _read_parquet(path: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield from rows_of_batches(file.iter_batches(batch_size=BATCH), str(path))
    except pa.ArrowException as error:
        raise AudiocontribError(f"{path}: not a readable Parquet file: {error}") from error


def _read_arrow(path: Path) -> Rows:
    """A part of a folder written by ``datasets.Dataset.save_to_disk``: an Arrow IPC stream."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            yield from rows_of_batches(stream, str(path))
    except pa.ArrowException as error:
        raise AudiocontribError(f"{path}: not a readable Arrow stream: {error}") from error


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Not-a-number is how tables of floats write an empty cell; JSON has no word for it."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


READERS: dict[str, Callable[[Path], Rows]] = {
    ".jsonl": read_json_lines,
    ".json": read_json,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".arrow": _read_arrow,
}
"""File suffix to reader."""
