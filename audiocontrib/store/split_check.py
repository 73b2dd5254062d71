"""Whether a split's table is one: every item once, in a part, as it was written, and of the run that it is named in."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audiocontrib.arrow import Column, equal, floats, schema_of, texts
from audiocontrib.errors import one_line
from audiocontrib.store.contents import read_quarantined
from audiocontrib.store.damage import unreadable
from audiocontrib.store.own import check_own
from audiocontrib.store.seal import check_file

PARTS = ("weak", "strong", "undecided")
SPLIT_SCHEMA = schema_of(
    item_id=pa.string(),
    split=pa.string(),
    score=pa.float64(),
    reason=pa.string(),
    unsolved=pa.bool_(),
)
"""Columns of a split's table; the view ``splits`` adds ``name``."""
OPTIONAL = ("score", "reason", "unsolved")
"""Those that another program's split may lack; they are null then."""
SHARES = ("score", "guessing")
SLACK = 1e-9
"""What rounding may do to a score beside the threshold."""
LEFT_OUT = ("left_out_unsolved", "left_out_marked")
"""Findings that say how many items were left out on request."""


def typed(table: pa.Table, schema: pa.Schema = SPLIT_SCHEMA, optional: Sequence[str] = OPTIONAL) -> pa.Table:
    """A table's columns in these types, null where an optional one is not there. ValueError says which one is wrong."""
    columns = []
    for field in schema:
        there = table.column_names.count(field.name)
        if there > 1 or not (there or field.name in optional):
            needed = ", ".join(name for name in schema.names if name not in optional)
            raise ValueError(f"it has {'two columns' if there else 'no column'} {field.name}; it needs {needed}")
        try:
            given = table[field.name] if there else pa.nulls(len(table), field.type)
            columns.append(given.cast(field.type))
        except pa.ArrowException as error:
            raise ValueError(f"its column {field.name} is not {field.type}: {one_line(error, 120)}") from error
    return pa.table(columns, schema=schema)


def table_fault(table: pa.Table) -> str | None:
    """What is wrong with rows of item_id, split, score, reason and perhaps guessing, by themselves; None: nothing."""
    ids = table["item_id"]
    if ids.null_count:
        return "a row has no item_id"
    if pc.count_distinct(ids).as_py() < len(ids):
        twice, count = Counter(texts(ids)).most_common(1)[0]
        return f"{twice!r} is there {count} times; each item has one row"
    known = table["split"].unique().to_pylist()
    if odd := [one for one in known if one not in PARTS]:
        return f"split is {odd[0]!r}, but is one of {', '.join(PARTS)}"
    for name in SHARES:
        numbers = table[name].drop_null() if name in table.column_names else pa.chunked_array([], pa.float64())
        if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
            return f"the column {name} holds numbers that are not finite; null means that it is not known"
        if len(numbers) and not 0 <= pc.min(numbers).as_py() <= pc.max(numbers).as_py() <= 1:
            return f"the column {name} holds numbers outside 0 to 1"
    return None


def contradiction(table: pa.Table, threshold: float) -> str | None:
    """Where a row's part is not what its score says: from the threshold on strong, below it weak; None: nowhere."""
    score, split = table["score"], table["split"]
    low = pc.less(score, pa.scalar(threshold - SLACK))
    high = pc.greater_equal(score, pa.scalar(threshold + SLACK))
    wrong = pc.or_kleene(pc.and_(equal(split, "strong"), low), pc.and_(equal(split, "weak"), high))
    if not len(odd := table.filter(wrong)):
        return None
    row = odd.slice(0, 1).to_pylist()[0]
    return f"{row['item_id']} is {row['split']} with the score {row['score']:g}, at a threshold of {threshold:g}"


def digest(table: pa.Table) -> str:
    """SHA-256 (hex) of the rows of SPLIT_SCHEMA, whatever the file that they are in."""
    told = hashlib.sha256()
    for field in SPLIT_SCHEMA:
        column = table[field.name]
        if field.type == pa.string():
            told.update(json.dumps(column.to_pylist()).encode())
        else:
            told.update(floats(column.cast(pa.float64())).astype("<f8").tobytes())
    return told.hexdigest()


def fault_against(run: Path, table: pa.Table, settings: Mapping[str, Any], findings: Mapping[str, Any]) -> str | None:
    """What a split and the items of a run have against each other; None: nothing.

    Args:
        run: folder of the run.
        table: of the split.
        settings: of the split; empty: not known, and then it need not hold every item.
        findings: of the split.
    """
    asked = _item_ids(run)
    if foreign := _without(table["item_id"], asked):
        return f"it holds {len(foreign):,} items that {run} has not, e.g. {foreign[0]}: it is of another run"
    quarantined = [q.item_id for q in read_quarantined(run / "quarantine.parquet") if q.field == "audio"]
    lacking = _without(asked, pa.chunked_array([table["item_id"].combine_chunks(), pa.array(quarantined, pa.string())]))
    left_out = [findings.get(name, 0) for name in LEFT_OUT]
    if settings and len(lacking) > sum(count for count in left_out if isinstance(count, int)):
        return f"it lacks {len(lacking):,} of the run's items, e.g. {lacking[0]}: rows are gone, or the run has grown"
    return None


def _without(ids: Column, others: Column) -> list[str]:
    """The ids that are not among the others."""
    return ids.filter(pc.invert(pc.is_in(ids, value_set=others.combine_chunks()))).to_pylist()  # type: ignore[return-value]


def _item_ids(run: Path) -> Column:
    path = run / "items.parquet"
    if not path.exists():
        return pa.chunked_array([], pa.string())
    check_file(check_own(path, run))
    try:
        return pq.read_table(path.absolute(), columns=["item_id"])["item_id"].cast(pa.string())
    except (pa.ArrowException, OSError, KeyError) as error:
        raise unreadable(path, error) from error
