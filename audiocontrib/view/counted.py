"""What a page of items asks of a run: one row per item, counted once and kept until answers are added."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.run_view import only_models
from audiocontrib.contribution.scope import CheckedScope, scoped
from audiocontrib.contribution.votes import Votes, count_votes
from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.report.first_answer import first_answers
from audiocontrib.report.run_summary import likeliest_method, without_audio
from audiocontrib.store.files import replacing, sealing
from audiocontrib.store.own import check_own
from audiocontrib.store.run import ITEMS
from audiocontrib.store.seal import check_file
from audiocontrib.store.views import check_run_files, parquet, response_parts
from audiocontrib.view.interrupts import interruptible

if TYPE_CHECKING:
    import duckdb
    from numpy.typing import NDArray

    from audiocontrib.store import Run

KEPT = ".counted.parquet"
VOTES = ("no vote", "right", "wrong", "abstained", "no choice", "no gold")
"""What a model's vote on an item comes to under a condition, as the numbers of the columns v0, v1, …; ``no choice``: a
tie, or no option was read."""
SHOWN = 300
"""Characters of a question in a list."""
MEMORY = "300MB"
"""What the engine that counts may take: more goes through the disk."""
NUMBERS = ("score", "right_audio", "right_without", "p_audio", "p_silence", "p_text", "contribution")
"""Of each item, as ``contributions`` has them: score, right_with_audio, votes_right, p_audio, p_silence, p_text and
contribution, under the condition of the scores."""
ITEM_COLUMNS = f"""item_id, dataset, question_type as type, source_dataset as source,
left(question, {SHOWN}) as question,
lower(concat_ws(chr(10), item_id, question, array_to_string(choices, chr(10)))) as text"""
ROWS_AT_ONCE = 60_000


@dataclass(frozen=True, slots=True)
class Counted:
    """A run's items with what every model makes of them, as a Parquet file sorted by item_id.

    Columns: item_id, dataset, type, source, question (its start), text (id, question and choices in small letters),
    the NUMBERS, and v0, v1, …: a number of VOTES for each cell.
    """

    file: Path
    state: str
    """Of the run when it was counted."""
    answers: int
    cells: list[list[str]]
    """Model and condition of each column of votes."""
    method: str
    audio: str
    condition: str | None
    """What the scores hold against the audio; None where the run has no condition without it."""
    first: list[dict[str, Any]] = field(default_factory=list)
    """:class:`~audiocontrib.report.first_answer.FirstAnswer` by model."""
    by_type: list[dict[str, Any]] = field(default_factory=list)

    def column(self, model: str, condition: str) -> str | None:
        """The column with a model's votes under a condition; None where it was not asked."""
        return f"v{self.cells.index([model, condition])}" if [model, condition] in self.cells else None

    @property
    def table(self) -> str:
        """SQL of the rows; before anything is counted, of the items alone, without votes."""
        if self.state:
            return parquet([self.file])
        none = ", ".join(f"null::double as {name}" for name in NUMBERS)
        return f"(select {ITEM_COLUMNS}, {none} from {parquet([self.file])})"

    @property
    def models(self) -> list[str]:
        """Those that answered, sorted."""
        return sorted({model for model, _ in self.cells})


def run_state(run: Run) -> str:
    """A text that changes where answers or items are added. AudiocontribError if there are no items."""
    if not (run.path / ITEMS).exists():
        raise AudiocontribError(f"{run.path} holds no {ITEMS}: put that file back, or give its score command again")
    files = [run.path / ITEMS, *response_parts(run.path)]
    stats = [(path.name, path.stat()) for path in files]
    return stable_hash([*VOTES, *NUMBERS, *([name, stat.st_size, stat.st_mtime_ns] for name, stat in stats)])


def number_of_answers(run: Run) -> int:
    """How many answers are in the files of a run, from their ends alone: those asked twice count twice."""
    try:
        return sum(_rows(str(path.absolute()), path.stat().st_size) for path in response_parts(run.path))
    except (OSError, pa.ArrowException) as error:
        raise AudiocontribError(f"{run.path} cannot be read: {one_line(error)}") from error


@lru_cache(maxsize=100_000)
def _rows(part: str, size: int) -> int:
    """Of a part, which never changes."""
    return int(pq.read_metadata(part).num_rows)


def kept_counts(run: Run, state: str, elsewhere: Path) -> Counted | None:
    """What was counted of the run in this state; None where nothing is kept.

    Args:
        elsewhere: a folder that is looked into where the run keeps nothing.
    """
    for file in (run.path / KEPT, elsewhere / f"{stable_hash([str(run.path.absolute())])}.parquet"):
        with suppress(OSError, pa.ArrowException, AudiocontribError, ValueError, TypeError, KeyError):
            check_file(check_own(file, file.parent))
            about = json.loads((pq.read_schema(file.absolute()).metadata or {})[b"counted"])
            if about["state"] == state:
                return Counted(file, **about)
    return None


def uncounted(run: Run) -> Counted:
    """The items of a run whose answers are still being counted.

    Raises:
        AudiocontribError: they are damaged.
    """
    check_run_files(run.path, [run.path / ITEMS])
    return Counted(run.path / ITEMS, "", 0, [], "", "audio", None)


