"""What a file of one's own seems to hold: its columns, and a mapping that was tried on its first rows."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import AudiocontribError, BadItem, UsageError
from audiocontrib.items import Item
from audiocontrib.sources.base import Rows, SourceRow
from audiocontrib.sources.columngroups import Cells
from audiocontrib.sources.columns import DELIMITER, NONE, mapped
from audiocontrib.sources.files import manifests, read_rows
from audiocontrib.sources.golds import GoldReadings
from audiocontrib.sources.item_collector import ItemCollector
from audiocontrib.sources.mappings import check_answer_as, joined_mapping, mapping_yaml
from audiocontrib.sources.opening import check_encoding
from audiocontrib.sources.options import Options
from audiocontrib.sources.proposals import Proposal, propose

ROWS = 200
"""Rows that are looked at."""
ASKED = 3
"""Items that are shown as they will be asked."""
NAMES = {"choices": "options", "answer": "gold"}
KEPT = "kept in extra; no prompt shows it"
COLUMN_SCHEMA = schema_of(
    column=pa.string(), kind=pa.string(), filled=pa.float64(), becomes=pa.string(), example=pa.string()
)
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
    shown: tuple[Item, ...] = ()
    """The first items, as they will be asked."""

    @property
    def asked(self) -> list[str]:
        """The first items in words: question, options by letter, the text of the gold, clip."""
        return [line for item in self.shown for line in _asked(item)]

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
        whole |= {"remarks": list(self.proposal.remarks), "asked": self.asked}
        whole |= {"answer_as": self.proposal.answer_as, "audio_root": self.audio_root, "command": self.command}
        return json.dumps(whole, ensure_ascii=False)


def describe(
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    answer_as: str | None = None,
    encoding: str | None = None,
    progress: bool = False,
) -> Description:
    """Look at the first rows of a file or folder, propose which columns are which fields, and try it on these rows.

    The gold is a column that is called so, and how it is meant is decided by all rows.

    Args:
        mapping: what is known already: field to column.
        answer_as: how the gold is given, where its rows leave it open: text, letter, index or number.
        encoding: what files of text are written in; by default as their first bytes say, or UTF-8.
        progress: show on stderr how many golds were read.

    Raises:
        AudiocontribError: nothing is there; no row can be read, or becomes an item; the column that is named as golds
            are cannot be read, or in two ways.
        UsageError: no columns can be the question and its choices, or several can.

    Example:
        >>> print(describe("my.csv").yaml)
    """
    given = joined_mapping(mapping)
    mapped(given)
    check_answer_as(answer_as or "text")
    check_encoding(encoding)
    path = Path(path)
    read = list(islice(_rows(path, encoding), ROWS))
    good = [row for row in read if isinstance(row, SourceRow)]
    if not good:
        first = next(iter(read), None)
        why = f"line {first.line}: {first.reason}" if first and not isinstance(first, SourceRow) else "it holds none"
        raise AudiocontribError(f"{path}: no row can be read; {why}")
    names = dict.fromkeys(name for row in good for name in row.values)
    cells = {name: [row.values.get(name) for row in good] for name in names}
    try:
        _check_there(given, cells)
        proposal = propose(cells, given)
        proposal.answer_as = _answer_as(_rows(path, encoding), proposal, answer_as, progress)
    except AudiocontribError as error:
        kind = UsageError if isinstance(error, UsageError) else AudiocontribError
        raise kind(f"{path}: {error}", argument=error.argument) from error
    beside = os.path.abspath(path if path.is_dir() else path.parent)
    root = _audio_root(cells.get(proposal.mapping["audio"], ()), beside)
    reading = ItemCollector("described", mapped(proposal.mapping, proposal.answer_as), _HINT, root=root or beside)
    shown: list[Item] = []
    for row in read:
        before = len(reading.items)
        reading.take(row, "")
        if len(shown) < ASKED and len(reading.items) > before:
            shown.append(reading.items[-1])
    problems = Counter(f"{bad.field}: {bad.reason}" for bad in reading.quarantined)
    if not reading.items:
        raise AudiocontribError(f"{path}: no row becomes an item so: {problems.most_common(1)[0][0]}")
    used = _uses(proposal)
    return Description(
        path, len(read), _columns(cells, used), proposal, root, len(reading.items), problems, tuple(shown)
    )


def _check_there(given: Mapping[str, str], cells: Cells) -> None:
    """UsageError for a column that is not there."""
    for name, column in given.items():
        parts = [column] if column in cells or name != "choices" else [part.strip() for part in column.split(",")]
        if absent := [p for p in parts if p not in cells and column != NONE and name != DELIMITER and "|" not in p]:
            there = f"there are: {', '.join(cells)}"
            raise UsageError(f"{name}: there is no column {absent[0]!r}; {there}", argument="mapping")


def _rows(path: Path, encoding: str | None) -> Rows:
    for file in manifests(path):
        yield from read_rows(file, encoding)


def _answer_as(rows: Rows, proposal: Proposal, given: str | None, progress: bool) -> str:
    """How the column of the gold is meant, by all rows."""
    from tqdm import tqdm

    gold = proposal.mapping["answer"]
    if gold == NONE or gold in proposal.mapping["choices"].split(","):
        return given or "text"
    readings, fields = GoldReadings(gold, given), mapped(proposal.mapping, "letter")
    fault, good = "", 0
    for row in tqdm(rows, desc="reading golds", unit=" rows", disable=not progress, delay=1):
        if isinstance(row, SourceRow):
            try:
                found = fields(row.values)
            except BadItem as error:
                fault = fault or f"no row can be read so; line {row.line}: {error.field}: {error.reason}"
                continue
            good += 1
            there = [text for text in found.choices if text != ""] if isinstance(found.choices, list) else None
            readings.see(f"line {row.line}", found.answer, Options(there, tuple(found.labels)))
    if fault and not good:
        raise AudiocontribError(fault, argument="mapping")
    return readings.decide()


def _uses(proposal: Proposal) -> dict[str, str]:
    """What each column that has a field is."""
    uses: dict[str, str] = {}
    for name, column in proposal.mapping.items():
        for part in [column] if name != "choices" else [column, *column.split(",")]:
            uses[part] = f"{uses[part]}, {NAMES.get(name, name)}" if part in uses else NAMES.get(name, name)
    return uses


def _asked(item: Item) -> Iterator[str]:
    gold = "none: asked, never scored" if item.answer is None else item.choices[item.answer]
    options = "  ".join(f"({ascii_uppercase[place]}) {text}" for place, text in enumerate(item.choices))
    yield " ".join(item.question.split())
    yield f"    {' '.join(options.split())}"
    yield f"    gold: {gold}    clip: {item.audio or 'none'}"


def _audio_root(audio: Sequence[Any], beside: str) -> str | None:
    """The folder above all clips that are named by absolute paths, unless they lie beside the data."""
    folders = [os.path.dirname(cell) for cell in audio if isinstance(cell, str) and os.path.isabs(cell)]
    above = os.path.commonpath(folders) if folders else beside
    return None if Path(above).is_relative_to(beside) else above


def _columns(cells: Cells, uses: Mapping[str, str]) -> pa.Table:
    rows = []
    for name, column in cells.items():
        filled = [cell for cell in column if cell not in (None, "")]
        example = repr(filled[0]) if filled else ""
        rows.append(
            {
                "column": name,
                "kind": ", ".join(Counter(type(cell).__name__ for cell in filled)),
                "filled": len(filled) / len(column),
                "becomes": uses.get(name, KEPT),
                "example": example if len(example) <= _SHOWN else example[: _SHOWN - 1] + "…",
            }
        )
    return pa.Table.from_pylist(rows, schema=COLUMN_SCHEMA)
