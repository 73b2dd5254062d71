"""Arrow with types: schemas, and columns as what the code reads them for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray

Column: TypeAlias = "pa.ChunkedArray[Any]"
"""A column of a table."""
Values: TypeAlias = "pa.Array[Any]"
"""A column in one piece."""
AnyColumn = TypeVar("AnyColumn", "pa.ChunkedArray[Any]", "pa.Array[Any]")


def schema_of(**columns: pa.DataType) -> pa.Schema:
    """A schema from names and types, in this order."""
    return pa.schema(list(columns.items()))


def texts(column: Column | Values) -> list[str]:
    """A column of texts without nulls."""
    return cast("list[str]", column.to_pylist())


def text_lists(column: Column | Values) -> list[list[str]]:
    """A column of lists of texts; null is an empty list."""
    return [row or [] for row in column.to_pylist()]


def flat(lists: AnyColumn) -> AnyColumn:
    """What the lists of a column hold, one after the other."""
    import pyarrow.compute as pc

    return cast("AnyColumn", pc.list_flatten(lists))


def equal(column: Column | Values, text: str) -> pa.BooleanArray:
    """Where a column of texts says this; null where it says nothing."""
    import pyarrow.compute as pc

    return pc.equal(column, pa.scalar(text))


def floats(column: Column | Values) -> NDArray[np.float64]:
    """A column of numbers, shape (n,); null is NaN."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def integers(column: Column | Values, null: int | None = None) -> NDArray[np.int64]:
    """A column of integers, shape (n,), with this number in place of nulls; None: it has none."""
    if null is not None:
        column = column.fill_null(null)  # type: ignore[arg-type]  # the stub of a table's column wants a pa.Scalar
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def truths(column: Column | Values) -> NDArray[np.bool_]:
    """A column of booleans without nulls, shape (n,)."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)
