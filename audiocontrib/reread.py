"""Reading again: the replies of a run as today's reader reads them, with what that changes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pyarrow as pa

from audiocontrib import answers
from audiocontrib.answers.shown import read_either_way
from audiocontrib.arrow import schema_of
from audiocontrib.conditions import borrows_option
from audiocontrib.errors import AudiocontribError
from audiocontrib.prompts import rotate
from audiocontrib.responses import Outcome, Response
from audiocontrib.store import Run
from audiocontrib.store.files import make_folder, write_table_atomic
from audiocontrib.store.runs import as_run

READINGS = "readings"
"""Folder of a run: one file for each time that it was read again, with the older readings."""
PART = 20_000
"""Replies that are read at a time."""
READING_SCHEMA = schema_of(
    item_id=pa.string(),
    model=pa.string(),
    condition=pa.string(),
    order=pa.int16(),
    request_key=pa.string(),
    reader_before=pa.int32(),
    outcome_before=pa.string(),
    choice_before=pa.int16(),
    reader=pa.int32(),
    outcome=pa.string(),
    choice=pa.int16(),
    reply=pa.string(),
)
"""A reply that is read otherwise than before; choices are in the item's own order."""
CHANGE_SCHEMA = schema_of(
    model=pa.string(),
    condition=pa.string(),
    n=pa.int64(),
    **{f"{how}_{when}": pa.int64() for how in ("answered", "refused", "unparsed") for when in ("before", "now")},
    changed=pa.int64(),
    other_choice=pa.int64(),
)
"""Per model and condition: replies by outcome, before and now; those that changed, and of these those whose choice
is another."""
_REPLIES = """
select r.*, i.choices, i.answer, i.extra, lender.choices[lender.answer + 1] as lent
from responses r join (select item_id, choices, answer, extra from items) i using (item_id)
    left join items lender on lender.item_id = r.partner_id
where r.method = 'generate' and r.outcome <> 'failed' and r.reply is not null
"""


@dataclass(frozen=True, slots=True)
class Reread:
    """What reading a run again changes, or has changed."""

    reader_before: int
    """Version of the reader by which the run was read."""
    reader: int
    written: bool
    changes: pa.Table = field(repr=False)
    """CHANGE_SCHEMA."""
    readings: pa.Table = field(repr=False)
    """READING_SCHEMA: the replies that are read otherwise."""


def reread(run: Run, /, *, dry_run: bool = False) -> Reread:
    """Read the stored replies of ``run`` again by today's reader.

    Changed rows are added as a part, so that they count instead of the older ones, which stay in their own parts;
    both readings are also kept in ``readings/``. Nothing is asked again, and no failure is touched. Contributions
    and splits are derived: make them again.

    Args:
        dry_run: only say what would change.

    Raises:
        AudiocontribError: a newer reader has read them; or the disk is full: what was written counts, and the same
            call goes on.

    Example:
        >>> ac.reread(ac.open_run("runs/first"), dry_run=True).changes.to_pandas()
    """
    before = as_run(run).reader
    if before > answers.READER:
        raise AudiocontribError(
            f"{run.path}: its replies were read by reader {before}, and this is {answers.READER}; update audiocontrib"
        )
    imported = run.manifest.get("identity", {}).get("orders") == "imported"
    counts: dict[tuple[str, str], dict[str, int]] = {}
    found: list[dict[str, Any]] = []
    for rows in _batches(run):
        changed: list[Response] = []
        for row in rows:
            outcome, choice = _read(row, imported=imported)
            count = counts.setdefault((row["model"], row["condition"]), dict.fromkeys(CHANGE_SCHEMA.names[2:], 0))
            count["n"] += 1
            count[f"{row['outcome']}_before"] += 1
            count[f"{outcome}_now"] += 1
            if (outcome, choice) == (row["outcome"], row["choice"]):
                continue
            count["changed"] += 1
            count["other_choice"] += None not in (choice, row["choice"]) and choice != row["choice"]
            old = {"reader_before": before, "outcome_before": row["outcome"], "choice_before": row["choice"]}
            now = {"reader": answers.READER, "outcome": str(outcome), "choice": choice}
            found.append({name: row[name] for name in READING_SCHEMA.names if name in row} | old | now)
            changed.append(_response(row, outcome, choice))
        if not dry_run:
            run.append(changed)
    readings = pa.Table.from_pylist(found, schema=READING_SCHEMA)
    if not dry_run:
        if found:
            make_folder(run.path / READINGS)
            name = f"{time.time_ns():020d}-reader-{before}-to-{answers.READER}.parquet"
            write_table_atomic(readings, run.path / READINGS / name)
        run.set_reader(answers.READER)
    rows_of = [{"model": m, "condition": c} | count for (m, c), count in sorted(counts.items())]
    return Reread(before, answers.READER, not dry_run, pa.Table.from_pylist(rows_of, schema=CHANGE_SCHEMA), readings)


def _batches(run: Run) -> Iterator[list[dict[str, Any]]]:
    with run.views() as con:
        for batch in con.sql(_REPLIES).to_arrow_reader(PART):
            yield [row | {"choices": _offered(row)} for row in batch.to_pylist()]


def _offered(row: dict[str, Any]) -> list[str]:
    """The options that were offered: the item's own, and one that its condition borrowed."""
    return [*row["choices"], row["lent"]] if borrows_option(row["condition"]) else row["choices"]


def _read(row: dict[str, Any], *, imported: bool) -> tuple[Outcome, int | None]:
    published = json.loads(row["extra"] or "{}").get("published_choices") if imported else None
    try:
        answer = read_either_way(row["reply"], rotate(row["choices"], row["order"]), published, finish=row["finish"])
    except ValueError:
        return Outcome.UNPARSED, None
    choice = None if answer.choice is None else (answer.choice + row["order"]) % len(row["choices"])
    return answer.outcome, choice


def _response(row: dict[str, Any], outcome: Outcome, choice: int | None) -> Response:
    """The row with its new reading; a moment later, so that it counts instead of the older."""
    fields = {name: value for name, value in row.items() if name in Response.__dataclass_fields__}
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    correct = None if row["answer"] is None else choice == row["answer"]
    new = {"outcome": outcome, "choice": choice, "correct": correct}
    return Response(**fields | lists | new | {"created_at": row["created_at"] + timedelta(microseconds=1)})


def examples(readings: pa.Table, choices: dict[str, list[str]], n: int) -> Iterator[str]:
    """The first ``n`` changed replies in words, a line each."""
    for row in readings.slice(0, n).to_pylist():
        texts = [*choices[row["item_id"]], "the borrowed option"]
        was, now = (
            json.dumps(texts[row[f"choice{when}"]], ensure_ascii=False)
            if row[f"choice{when}"] is not None
            else row[f"outcome{when}"]
            for when in ("_before", "")
        )
        reply = " ".join(row["reply"].split())
        yield f"{row['item_id']}: {was} -> {now}: {reply if len(reply) <= 120 else '…' + reply[-119:]}"
