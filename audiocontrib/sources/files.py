"""Rows of manifests on disk: JSON, JSON lines, CSV, Parquet, Arrow and tar files, and folders that hold them."""

from __future__ import annotations

import csv
import hashlib
import json
import lzma
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from audiocontrib.audio.arrow_check import BadArrow, check_arrow
from audiocontrib.errors import AudiocontribError
from audiocontrib.sources.archives import is_webdataset, read_tar
from audiocontrib.sources.base import BrokenRow, Columns, Rows, SourceRow
from audiocontrib.sources.columns import SPELLINGS
from audiocontrib.sources.delimiters import csv_delimiter
from audiocontrib.sources.jsonfiles import MAX_LINE, read_json, read_json_lines
from audiocontrib.sources.opening import is_packed, kind_of_file, open_text

BATCH_BYTES = 32 * 2**20
"""Of the rows of a Parquet file that are held at a time; they may carry the audio itself. Arrow holds a row group."""
SEEN = 20
"""Lines of a CSV file by which it is seen what divides its cells."""
TOO_LONG = "\0too long"
"""Stands for a line of a CSV file that is not read."""
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
        if not _is_read(path):
            raise AudiocontribError(f"{path}: a data set is read from a file of one of the kinds {known}")
        return [path]
    files = [
        file
        for file in path.rglob("*")
        if _is_read(file)
        and file.name not in DESCRIPTIONS
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
        and file.is_file()
        and (file.suffix.lower() != ".tar" or is_webdataset(file))
    ]
    if not files:
        raise AudiocontribError(f"{path}: the folder holds no file of the kinds {known}")
    return sorted(files, key=lambda file: file.relative_to(path).parts)


def read_rows(path: Path, encoding: str | None = None) -> Rows:
    """The rows of one file.

    Args:
        encoding: of a file of text; None: as it says itself, or UTF-8.

    Raises:
        AudiocontribError: the file as a whole cannot be read; a single bad row is a BrokenRow.
    """
    kind = kind_of_file(path)
    try:
        if kind not in TEXTS:
            yield from READERS[kind](path)
            return
        with open_text(path, encoding) as file:
            yield from TEXTS[kind](path, file)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise AudiocontribError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _is_read(path: Path) -> bool:
    kind = kind_of_file(path)
    return kind in TEXTS or (kind in READERS and not is_packed(path))


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


def _rows_of_batches(batches: Iterable[Any], path: Path) -> Rows:
    """Rows of Arrow record batches, numbered from 1.

    The bytes of a file within a row are handed on as a reference to the cell, ``PATH/ROW/COLUMN``, which the audio
    is read by when it is needed. Where there is no ``clip_id``, it is made of the bytes, so that rows that carry
    the same recording are known to, and ids do not depend on the order of the rows.
    """
    number, held, classes = 0, None, {}
    for batch in batches:
        if held is None:
            held, classes = _file_columns(batch.schema), _class_names(batch.schema)
        for values in batch.to_pylist():
            number += 1
            for name, names in classes.items():
                values[name] = _class_name(values[name], names)
            for name in held:
                cell = values[name]
                data = cell.get("bytes") if isinstance(cell, dict) else cell
                if data is not None:
                    values[name] = f"{path.absolute()}/{number}/{name}"
                    values.setdefault("clip_id", "sha256:" + hashlib.sha256(data).hexdigest()[:20])
            yield SourceRow(str(path), number, Columns(_without_nan(values)), uniform=True)


def _file_columns(schema: Any) -> list[str]:
    """Columns of bytes, or of ``{bytes, path}`` as datasets has it; those that audio is looked for in come first."""
    import pyarrow as pa

    def holds_bytes(kind: Any) -> bool:
        if pa.types.is_struct(kind):
            return any(part.name == "bytes" and holds_bytes(part.type) for part in kind.fields)
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    names = [column.name for column in schema if holds_bytes(column.type)]
    return sorted(names, key=lambda name: name not in SPELLINGS["audio"])


