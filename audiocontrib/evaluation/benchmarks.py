"""Benchmark x model x condition: accuracy with its intervals, beside what needs no listening at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from audiocontrib.arrow import equal, integers, schema_of, truths
from audiocontrib.audit.baselines import baselines
from audiocontrib.contribution.accuracies import accuracy, contribution_of, group_value
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import CheckedScope, Scope, ScopeFields, scoped
from audiocontrib.contribution.votes import Votes, count_votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation.correctness import parts_of
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import gain
from audiocontrib.store.marks import marked_together
from audiocontrib.store.runs import as_runs, check_same_models

if TYPE_CHECKING:
    import duckdb

    from audiocontrib.store import Run

EVALUATION_SCHEMA = schema_of(
    **dict.fromkeys(("dataset", "part", "model", "condition"), pa.string()),
    n=pa.int64(),
    **dict.fromkeys(("right", "wrong", "abstained", "no_choice"), pa.int64()),
    **dict.fromkeys(("accuracy", "low", "high"), pa.float64()),
    interval=pa.string(),
    **dict.fromkeys(("chance", "constant", "credited", "chance_corrected"), pa.float64()),
    **dict.fromkeys(("contribution", "contribution_low", "contribution_high"), pa.float64()),
    contribution_interval=pa.string(),
    **dict.fromkeys(("least_contribution", "most_contribution"), pa.float64()),
    constant_strategy=pa.string(),
    **dict.fromkeys(("missing", "refused", "unparsed", "failed"), pa.int64()),
)


def evaluate(
    runs: Run | Sequence[Run],
    /,
    *,
    by: str | None = None,
    split: str | None = None,
    without_marked: str | Sequence[str] = (),
    corrected_keys: bool = False,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per benchmark, part, model and condition (EVALUATION_SCHEMA).

    Args:
        runs: one or more; their items are told apart by data set.
        by: question_type, source_dataset, split or extra.NAME: rows for each value, beside those for ``all``.
        split: name of a split in each run: rows for its strong and weak items too.
        without_marked, corrected_keys: kinds of marks whose items are left out, and whether corrected keys count
            (:func:`audiocontrib.marked`); marks of one run count in all.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`; all conditions.

    Returns:
        Of n votes those that are right, wrong (another option), abstained (they decline) and no_choice (a tie, or not
        read); ``accuracy`` of the vote over all orders, its 95 % interval by clip (low, high) and the kind of it
        (``interval``, :mod:`~audiocontrib.statistics.clusters`); ``chance``, the mean of 1/K; ``constant``, the best
        accuracy that one and the same place, or the longest or shortest option, would have on these items;
        ``credited``, accuracy with 1/K for each abstention; ``chance_corrected``, (credited - chance) / (1 - chance);
        ``contribution``, what the audio adds over this condition: the chance-corrected accuracy under ``audio`` minus
        the one here, on the items that have both votes, with its 95 % interval by clip (null for ``audio`` itself, and
        where it was not asked), and between which bounds it lies whatever abstentions are worth: 1/K, nothing, or the
        model's answer with the audio (least_contribution, most_contribution); missing votes; and how many replies were
        refused, unparsed and failed.

    Raises:
        UsageError: a run lacks the split, or a group does not exist.
        AudiocontribError: no run holds answers.

    Example:
        >>> ac.evaluate([mmau, mmar], by="question_type").to_pandas()
    """
    if by == "dataset":
        raise UsageError("rows are told apart by data set as they are: group them by something else", argument="by")
    rows: list[dict[str, Any]] = []
    check_same_models(as_runs(runs))
    for run in marked_together(as_runs(runs), without_marked, corrected_keys):
        with scoped(run, scope, words) as (con, checked):
            rows += _rows(run, con, checked, by, split)
    if not rows:
        raise AudiocontribError("the runs hold no answers; score first")
    return pa.Table.from_pylist(rows, schema=EVALUATION_SCHEMA)


def _rows(
    run: Run, con: duckdb.DuckDBPyConnection, scope: CheckedScope, by: str | None, split: str | None
) -> Iterator[dict[str, Any]]:
    told = count_answers(con, method=scope.method)
    for group in (None, by) if by else (None,):
        yield from benchmark_rows(con, scope, told, group)
    if split is not None:
        con.register("parted", parts_of(run, split).table)
        con.execute(
            "create temp table items_by_part as select i.* replace (p.split as split) from items i "
            "join parted p using (item_id)"
        )
        con.execute("create or replace temp view items as from items_by_part")
        yield from benchmark_rows(con, scope, count_answers(con, method=scope.method), "split")


def benchmark_rows(
    con: duckdb.DuckDBPyConnection,
    scope: CheckedScope,
    told: AnswerCounts,
    group: str | None,
    *,
    constant: bool = True,
) -> Iterator[dict[str, Any]]:
    """The rows of an accuracy table, with what stands beside each part and each condition.

    Args:
        constant: whether with the best constant strategy, for which every option is read.
    """
    table = accuracy(con, by=["dataset", *([group] if group else [])], told=told, scope=scope)
    items, cast = _items(con, group, texts=constant), count_votes(told)
    cells = {cell: place for place, cell in enumerate(told.cells)}
    best: dict[tuple[str, str], tuple[str, float | None]] = {}
    for row in table.to_pylist():
        part = "all" if group is None else str(row.get(group) or "")
        place = str(row["dataset"]), part
        own = pc.and_(equal(items["dataset"], place[0]), equal(items["part"], part))
        if constant and place not in best:
            best[place] = _constant(items.filter(own))
        strategy, value = best.get(place, ("", None))
        given = {name: row.get(name) for name in EVALUATION_SCHEMA.names}
        yield given | {"part": part, "constant": value, "constant_strategy": strategy} | _added(
            truths(own) & (told.gold >= 0), integers(items["clip"]), cast,
            cells.get((row["model"], scope.audio)), cells[row["model"], row["condition"]],
        )  # fmt: skip


def _items(con: duckdb.DuckDBPyConnection, group: str | None, *, texts: bool) -> pa.Table:
    """Data set, part, clip (a number) and, with texts, choices and answer of every item, in the order of a tally."""
    value = group_value(group) if group else "'all'"
    return arrow_table(
        con.sql(
            f"select dataset, coalesce({value}, '') as part, dense_rank() over (order by clip_id) as clip"
            f"{', choices, answer, notes, extra' if texts else ''} from items order by item_id"
        )
    )


def _added(
    own: NDArray[np.bool_],
    clips: NDArray[np.int64],
    cast: Votes,
    audio: int | None,
    cell: int,
) -> dict[str, Any]:
    """What the audio adds over a condition, on the items of a part that have both votes; nothing over itself."""
    if audio is None or audio == cell:
        return {}
    both: NDArray[np.bool_] = own & (cast.problem[:, audio] == 0) & (cast.problem[:, cell] == 0)
    if not both.any():
        return {}
    heard = cast.heard(audio, cell, both)
    room = 1 - float(heard.chance.mean())
    found = contribution_of(gain(heard.sides()), heard.chance, clips[both])
    low, high = found.interval()
    least, most = heard.bounds(gain)
    ends = {"contribution_low": low, "contribution_high": high, "contribution_interval": found.kind}
    bounds = {"least_contribution": least / room, "most_contribution": most / room}
    return {"contribution": found.mean, **ends, **bounds}


def _constant(items: pa.Table) -> tuple[str, float]:
    """The best of the strategies that neither hear nor read the question."""
    for row in baselines(items).to_pylist():
        if not row["strategy"].startswith("uniform"):
            return row["strategy"], row["accuracy"]
    return "", float(np.nan)
