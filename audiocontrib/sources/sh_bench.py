"""SH-Bench: what main speakers and bystanders say; one of five options is to abstain."""

from __future__ import annotations

from audiocontrib.errors import BadItem
from audiocontrib.sources.base import Columns, Fields, Source, register_source

_USED = ("question", "options", "answer", "audio", "speaker")


def fields(row: Columns) -> Fields:
    """A row. The option that abstains is ``idk_answer``; it is the last where the row does not name it."""
    options = row["options"]
    if not isinstance(options, list) or len(options) < 2:
        raise BadItem("options", "is no list of options")
    abstains = row.get("idk_answer", options[-1])
    if "idk_answer" not in row and len(options) != 5:
        raise BadItem("idk_answer", f"is not there, and of {len(options)} options none is known to abstain")
    place = options.index(abstains) if abstains in options else None
    return Fields(
        question=row["question"],
        choices=options,
        answer=row["answer"],
        audio=row["audio"],
        question_type=row["speaker"],
        source_dataset=str(row.get("scene") or ""),
        extra={name: cell for name, cell in row.items() if name not in _USED} | {"abstains": abstains},
        notes=() if place is None else (f"option {place + 1} abstains",),
    )


register_source(
    Source(
        name="sh-bench",
        about="SH-Bench, 77,000 questions on main speakers and bystanders; one of five options abstains",
        fields=fields,
        hub="BrianatCambridge/SelectiveHearingBench",
    )
)
