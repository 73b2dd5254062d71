"""What a report says of a run as a whole: tables, each made once from the run's views."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from audiocontrib.conditions import is_null
from audiocontrib.contribution import accuracy
from audiocontrib.contribution.agreement import agreements
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.certificate import Certificate
from audiocontrib.contribution.conflicts import conflicts
from audiocontrib.contribution.dose_response import dose_response
from audiocontrib.contribution.repeat_view import in_words
from audiocontrib.contribution.scope import Scope, scoped
from audiocontrib.contribution.scores import contributions
from audiocontrib.errors import AudiocontribError
from audiocontrib.report.first_answer import FirstAnswer, first_answers
from audiocontrib.sql import arrow_table
from audiocontrib.store.marks import of_split
from audiocontrib.store.queries import own_query
from audiocontrib.store.splits import TABLE

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.contribution.answer_counts import AnswerCounts
    from audiocontrib.contribution.scope import CheckedScope
    from audiocontrib.store import Run, SavedSplit

MOST_REASONS = 12
MOST_GROUPS = 60
"""Of question types, or of sources, a table for people has no more."""


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """A split that was saved in the run."""

    name: str
    settings: Mapping[str, Any]
    """The arguments of :func:`audiocontrib.split` that make it again."""
    findings: Mapping[str, Any]
    """What the rule found out about the set as a whole."""
    warnings: tuple[str, ...]
    sizes: dict[str, int]
    """strong, weak, undecided, unsolved -> items."""
    reasons: list[dict[str, Any]]
    """split, reason (what was measured of the single item left out), items; the most frequent first."""
    certificates: list[Certificate]
    """What held-out models show of its strong part."""
    rotated: int
    """How many of the certificates, the last, are of its own models, each left out in turn."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything in a report but the single items."""

    run: Path
    about: dict[str, Any]
    """run.json."""
    counts: dict[str, int]
    """questions, quarantined, responses, failed, clips -> how many."""
    first: list[FirstAnswer]
    """What the audio adds, by data set and model; empty where the run has no condition without it."""
    by_type: list[FirstAnswer]
    """The same by question type; empty where there is one type only."""
    by_source: list[FirstAnswer]
    """The same by the data set that items come from; empty where there is one only."""
    accuracy: pa.Table
    """:func:`audiocontrib.contribution.accuracy`."""
    audio: str
    """The condition with the audio."""
    condition: str | None
    """The condition without the audio that scores are about; None where the run has none."""
    scores: pa.Table
    """:func:`audiocontrib.contribution.contributions`, with question_type."""
    agreement: pa.Table
    calibration: pa.Table
    """model, condition, confidence (mean of the chosen option's posterior), accuracy, n: ten bins."""
    doses: pa.Table
    """:func:`audiocontrib.contribution.dose_response.dose_response`."""
    conflict: pa.Table
    """:func:`audiocontrib.contribution.conflicts.conflicts`."""
    splits: list[SplitFacts] = field(default_factory=list)
    """The one that the report is about first."""
    sensitivity: pa.Table | None = None
    """:func:`audiocontrib.splits.sensitivity.sensitivity` of the first split."""
    findings: list[dict[str, Any]] = field(default_factory=list)
    """Of an audit, the findings that a person has to look at."""
    counted: str = ""
    """Which of several replies to a question the tables count, in words; empty where each has one."""


def gather(run: Run, split: str | None = None) -> Facts:
    """The facts of a run.

    Args:
        split: the split that the report is about; None: the one that was saved last.

    Raises:
        AudiocontribError: the run holds no answers yet.
        UsageError: it has no such split.
    """
    saved = saved_by_time(run)
    if split is not None:
        first = run.split(split)
        saved = [first, *(one for one in saved if one.name != first.name)]
    counts = _counts(run)
    with scoped(run, None, {}) as (con, seen):
        asked = {row[0] for row in con.sql("select distinct condition from responses").fetchall()}
        method = likeliest_method(con)
        condition = without_audio(asked)
        told = count_answers(con, method=method)  # once: it reads every answer
        scope = Scope(condition=condition or "silence", method=method)
        scores = contributions(con, told=told, scope=scope)
        types = arrow_table(con.sql("select question_type from items order by item_id"))
        splits = [split_summary(con, one) for one in saved]
        heard = replace(seen, condition=condition, method=method) if condition and seen.audio in asked else None
        by = {name: _by(con, heard, told, name) for name in ("question_type", "source_dataset")}
        return Facts(
            run=run.path,
            about=run.manifest,
            counts=counts,
            first=first_answers(con, heard, told) if heard else [],
            by_type=by["question_type"],
            by_source=by["source_dataset"],
            accuracy=accuracy(con, method=method, told=told),
            audio=seen.audio,
            condition=condition,
            scores=scores.append_column("question_type", types["question_type"]),
            agreement=agreements(con, scope=scope) if condition else pa.table({}),
            calibration=arrow_table(con.sql(CALIBRATION)),
            splits=splits,
            sensitivity=_sensitivity(of_split(run, saved[0]), splits[0]) if splits else None,
            doses=dose_response(con, scope=scope),
            conflict=conflicts(con, scope=scope),
            counted=in_words(seen.repeat, seen.think_tokens),
            findings=_findings(run),
        )