def count_run(run: Run, state: str, elsewhere: Path) -> Counted:
    """Count a run anew, model by model, so that memory does not grow with them; arguments as :func:`kept_counts`.

    Raises:
        AudiocontribError: a file is damaged, or the answers do not fit the items.
    """
    with run.connect() as own, interruptible(own):
        own.execute(f"set memory_limit = '{MEMORY}'")
        with scoped(own, None, {}) as (con, seen):
            made = _columns(con, seen, number_of_answers(run))
            for file in (run.path / KEPT, elsewhere / f"{stable_hash([str(run.path.absolute())])}.parquet"):
                try:
                    return _written(con, file, state, *made)
                except AudiocontribError:  # a run that may only be read is kept elsewhere
                    if file.parent == elsewhere:
                        raise
    raise AssertionError("unreachable")


Columns = dict[str, "NDArray[Any]"]


def _columns(con: duckdb.DuckDBPyConnection, seen: CheckedScope, answers: int) -> tuple[dict[str, Any], Columns]:
    """What is said of the run, and the columns of numbers, in the order of the items' ids."""
    asked = {name for (name,) in con.execute("select distinct condition from responses").fetchall()}
    method, condition = likeliest_method(con), without_audio(asked)
    heard = replace(seen, condition=condition, method=method) if condition and seen.audio in asked else None
    [(several,)] = con.execute("select count(distinct question_type) > 1 from items").fetchall()
    models = con.execute("select distinct model from responses where method = $1 order by 1", [method]).fetchall()
    sums, cells, columns = _Sums(seen.audio, condition), list[list[str]](), Columns()
    first, by_type = list[dict[str, Any]](), list[dict[str, Any]]()
    for (model,) in models:
        with only_models(con, [model]):
            told = count_answers(con, method=method)
            cast = count_votes(told)
            sums.add(told, cast)
            for place, cell in enumerate(told.cells):
                columns[f"v{len(cells)}"] = _vote_numbers(cast, place, told.gold >= 0)
                cells.append(list(cell))
            if heard:
                first += [asdict(one) for one in first_answers(con, heard, told)]
                if several:
                    by_type += [asdict(one) for one in first_answers(con, heard, told, by="question_type")]
    about = {"answers": answers, "cells": cells, "method": method, "audio": seen.audio, "condition": condition}
    [(items,)] = con.execute("select count(*) from items").fetchall()
    return about | {"first": first, "by_type": by_type}, sums.columns(items) | columns


def _vote_numbers(cast: Votes, cell: int, has_key: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The votes of a cell as numbers of VOTES, (n,)."""
    kinds = [cast.problem[:, cell] != 0, cast.right[:, cell], cast.abstained[:, cell], cast.choice[:, cell] < 0]
    return np.select([*kinds, ~has_key], [0, 1, 3, 4, 5], 2).astype(np.uint8)


@dataclass(slots=True)
class _Sums:
    """What the scores of ``contributions`` are made of, added up model by model."""

    audio: str
    condition: str | None
    sums: dict[str, tuple[Any, int]] = field(default_factory=dict)
    """Column -> sum over the models, (n,), NaN where one lacks it; and how many models there are."""

    def add(self, told: AnswerCounts, cast: Votes) -> None:
        """Take in one model."""
        held, without = told.under(self.audio), told.under(self.condition or "")
        keyed = np.where(told.gold >= 0, 0.0, np.nan)
        for cell in without:
            right = cast.right[:, cell].astype(float) + keyed
            self._sum("right_without", right)
            self._sum("score", np.where(cast.problem[:, cell] == 0, 1 - right, np.nan))
        for cell in held:
            self._sum("right_audio", np.where(cast.problem[:, cell] == 0, cast.right[:, cell] + keyed, np.nan))
        for name, condition in (("p_audio", self.audio), ("p_silence", "silence"), ("p_text", "text")):
            for cell in told.under(condition):
                self._sum(name, cast.p_gold[:, cell])
        for heard, left in zip(held, without, strict=False):
            self._sum("contribution", cast.p_gold[:, heard] - cast.p_gold[:, left])

    def _sum(self, name: str, values: NDArray[np.float64]) -> None:
        total, n = self.sums.get(name, (0.0, 0))
        self.sums[name] = total + values, n + 1

    def columns(self, items: int) -> Columns:
        """NUMBERS, NaN where there is none: means over the models, and how many are right."""
        none = np.full(items, np.nan)
        means = {name: total if name.startswith("right") else total / n for name, (total, n) in self.sums.items()}
        return {name: means.get(name, none) for name in NUMBERS}


def _written(
    con: duckdb.DuckDBPyConnection, file: Path, state: str, about: dict[str, Any], columns: Columns
) -> Counted:
    known = {"state": state, **about}
    with replacing(file) as out:
        batches = _batches(con, columns)
        first = next(batches)
        schema = first.schema.with_metadata({b"counted": json.dumps(known).encode()})
        with sealing(out, schema) as writer:
            writer.write_batch(first.cast(schema))
            for batch in batches:
                writer.write_batch(batch.cast(schema))
    return Counted(file, **known)


def _batches(con: duckdb.DuckDBPyConnection, columns: Columns) -> Iterator[pa.RecordBatch]:
    """The rows of the file, some at a time; at least one batch, which may be empty."""
    start, reader = 0, con.sql(f"select {ITEM_COLUMNS} from items order by item_id").to_arrow_reader(ROWS_AT_ONCE)
    for batch in reader:
        yield _joined(batch, columns, start)
        start += len(batch)
    if not start:
        yield _joined(pa.RecordBatch.from_pylist([], schema=reader.schema), columns, 0)


def _joined(batch: pa.RecordBatch, columns: Columns, start: int) -> pa.RecordBatch:
    some = {name: pa.array(values[start : start + len(batch)], from_pandas=True) for name, values in columns.items()}
    arrays: Sequence[Any] = [*batch.columns, *some.values()]
    return pa.RecordBatch.from_arrays(list(arrays), names=[*batch.schema.names, *some])
