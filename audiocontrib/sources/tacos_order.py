"""Order of events in TACOS, as younissk/TACoBeLAL asks for it: what begins next, or that nothing does."""

from __future__ import annotations

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, Fields, Source, item_text, register_source

_USED = ("id", "question", "options", "answer_label", "audio_filename", "task")


def fields(row: Columns) -> Fields:
    """A row: ``options`` are objects with label and text; curated files leave some labels out."""
    options = row["options"]
    if not isinstance(options, list) or not all(
        isinstance(one, dict) and {"text", "label"} <= one.keys() for one in options
    ):
        raise BadItem("options", "is no list of objects with label and text")
    named = {str(one["label"]): one["text"] for one in options}
    if len(named) < len(options) or row["answer_label"] not in named:
        raise BadItem("answer_label", f"{row['answer_label']!r} is not the label of one option: {', '.join(named)}")
    gold = named[row["answer_label"]]
    if row.get("answer_text", gold) != gold:
        raise BadItem("answer_text", f"is not the text of option {row['answer_label']}")
    return Fields(
        question=row["question"],
        choices=list(named.values()),
        answer=gold,
        audio=row["audio_filename"],
        own_id=item_text(row["id"]),
        question_type=str(row.get("answer_type") or row.get("task") or ""),
        source_dataset="TACOS",
        extra={name: cell for name, cell in row.items() if name not in _USED},
    )


register_source(
    Source(name="tacos-order", about="Order of events in recordings of TACOS, 2 to 17 options", fields=fields)
)