def _by(con: duckdb.DuckDBPyConnection, heard: CheckedScope | None, told: AnswerCounts, by: str) -> list[FirstAnswer]:
    """What the audio adds by a column of the items; nothing where all have the same value, or each its own."""
    [(values,)] = con.execute(f"select count(distinct {by}) from items").fetchall()
    return first_answers(con, heard, told, by=by) if heard and 1 < values <= MOST_GROUPS else []


def _counts(run: Run) -> dict[str, int]:
    """Of all that the run holds."""
    [row] = own_query(run.path, COUNTS).to_pylist()
    if not row["responses"]:
        raise AudiocontribError(f"{run.path} holds no answers yet: ask for some with audiocontrib score")
    return row


def without_audio(asked: set[str]) -> str | None:
    """The condition without the audio that a report is about: the usual ones first, then any other null."""
    first = {"silence": 0, "silence:matched": 1, "text": 2}
    return min((c for c in asked if is_null(c)), key=lambda c: (first.get(c, len(first)), c), default=None)


COUNTS = """
select (select count(*) from items) as questions, (select count(*) from quarantine) as quarantined,
    (select count(*) from responses) as responses,
    (select count(*) from responses where outcome = 'failed') as failed,
    (select count(distinct clip_id) from items) as clips
"""

CALIBRATION = """
with told as (
    select model, condition, list_max(posterior) as confidence, correct
    from responses where posterior is not null and correct is not null
)
select model, condition, avg(confidence) as confidence, avg(correct::int) as accuracy, count(*) as n
from told group by model, condition, least(9, floor(confidence * 10)) order by 1, 2, 3
"""

REASONS = f"""
with said as (
    select split, regexp_replace(reason, '(^|[ (=])[0-9]+[.][0-9]+', '\\1…', 'g') as reason, count(*) as items
    from splits where name = $name group by 1, 2
), ranked as (select *, row_number() over (order by items desc, split, reason) as rank from said)
select split, if(rank > {MOST_REASONS}, 'other reasons', reason) as reason, sum(items)::bigint as items
from ranked group by 1, 2 order by min(rank)
"""


def likeliest_method(con: duckdb.DuckDBPyConnection) -> str:
    """Which answers are looked at where a run holds both kinds: likelihoods."""
    methods = {row[0] for row in con.sql("select distinct method from responses").fetchall()}
    return next((name for name in ("likelihood", "think-likelihood") if name in methods), "generate")


def saved_by_time(run: Run) -> list[SavedSplit]:
    """The splits that are saved in a run, the latest first."""
    return sorted(run.splits(), key=lambda saved: -(saved.folder / TABLE).stat().st_mtime)


def split_summary(con: duckdb.DuckDBPyConnection, saved: SavedSplit) -> SplitFacts:
    """What is known of a split that is saved."""
    name = saved.name
    sizes = con.sql(
        "select split, count(*), count(*) filter (unsolved) from splits where name = $name group by 1",
        params={"name": name},
    ).fetchall()
    return SplitFacts(
        name=name,
        settings=saved.settings,
        findings=saved.findings,
        warnings=saved.warnings,
        sizes={row[0]: row[1] for row in sizes} | {"unsolved": sum(row[2] for row in sizes)},
        reasons=arrow_table(con.sql(REASONS, params={"name": name})).to_pylist(),
        certificates=[Certificate.of_row(row) for row in saved.certificates],
        rotated=sum(bool(row.get("rotated")) for row in saved.certificates),
    )


def _sensitivity(run: Run, split: SplitFacts) -> pa.Table | None:
    from audiocontrib.splits.sensitivity import sensitivity

    try:
        return sensitivity(run, **split.settings)
    except AudiocontribError:
        return None  # e.g. answers that the rule needs are gone; the split itself is shown as it was saved


def _findings(run: Run) -> list[dict[str, Any]]:
    path = run.path / "audit.parquet"
    if not path.exists():
        return []
    kept = (pq.read_schema(path.absolute()).metadata or {}).get(b"audiocontrib")
    return list(json.loads(kept)) if kept else []