def _class_names(schema: Any) -> dict[str, list[str]]:
    """The columns that are ClassLabel for the library datasets: a number there stands for a name."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        kinds = {name: feature.get("feature", feature) for name, feature in features.items()}
        return {
            name: kind["names"]
            for name, kind in kinds.items()
            if kind.get("_type") == "ClassLabel" and name in schema.names
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _class_name(cell: Any, names: list[str]) -> Any:
    """None for a number that is no class, as -1 is."""
    if isinstance(cell, list):
        return [_class_name(one, names) for one in cell]
    if not isinstance(cell, int):
        return cell
    return names[cell] if 0 <= cell < len(names) else None


def _read_csv(path: Path, raw: BinaryIO) -> Rows:
    with TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
        csv.field_size_limit(MAX_LINE)  # of the process; the 131,072 that it is by itself are too few for a question
        reader: Any = None
        try:
            lines = _bounded(file)
            first = list(islice(lines, SEEN))
            delimiter, said = csv_delimiter(path, first)
            reader = csv.reader(chain(first[said:], lines), delimiter=delimiter, strict=True)
            header: list[str] = next(filter(None, reader), [])
            twice = {name for name in header if header.count(name) > 1}
            if twice:
                raise AudiocontribError(f"{path}:1: two columns are called {min(twice)!r}; rename one")
            while True:
                line = reader.line_num + 1 + said
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield BrokenRow(str(path), line, "csv", str(error))
                    continue
                if len(cells) == len(header):
                    yield SourceRow(str(path), line, Columns(zip(header, cells, strict=True)), uniform=True)
                elif cells:
                    counted = f"the row has {len(cells)} values, the header {len(header)}"
                    reason = f"the line has more than {MAX_LINE:,} characters" if TOO_LONG in cells else counted
                    yield BrokenRow(str(path), line, "csv", reason)
        except UnicodeDecodeError as error:
            after = f" after line {reader.line_num}" if reader else ""
            raise AudiocontribError(
                f"{path}: not UTF-8{after}; save it so, or say its encoding (latin-1, cp1252, …)", argument="encoding"
            ) from error


def _bounded(file: TextIOWrapper) -> Iterator[str]:
    """The lines of a file; TOO_LONG in place of those that would fill the memory."""
    while line := file.readline(MAX_LINE):
        if len(line) < MAX_LINE or line[-1] in "\r\n":
            yield line
            continue
        while (rest := file.readline(MAX_LINE)) and rest[-1] not in "\r\n":
            pass
        yield TOO_LONG + "\n"


def _read_parquet(path: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path.absolute(), pre_buffer=False) as file:  # else all row groups stay in memory
            groups = [file.metadata.row_group(n) for n in range(file.metadata.num_row_groups)]
            row = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=1)
            rows = min(max(1, BATCH_BYTES // max(1, row)), 4096)
            yield from _rows_of_batches(file.iter_batches(batch_size=rows), path)
    except pa.ArrowException as error:
        raise AudiocontribError(f"{path}: not a readable Parquet file: {error}") from error


def _read_arrow(path: Path) -> Rows:
    """A part of a folder written by ``datasets.Dataset.save_to_disk``: an Arrow IPC stream."""
    import pyarrow as pa

    with path.open("rb") as raw:
        if raw.read(6) == b"ARROW1":
            raise AudiocontribError(
                f"{path}: is an Arrow file (Feather), of which only streams are read: save it as Parquet"
            )
    try:
        check_arrow(path)
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            yield from _rows_of_batches(stream, path)
    except (pa.ArrowException, BadArrow) as error:
        raise AudiocontribError(f"{path}: not a readable Arrow stream: {error}") from error


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Not-a-number is how tables of floats write an empty cell; JSON has no word for it."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in values.items()}


TEXTS: dict[str, Callable[[Path, BinaryIO], Rows]] = {
    ".jsonl": read_json_lines,
    ".json": read_json,
    ".csv": _read_csv,
    ".tsv": _read_csv,
}
"""Suffix of a file of text, which may be compressed too, to its reader."""
READERS: dict[str, Callable[..., Rows]] = {
    **TEXTS,
    ".parquet": _read_parquet,
    ".arrow": _read_arrow,
    ".tar": read_tar,
}
"""File suffix to reader."""
