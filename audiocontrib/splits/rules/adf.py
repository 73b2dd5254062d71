"""Audio-Dependency Filtering: the four steps of DCASE 2026 Task 5, over answers that a run holds."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.contribution.tables import sql
from audiocontrib.contribution.votes import votes as vote_table
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.splits.base import Asked, Decided, rule

SHEET = ("item_id", "question", "choices", "answer", "verdict", "note")
VERDICTS = ("keep", "reject", "")


@rule("adf", 0.5, "Audio-Dependency Filtering: silent probing, commonsense, perplexity rank, a review sheet")
def adf(
    asked: Asked,
    silent_right: int | None = None,
    commonsense: str | Sequence[str] | None = None,
    commonsense_condition: str = "text",
    perplexity: str | None = None,
    perplexity_condition: str = "text",
    rank: int = 1,
    review: str | None = None,
    review_out: str | None = None,
) -> Decided:
    """Items that a step rejects are weak, with the step in the reason; what passes all steps is strong.

    The published text (arXiv 2607.18718) names the steps but neither thresholds nor judges: those here are
    parameters, and their defaults are ours. A step that is not configured is left out, and the findings say so.

    1. Silent probing: rejected if at least ``silent_right`` models are right under the condition
       (None: so many that the threshold on the share of wrong models is missed, as under ``votes``).
    2. Commonsense: rejected if a model of ``commonsense`` (one, or several) is right under
       ``commonsense_condition``; meant for text-only language models.
    3. Perplexity: rejected if the gold is among the ``rank`` likeliest options by the per-token log-probability
       of the model ``perplexity`` under ``perplexity_condition``, the mean over the orders.
    4. Review: ``review_out`` writes a sheet (CSV) of what is left; filled in (verdict: keep or reject), it is
       read back as ``review``. Items without a verdict are kept, and counted.

    Raises:
        UsageError: a model, column or verdict that is not there.
        AudiocontribError: the run lacks the answers that a step needs.
    """
    con, scores = asked.con, asked.scores
    models = scores["models"][0].as_py() if len(scores) else 0
    needed = silent_right or models - ceil(asked.threshold * models) + 1
    steps: list[tuple[str, pa.Table]] = [
        ("1 silent probing", _rejects(scores, f"votes_right >= {needed}", _silent_reason(asked.condition)))
    ]
    findings: dict[str, Any] = {"silent_right": needed, "steps_left_out": []}
    names = [commonsense] if isinstance(commonsense, str) else list(commonsense or ())
    if names:
        steps.append(("2 commonsense", _commonsense(asked, names, commonsense_condition)))
    else:
        findings["steps_left_out"].append("commonsense")
    if perplexity:
        table, at_top, chance = _perplexity(asked, perplexity, perplexity_condition, rank)
        steps.append(("3 perplexity", table))
        findings |= {"gold_among_likeliest": at_top, "gold_among_likeliest_by_chance": chance}
    else:
        findings["steps_left_out"].append("perplexity")
    if review:
        steps.append(("4 review", _reviewed(Path(review), scores)))
    else:
        findings["steps_left_out"].append("review")
    decided = _decide(scores, steps)
    for name, _ in steps:
        findings[f"rejected_by_{name}"] = sum(
            reason.startswith(name)
            for reason in decided.filter(pc.equal(decided["split"], "weak"))["reason"].to_pylist()
        )
    if review_out:
        findings["to_review"] = _write_sheet(con, decided, Path(review_out))
    return Decided(decided, findings)


def _silent_reason(condition: str) -> str:
    quoted = condition.replace("'", "''")
    return f"concat(votes_right, ' of ', models, ' models right under {quoted}')"


def _rejects(table: pa.Table, where: str, reason: str) -> pa.Table:
    return sql(f"select item_id, {reason} as reason from found where {where}", found=table)


def _decide(scores: pa.Table, steps: Sequence[tuple[str, pa.Table]]) -> pa.Table:
    """The first step that rejects an item counts. An item without a key, or without all votes, is undecided."""
    joins = " ".join(f"left join step{i} using (item_id)" for i in range(len(steps)))
    reasons = ", ".join(f"'{name}: ' || step{i}.reason" for i, (name, _) in enumerate(steps))
    return sql(
        f"""
        select item_id, null::double as guessing, coalesce({reasons}) as rejected,
            case when score is null then 'undecided' when rejected is null then 'strong' else 'weak' end as split,
            case when score is not null then (rejected is null)::int::double end as score,
            case
                when len(missing) > 0 then array_to_string(missing, '; ')
                when votes_right is null then 'the item has no answer key'
                else coalesce(rejected, 'passed every step')
            end as reason
        from scores {joins}
        """,
        scores=scores,
        **{f"step{i}": table for i, (_, table) in enumerate(steps)},
    ).drop_columns(["rejected"])


def _commonsense(asked: Asked, names: Sequence[str], condition: str) -> pa.Table:
    """Items that one of the named models gets right from the text."""
    table = vote_table(asked.con, [condition], asked.method)
    there = set(table["model"].unique().to_pylist())
    if missing := [name for name in names if name not in there]:
        raise AudiocontribError(_not_asked(missing[0], condition))
    return sql(
        "select item_id, string_agg(model, ', ' order by model) || ' right from the text alone' as reason "
        "from voted where correct and list_contains($names, model) group by item_id".replace(
            "$names", "[" + ", ".join("'" + n.replace("'", "''") + "'" for n in names) + "]"
        ),
        voted=table,
    )


def _perplexity(asked: Asked, model: str, condition: str, rank: int) -> tuple[pa.Table, float, float]:
    """Items whose gold is among the likeliest options; the share of such items, and that by chance.

    By chance, if the text said nothing, the rank would be uniform on 1 to K.
    """
    if rank < 1:
        raise UsageError(f"rank {rank}: the likeliest option has rank 1")
    ranks = asked.con.sql(
        """
        with each as (
            select item_id, unnest(option_logprob) / unnest(option_tokens) as score,
                unnest(range(len(option_logprob))) as option
            from responses where model = $model and condition = $condition and option_logprob is not null
        ),
        means as (select item_id, option, avg(score) as score from each group by all),
        ranked as (select *, rank() over (partition by item_id order by score desc) as place from means)
        select item_id, place, len(choices) as k
        from ranked join items using (item_id) where option = answer order by item_id
        """,
        params={"model": model, "condition": condition},
    ).to_arrow_table()
    if not len(ranks):
        raise AudiocontribError(_not_asked(model, condition) + " --method likelihood")
    share = pc.mean(pc.less_equal(ranks["place"], rank).cast(pa.float64())).as_py()
    chance = float(np.minimum(rank / ranks["k"].to_numpy(), 1).mean())
    what = (
        f"'the gold is option ' || place || ' of ' || k || ' by likelihood per token (at most {int(rank)} is rejected)'"
    )
    return _rejects(ranks, f"place <= {int(rank)}", what), share, chance


def _not_asked(model: str, condition: str) -> str:
    return (
        f"the run holds no answers of {model!r} under {condition!r}; ask for them first: "
        f"audiocontrib score --model {model} --condition {condition}"
    )


def _reviewed(sheet: Path, scores: pa.Table) -> pa.Table:
    """Items that the filled-in sheet rejects."""
    try:
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{sheet}: the review sheet cannot be read: {error}") from error
    known = set(scores["item_id"].to_pylist())
    found = []
    for line, row in enumerate(rows, start=2):
        item_id, verdict = (row.get("item_id") or "").strip(), (row.get("verdict") or "").strip().lower()
        if item_id not in known:
            raise UsageError(f"{sheet}:{line}: item_id: the run has no item {item_id!r}")
        if verdict not in VERDICTS:
            raise UsageError(f"{sheet}:{line}: verdict: {verdict!r} is neither keep nor reject")
        if verdict == "reject":
            found.append({"item_id": item_id, "reason": (row.get("note") or "").strip() or "rejected by a person"})
    return pa.Table.from_pylist(found, schema=pa.schema([("item_id", pa.string()), ("reason", pa.string())]))


def _write_sheet(con: Any, decided: pa.Table, path: Path) -> int:
    """The items that passed, for a person to look at; their number."""
    passed = decided.filter(pc.equal(decided["split"], "strong")).select(["item_id"])
    con.register("passed", passed)
    try:
        rows = con.execute(
            "select item_id, question, choices, choices[answer + 1] from items semi join passed using (item_id) "
            "order by item_id"
        ).fetchall()
    finally:
        con.unregister("passed")
    if path.exists():
        raise UsageError(f"{path} is there already, perhaps filled in; name another file for the review sheet")
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(SHEET)
            writer.writerows([_safe(i), _safe(q), " | ".join(map(_safe, c)), _safe(a), "", ""] for i, q, c, a in rows)
    except OSError as error:
        raise AudiocontribError(f"{path}: the review sheet cannot be written: {error}") from error
    return len(rows)


def _safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
