"""What a file of one's own seems to hold: its columns, and a mapping that was tried on its first rows."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sources.base import SourceRow
from audiocontrib.sources.columns import mapped
from audiocontrib.sources.files import manifests, read_rows
from audiocontrib.sources.item_collector import ItemCollector
from audiocontrib.sources.mappings import mapping_yaml
from audiocontrib.sources.proposals import Cells, Proposal, propose

ROWS = 200
"""Rows that are looked at."""
COLUMN_SCHEMA = schema_of(column=pa.string(), kind=pa.string(), filled=pa.float64(), example=pa.string())
MAPPING_SCHEMA = schema_of(field=pa.string(), column=pa.string(), why=pa.string())
_SHOWN = 60
_HINT = "do the files belong together? Describe one at a time"


@dataclass(frozen=True, slots=True)
class Description:
    """The first rows of a data set, and a mapping that was tried on them."""

    path: Path
    rows: int
    """Rows that were looked at."""
    columns: pa.Table
    """COLUMN_SCHEMA, in the order of the file; ``filled`` is the share of the rows that have a value."""
    proposal: Proposal
    audio_root: str | None
    """Folder of the clips, where their paths are absolute and not beside the data."""
    items: int
    """Rows that become items under the proposed mapping."""
    problems: Mapping[str, int]
    """Why the others do not."""

    @property
    def fields(self) -> pa.Table:
        """The mapping as MAPPING_SCHEMA."""
        rows = [{"field": f, "column": c, "why": self.proposal.why[f]} for f, c in self.proposal.mapping.items()]
        return pa.Table.from_pylist(rows, schema=MAPPING_SCHEMA)

    @property
    def command(self) -> str:
        """The command line that scores the data with this mapping."""
        words = ["audiocontrib", "score", "--dataset", str(self.path)]
        words += [word for field, column in self.proposal.mapping.items() for word in ("--map", f"{field}={column}")]
        words += ["--answer-as", self.proposal.answer_as]
        words += ["--audio-root", self.audio_root] if self.audio_root else []
        return shlex.join([*words, "--model", "tiny-qwen2.5-omni"])

    @property
    def yaml(self) -> str:
        """The mapping as the text of a file for ``--map-file``."""
        return mapping_yaml(self.proposal.mapping, self.proposal.answer_as)

    def to_json(self) -> str:
        """All of it as one JSON object, on one line."""
        whole = {"path": str(self.path), "rows": self.rows, "items": self.items, "problems": dict(self.problems)}
        whole |= {"columns": self.columns.to_pylist(), "fields": self.fields.to_pylist()}
        whole |= {"answer_as": self.proposal.answer_as, "audio_root": self.audio_root, "command": self.command}
        return json.dumps(whole, ensure_ascii=False)


def describe(path: str | Path) -> Description:
    """Look at the first rows of a file or folder, propose which columns are which fields, and try it on these rows.

    Raises:
        AudiocontribError: nothing is there, or no row can be read.
        UsageError: no columns can be the question and its choices.

    Example:
        >>> print(describe("my.csv").yaml)
    """
    path = Path(path)
    read = list(islice((row for file in manifests(path) for row in read_rows(file)), ROWS))
    good = [row for row in read if isinstance(row, SourceRow)]
    if not good:
        first = next(iter(read), None)
        why = f"line {first.line}: {first.reason}" if first and not isinstance(first, SourceRow) else "it holds none"
        raise AudiocontribError(f"{path}: no row can be read; {why}")
    names = dict.fromkeys(name for row in good for name in row.values)
    cells = {name: [row.values.get(name) for row in good] for name in names}
    try:
        proposal = propose(cells)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
    beside = os.path.abspath(path if path.is_dir() else path.parent)
    root = _audio_root(cells.get(proposal.mapping["audio"], ()), beside)
    reading = ItemCollector("described", mapped(proposal.mapping, proposal.answer_as), _HINT, root=root or beside)
    for row in read:
        reading.take(row, "")
    problems = Counter(f"{bad.field}: {bad.reason}" for bad in reading.quarantined)
    return Description(path, len(read), _columns(cells), proposal, root, len(reading.items), problems)


def _audio_root(audio: Sequence[Any], beside: str) -> str | None:
    """The folder above all clips that are named by absolute paths, unless they lie beside the data."""
    folders = [os.path.dirname(cell) for cell in audio if isinstance(cell, str) and os.path.isabs(cell)]
    above = os.path.commonpath(folders) if folders else beside
    return None if Path(above).is_relative_to(beside) else above


def _columns(cells: Cells) -> pa.Table:
    rows = []
    for name, column in cells.items():
        filled = [cell for cell in column if cell not in (None, "")]
        example = repr(filled[0]) if filled else ""
        rows.append(
            {
                "column": name,
                "kind": ", ".join(Counter(type(cell).__name__ for cell in filled)),
                "filled": len(filled) / len(column),
                "example": example if len(example) <= _SHOWN else example[: _SHOWN - 1] + "…",
            }
        )
    return pa.Table.from_pylist(rows, schema=COLUMN_SCHEMA)
