"""Rows that are in memory already: DataFrames, Arrow tables, data sets of the library datasets, lists of dicts."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.items import Item, Items, json_values
from audiocontrib.sources.base import BrokenRow, Columns, Fields, Rows, SourceRow

NAME = "rows"
"""What such data are called in the ids of their items, where nothing else is said."""

LARGEST = 1000
"""Values of the largest array that is kept in ``extra``."""


class ArrowTable(Protocol):
    """What can be an Arrow table: those of pyarrow and polars, a DataFrame of pandas."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The Arrow PyCapsule interface."""


Table: TypeAlias = ArrowTable | Iterable[Mapping[str, Any]] | Mapping[str, Iterable[Mapping[str, Any]]]
"""Rows in memory: see :func:`read_table`."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """What can be read of a value in memory."""

    kind: str
    """Name of its type, for run.json."""
    parts: Mapping[str, Rows]
    """Rows by split; the name is empty where there are none."""


def read_table(data: Any, name: str) -> TableRows:
    """The rows of a value, numbered from 1; they are read as they are taken.

    Args:
        data: a pandas DataFrame; a Dataset, DatasetDict or streaming data set of ``datasets``; an Arrow table, or
            what can be one (polars); a list, or any other iterable, of dictionaries.
        name: what the data are called in messages.

    Raises:
        UsageError: it is none of these.
    """
    kind = type(data).__name__
    if isinstance(data, Items | Item):
        raise UsageError(f"this is an {kind} already: it can be scored as it is")
    if isinstance(data, Mapping) and data and all(_is_dataset(part) for part in data.values()):
        return TableRows(kind, {str(split): _of_dataset(part, f"{name}[{split}]") for split, part in data.items()})
    if isinstance(data, Mapping | str | bytes):
        raise UsageError(f"a {kind} holds no rows: give a list with a dictionary for each row, or a DataFrame")
    if _is_dataset(data):
        return TableRows(kind, {"": _of_dataset(data, name)})
    if _is_frame(data):
        return TableRows(kind, {"": _of_frame(data, name)})
    if hasattr(data, "__arrow_c_stream__"):
        return TableRows(kind, {"": _of_arrow(data, name)})
    if isinstance(data, Iterable):
        return TableRows(kind, {"": _of_mappings(data, name)})
    raise UsageError(f"{data!r} holds no rows: give the name of a data set, a file, a table or a list of dictionaries")


def table_fields(fields: Callable[[Columns], Fields]) -> Callable[[Columns], Fields]:
    """The same, where the columns that are not used may hold images, vectors or more audio: these are only named."""

    def small(row: Columns) -> Fields:
        found = fields(row)
        return replace(found, extra={name: _small(cell) for name, cell in found.extra.items()})

    return small


def _small(cell: Any) -> Any:
    if isinstance(cell, bytes | bytearray | memoryview):
        return f"{len(cell)} bytes"
    if isinstance(cell, Mapping):
        return {name: _small(value) for name, value in cell.items()}
    shape = getattr(cell, "shape", None) or ((len(cell),) if isinstance(cell, list | tuple) else ())
    return json_values(cell) if math.prod(shape) <= LARGEST else f"array of shape {tuple(shape)}"


def _is_frame(data: Any) -> bool:
    pandas = sys.modules.get("pandas")  # who has a DataFrame has imported it
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _is_dataset(data: Any) -> bool:
    datasets = sys.modules.get("datasets")
    return datasets is not None and isinstance(data, datasets.Dataset | datasets.IterableDataset)


def _of_frame(frame: Any, name: str) -> Rows:
    """The rows of a DataFrame, in its order; the index plays no part."""
    columns = _columns(frame.columns, name)
    for number, cells in enumerate(frame.itertuples(index=False, name=None), start=1):
        yield SourceRow(name, number, _plain(zip(columns, cells, strict=True)), uniform=True)


def _of_arrow(data: Any, name: str) -> Rows:
    import pyarrow as pa

    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(f"{name}: a {type(data).__name__} is no table: {one_line(error)}") from error
    columns, number = _columns(table.column_names, name), 0
    for batch in table.to_batches(max_chunksize=1024):
        for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield SourceRow(name, number, _plain(zip(columns, cells, strict=True)), uniform=True)


def _of_dataset(data: Any, name: str) -> Rows:
    """Recordings are left as they lie, so that nothing is decoded; a class is its name."""
    import datasets

    plain, names = data.with_format(None), {}
    for column, feature in (data.features or {}).items():
        if isinstance(feature, datasets.Audio):
            plain = plain.cast_column(column, datasets.Audio(decode=False))
        elif isinstance(feature, datasets.ClassLabel):
            names[column] = feature.int2str
    uniform = data.features is not None
    for number, row in enumerate(_taken(plain, name), start=1):
        yield SourceRow(name, number, _plain((c, _named(names.get(c), cell)) for c, cell in row.items()), uniform)


def _named(name: Callable[[int], str] | None, cell: Any) -> Any:
    try:
        return cell if name is None or cell is None else name(cell)
    except ValueError:  # -1: no class
        return None


def _of_mappings(rows: Iterable[Any], name: str) -> Rows:
    for number, row in enumerate(_taken(rows, name), start=1):
        if isinstance(row, Item):
            raise UsageError(f"{name}: row {number} is an Item already: items can be scored as they are")
        if isinstance(row, Mapping):
            yield SourceRow(name, number, _plain(row.items()))
        else:
            yield BrokenRow(name, number, "row", f"is a {type(row).__name__}, not a dictionary of columns")


def _taken(rows: Iterable[Any], name: str) -> Iterator[Any]:
    """The rows, as far as they come: whatever another library raises on the way is told in one line."""
    number, iterator = 0, iter(rows)
    while True:
        try:
            row = next(iterator)
        except StopIteration:
            return
        except AudiocontribError:
            raise
        except Exception as error:  # a generator, a download or a decoder of somebody else
            raise AudiocontribError(f"{name}: row {number + 1} cannot be read: {one_line(error)}") from error
        number += 1
        yield row


def _columns(names: Iterable[Any], where: str) -> list[str]:
    columns = [str(name) for name in names]
    if twice := [name for name in columns if columns.count(name) > 1]:
        raise UsageError(f"{where}: two columns are called {twice[0]!r}; rename one")
    return columns


def _plain(cells: Iterable[tuple[Any, Any]]) -> Columns:
    return Columns((str(name), _cell(cell)) for name, cell in cells)


def _cell(cell: Any) -> Any:
    """Scalars of other libraries as Python's own, and no value as None; arrays of numbers are left, as may be audio."""
    if cell is None or isinstance(cell, str | bytes | bytearray):
        return cell
    if isinstance(cell, Mapping):
        return {name: _cell(value) for name, value in cell.items()}
    if isinstance(cell, list | tuple):
        return [_cell(value) for value in cell] if not _is_numbers(cell) else cell
    if getattr(cell, "shape", ()):
        return cell if getattr(cell.dtype, "kind", "f") in "fiub" else [_cell(value) for value in cell.tolist()]
    if type(cell).__module__.partition(".")[0] in ("builtins", "numpy", "pandas"):
        return json_values(cell)
    return cell


def _is_numbers(values: list[Any] | tuple[Any, ...]) -> bool:
    return len(values) > 0 and type(values[0]) in (int, float)  # samples, by the hundred thousand
