"""What a report says of a run as a whole: tables, each made once from the run's views."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.contribution import accuracy
from audiocontrib.contribution.agreement import agreements
from audiocontrib.contribution.certificate import Certificate
from audiocontrib.contribution.scores import contributions
from audiocontrib.errors import AudiocontribError

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.store import Run

WITHOUT = ("silence", "text")
"""Conditions without the audio, in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """A split that was saved in the run."""

    name: str
    settings: dict[str, Any]
    sizes: dict[str, int]
    """strong, weak, undecided, unsolved -> items."""
    reasons: list[dict[str, Any]]
    """split, reason (with its numbers left out), items; the most frequent first."""
    curve: pa.Table | None
    """threshold, weak_share: what the split would call weak at other thresholds; None where items have no score."""
    certificates: list[str]
    """What held-out models show of its strong part, a sentence each."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything in a report but the single items."""

    run: Path
    about: dict[str, Any]
    """run.json."""
    counts: dict[str, int]
    """questions, quarantined, responses, failed, clips -> how many."""
    accuracy: pa.Table
    """:func:`audiocontrib.contribution.accuracy`."""
    by_type: pa.Table
    """The same by question_type."""
    condition: str | None
    """The condition without the audio that scores are about; None where the run has none."""
    scores: pa.Table
    """:func:`audiocontrib.contribution.contributions`, with question_type."""
    agreement: pa.Table
    calibration: pa.Table
    """model, condition, confidence (mean of the chosen option's posterior), accuracy, n: ten bins."""
    splits: list[SplitFacts] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    """Of an audit, the findings that a person has to look at."""


def gather(run: Run) -> Facts:
    """The facts of a run. AudiocontribError where it holds no answers yet."""
    with run.connect() as con:
        [found] = con.sql(COUNTS).fetchall()
        counts = dict(zip(("questions", "quarantined", "responses", "failed", "clips"), found, strict=True))
        if not counts["responses"]:
            raise AudiocontribError(f"{run.path} holds no answers yet: there is nothing to report")
        asked = {row[0] for row in con.sql("select distinct condition from responses").fetchall()}
        methods = {row[0] for row in con.sql("select distinct method from responses").fetchall()}
        method = "likelihood" if "likelihood" in methods else "generate"
        condition = next((c for c in WITHOUT if c in asked), None)
        overall, by_type = accuracy(con, method=method), accuracy(con, ["question_type"], method)
        scores = contributions(con, condition or "silence", "audio", method)
        types = con.sql("select item_id, question_type from items order by item_id").to_arrow_table()
        return Facts(
            run=run.path,
            about=run.manifest,
            counts=counts,
            accuracy=overall,
            by_type=by_type,
            condition=condition,
            scores=scores.append_column("question_type", types["question_type"]),
            agreement=agreements(con, condition, method) if condition else pa.table({}),
            calibration=con.sql(CALIBRATION).to_arrow_table(),
            splits=[
                _split(con, run, row[0]) for row in con.sql("select distinct name from splits order by 1").fetchall()
            ],
            findings=_findings(run),
        )


COUNTS = """
select (select count(*) from items), (select count(*) from quarantine),
    (select count(*) from responses), (select count(*) from responses where outcome = 'failed'),
    (select count(distinct clip_id) from items)
"""

CALIBRATION = """
with told as (
    select model, condition, list_max(posterior) as confidence, correct
    from responses where posterior is not null and correct is not null
)
select model, condition, avg(confidence) as confidence, avg(correct::int) as accuracy, count(*) as n
from told group by model, condition, least(9, floor(confidence * 10)) order by 1, 2, 3
"""

CURVE = """
select t.threshold, (
    select avg((s.score < t.threshold)::int) from splits s where s.name = $name and s.score is not null
) as weak_share
from (select unnest(range(0, 21)) / 20.0 as threshold) t order by 1
"""

REASONS = """
select split, regexp_replace(reason, '[0-9]+([.][0-9]+)?', '…', 'g') as reason, count(*) as items
from splits where name = $name group by 1, 2 order by 3 desc limit 12
"""


def _split(con: duckdb.DuckDBPyConnection, run: Run, name: str) -> SplitFacts:
    folder = run.split_folder(name)
    sizes = con.execute(
        "select split, count(*), count(*) filter (unsolved) from splits where name = $name group by 1", {"name": name}
    ).fetchall()
    curve = con.sql(CURVE, params={"name": name}).to_arrow_table()
    reasons = con.sql(REASONS, params={"name": name}).to_arrow_table().to_pylist()
    return SplitFacts(
        name=name,
        settings=read_json(folder / "settings.json") or {},
        sizes={row[0]: row[1] for row in sizes} | {"unsolved": sum(row[2] for row in sizes)},
        reasons=reasons,
        curve=None if curve["weak_share"].null_count else curve,
        certificates=certificates(folder),
    )


def _findings(run: Run) -> list[dict[str, Any]]:
    path = run.path / "audit.parquet"
    if not path.exists():
        return []
    kept = (pq.read_schema(path).metadata or {}).get(b"audiocontrib")
    return list(json.loads(kept)) if kept else []


def certificates(folder: Path) -> list[str]:
    """What `certify` found out about the split in a folder, a sentence for each held-out model."""
    try:
        rows = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Certificate.of_row(row).in_words() for row in rows]


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
