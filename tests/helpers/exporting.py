"""A small run on clips in a folder, split in two; and what an export of it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from audiocontrib.items import Clip, Item, Items, make_item
from audiocontrib.store import Run
from audiocontrib.store.views import SPLIT_SCHEMA
from helpers.sounds import tone
from helpers.store_tools import manifest

SPLIT = "votes-0.5"
PARTS = ("weak", "strong", "weak", "strong", "weak", "strong", "weak", "strong", "undecided", "weak")
CLIPS = (0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
"""Number of each item's recording: the first strong item shares that of the first weak one."""


def item(number: int, root: Path | None, **changes: Any) -> Item:
    given = {
        "question": f"What is heard in recording {number}, at the door's left?",
        "choices": ["a dog", 'a "cat"', "it's rain", "<b>wind</b>"],
        "answer": "it's rain",
        "audio": Clip(path=f"in/{CLIPS[number]}.wav", root=str(root)),
        "extra": {"audio-contribution": "strong"} if number % 2 else {},
        "question_type": "sound",
        "source_dataset": "AudioCaps",
    } | changes
    return make_item(dataset="toy", own_id=str(number), **given)


def make_run(folder: Path, items: Sequence[Item] | None = None, parts: Sequence[str] = PARTS, **changes: Any) -> Run:
    """A run with a split in ``folder``, its clips in ``folder``/clips."""
    root = folder / "clips"
    for number in set(CLIPS):
        (root / "in").mkdir(parents=True, exist_ok=True)
        soundfile.write(root / "in" / f"{number}.wav", tone(0.3 + number / 20), 16000)
    items = [item(number, root) for number in range(len(PARTS))] if items is None else items
    origin = {"audio_root": str(root)}
    run = Run.create_or_resume(folder / "run", manifest(**changes) | {"origin": origin}, Items(items, origin=origin))
    rows = [
        {"item_id": each.id, "split": part, "score": float(part == "strong"), "reason": "", "unsolved": False}
        for each, part in zip(items, parts, strict=True)
    ]
    settings = {"rule": "votes", "threshold": 0.5, "condition": "silence", "findings": {}, "warnings": []}
    (run.split_folder(SPLIT)).mkdir(parents=True)
    table = pa.Table.from_pylist(rows, SPLIT_SCHEMA).replace_schema_metadata({"audiocontrib": json.dumps(settings)})
    pq.write_table(table, run.split_folder(SPLIT) / "split.parquet")
    return run


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
