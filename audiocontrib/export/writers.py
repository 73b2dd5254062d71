"""Rows to a file, a few at a time: JSON lines, Parquet, or a folder of Hugging Face `datasets`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.store.files import COMPRESSION

Row = Mapping[str, Any]
AT_ONCE = 1000
"""Rows of one group of a Parquet file."""


def write_rows(path: Path, rows: Iterable[Row], like: Row) -> None:
    """Write rows; the ending of ``path`` says how.

    Args:
        like: a row in which nothing is null, from which the types of a table are taken.

    Raises:
        OSError: the disk is full, or the like.
    """
    WRITERS[path.suffix](path, rows, like)


def _lines(path: Path, rows: Iterable[Row], like: Row) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _parquet(path: Path, rows: Iterable[Row], like: Row) -> None:
    schema = pa.Table.from_pylist([like]).schema
    with path.open("xb") as file:
        with pq.ParquetWriter(file, schema, compression=COMPRESSION) as writer:
            for some in _batches(rows):
                writer.write_table(pa.Table.from_pylist(some, schema=schema))
        file.flush()
        os.fsync(file.fileno())


def _datasets(path: Path, rows: Iterable[Row], like: Row) -> None:
    from datasets import Audio, Dataset, Features
    from datasets.arrow_writer import ArrowWriter

    rest = {name: value for name, value in like.items() if name != "audio"}
    features = Features(Features.from_arrow_schema(pa.Table.from_pylist([rest]).schema) | {"audio": Audio()})
    # not from_generator: it would leave a second copy in the user's cache
    whole = path.with_name(f"{path.name}.arrow")
    with ArrowWriter(features=features, path=str(whole), writer_batch_size=100) as writer:
        for row in rows:
            writer.write(dict(row))
        writer.finalize()
    with _no_bars():
        Dataset.from_file(str(whole)).save_to_disk(path)
    whole.unlink()


@contextmanager
def _no_bars() -> Iterator[None]:
    """Without the bars of `datasets`: there is one already."""
    import datasets

    shown = not datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            datasets.enable_progress_bars()


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    left = iter(rows)
    while some := list(islice(left, AT_ONCE)):
        yield some


WRITERS: dict[str, Callable[[Path, Iterable[Row], Row], None]] = {
    ".jsonl": _lines,
    ".parquet": _parquet,
    "": _datasets,
}
"""Ending of a file's name -> function of its path, the rows, and a row without nulls."""
