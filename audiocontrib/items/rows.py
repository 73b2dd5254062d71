"""Items as rows of Arrow tables, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.audio.clip import Clip
from audiocontrib.items.item import Item, stored_item

ITEM_SCHEMA = schema_of(
    item_id=pa.string(),
    dataset=pa.string(),
    question=pa.string(),
    choices=pa.list_(pa.string()),
    answer=pa.int16(),
    audio=pa.struct([("path", pa.string()), ("bytes", pa.binary()), ("start", pa.float64()), ("end", pa.float64())]),
    clip_id=pa.string(),
    question_type=pa.string(),
    source_dataset=pa.string(),
    split=pa.string(),
    notes=pa.list_(pa.string()),
    extra=pa.string(),  # JSON object
)

BEFORE_SEGMENTS = pa.struct([("path", pa.string()), ("bytes", pa.binary())])
"""The type of ``audio`` that older versions stored."""

QUARANTINE_SCHEMA = schema_of(
    dataset=pa.string(),
    item_id=pa.string(),
    file=pa.string(),
    line=pa.int64(),
    field=pa.string(),
    reason=pa.string(),
)


_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str, allow_nan=False).encode


def item_row(item: Item) -> dict[str, Any]:
    """An item as a row of ITEM_SCHEMA. Bytes are kept only where there is no file to point to."""
    clip = item.audio
    audio: dict[str, Any] | None = None
    if clip is not None:
        audio = {"path": clip.path, "bytes": clip.data if clip.root is None else None}
        audio |= {"start": clip.start, "end": clip.end}
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
        "extra": _json(item.extra),
    }


def json_values(value: Any) -> Any:
    """A value as JSON can hold it: no number is null, infinity a text, keys are texts, arrays lists, the rest texts."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return (None if value != value else str(value)) if not math.isfinite(value) else float(value)
    if isinstance(value, Mapping):
        return {str(name): json_values(one) for name, one in value.items()}
    if isinstance(value, set | frozenset):
        return [json_values(one) for one in sorted(value, key=repr)]  # a set has no order, and each process another
    if isinstance(value, list | tuple):
        return [json_values(one) for one in value]
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return json_values(value.tolist())
    # pandas' two words for no value
    return None if type(value).__name__ in ("NAType", "NaTType") else str(value)


def _json(extra: Mapping[str, Any]) -> str:
    try:
        text = _ENCODE(dict(extra))
    except (TypeError, ValueError):  # keys of several types, not a number: no JSON
        text = json.dumps(json_values(extra), ensure_ascii=False, sort_keys=True)
    return text if text.isascii() else text.encode(errors="replace").decode()


def clip_from_row(audio: Mapping[str, Any], root: str | None) -> Clip:
    """The clip of a row; those that older versions stored are whole recordings."""
    data = audio["bytes"]
    return Clip(audio["path"], None if data else root, data, audio.get("start"), audio.get("end"))


def todays_items(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of items that an older version stored, in ITEM_SCHEMA: its clips are whole recordings."""
    place = batch.schema.get_field_index("audio")
    if place < 0 or batch.schema.field(place).type != BEFORE_SEGMENTS:
        return batch
    old: Any = batch.column(place)
    none = pa.nulls(len(batch), pa.float64())
    parts = [old.field("path"), old.field("bytes"), none, none]
    audio = pa.StructArray.from_arrays(parts, fields=list(ITEM_SCHEMA.field("audio").type), mask=old.is_null())
    return batch.set_column(place, ITEM_SCHEMA.field("audio"), audio)


def item_from_row(row: Mapping[str, Any], root: str | None = None) -> Item:
    """The inverse of :func:`item_row`; ``root`` is the audio root recorded in run.json.

    What is stored was checked before: reading a run pays for no check, and runs of older versions stay readable.
    """
    audio = None if row["audio"] is None else clip_from_row(row["audio"], root)
    return stored_item(
        row["item_id"],
        row["dataset"],
        row["question"],
        tuple(row["choices"]),
        row["answer"],
        audio,
        row["clip_id"],
        row["question_type"],
        row["source_dataset"],
        row["split"],
        tuple(row["notes"]),
        json.loads(row["extra"]),
    )
