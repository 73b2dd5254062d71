"""What is published of a split or of a training, as files in one folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import file_sha256
from audiocontrib.provenance import SplitSettings, run_steps, split_steps
from audiocontrib.publish.croissant import croissant
from audiocontrib.report.card import card
from audiocontrib.shell import shell_lines
from audiocontrib.store.files import make_folder
from audiocontrib.store.marks import of_split
from audiocontrib.store.splits import SETTINGS
from audiocontrib.training.output.folder import MODEL

if TYPE_CHECKING:
    from audiocontrib.store import Run

TABLE, CARD, PROVENANCE, CROISSANT = "split.parquet", "README.md", "provenance.json", "croissant.json"
_WHOLE_PATH = re.compile(r"(?<![\w:/.<])/(?:[^\s'\"/]+/)+([^\s'\"/]+)")
"""A whole path of this machine, which nobody else has: its last name is published."""
ASKED = ("item_id", "dataset", "question", "choices", "answer", "clip_id", "question_type", "source_dataset")
"""Columns of the items that are published; the recordings are not."""


def split_files(run: Run, split: str | None, folder: Path, url: str | None = None) -> str:
    """Write a split with its questions, card, provenance and Croissant metadata into a folder; gives its name."""
    text = _WHOLE_PATH.sub(r"\1", card(run, split=split))  # says what is wrong first
    saved = run.split(split) if split is not None else run.only_split()
    if saved is None:
        raise AudiocontribError(f"{run.path} has no split")
    make_folder(folder)
    items = of_split(run, saved).table(f"select {', '.join(ASKED)} from items order by item_id")
    asked = items.take(pc.index_in(saved.table["item_id"], items["item_id"].combine_chunks()))
    table = saved.table
    for name in ASKED[1:]:
        table = table.append_column(name, asked[name])
    pq.write_table(table, folder / TABLE)
    settings = SplitSettings.of(saved.settings, saved.folder / SETTINGS)
    steps = shell_lines([*run_steps(run), *split_steps(run, saved.name, settings)])
    told = {"split": dict(saved.settings), "commands": steps, "run": run.manifest.get("identity"),
            "certificates": [dict(one) for one in saved.certificates]}  # fmt: skip
    provenance = _WHOLE_PATH.sub(r"\1", json.dumps(told, indent=2, default=str))
    (folder / PROVENANCE).write_text(provenance + "\n", encoding="utf-8")
    (folder / CARD).write_text(text, encoding="utf-8")
    about = (
        f"Weak and strong audio contribution of {items.num_rows:,} questions, by the rule {saved.settings.get('rule')}"
    )
    told_of = croissant(saved.name, about, TABLE, file_sha256(folder / TABLE), table.schema, url)
    (folder / CROISSANT).write_text(told_of, encoding="utf-8")
    return saved.name


def model_files(training: Path) -> Path:
    """The folder of a training's model, with its card. AudiocontribError if it has none."""
    folder = training / MODEL if (training / MODEL).is_dir() else training
    if not any(folder.glob("*.safetensors")):
        raise AudiocontribError(f"{training}: holds no trained model (model/*.safetensors)")
    if not (folder / CARD).is_file():
        raise AudiocontribError(f"{folder}: the model has no card ({CARD}); a model is published with one")
    return folder
