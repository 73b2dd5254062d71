"""Accuracy of every model under every condition, with its intervals and against chance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from audiocontrib.arrow import integers
from audiocontrib.contribution.answer_counts import AnswerCounts, count_answers
from audiocontrib.contribution.scope import Answers, Scope, ScopeFields, scoped
from audiocontrib.contribution.votes import count_votes
from audiocontrib.errors import UsageError
from audiocontrib.sql import arrow_table
from audiocontrib.statistics import ClusteredMean, chance_corrected, mean_by_clip

if TYPE_CHECKING:
    import duckdb

GROUPS = ("dataset", "question_type", "source_dataset", "split")
"""Columns of the items by which accuracy can be broken down; also ``extra.NAME``, a field of the source's own."""

UNANSWERED = ("refused", "unparsed", "failed")

EXTRA = re.compile(r"extra\.[\w-]+")

COLUMNS: list[tuple[str, pa.DataType]] = [
    ("n", pa.int64()),
    *((name, pa.int64()) for name in ("right", "wrong", "abstained", "no_choice")),
    ("accuracy", pa.float64()),
    ("low", pa.float64()),
    ("high", pa.float64()),
    ("interval", pa.string()),
    ("chance", pa.float64()),
    ("credited", pa.float64()),
    ("chance_corrected", pa.float64()),
    ("missing", pa.int64()),
    *((name, pa.int64()) for name in UNANSWERED),
]


def accuracy(
    run: Answers,
    /,
    *,
    by: str | Sequence[str] = (),
    told: AnswerCounts | None = None,
    scope: Scope | None = None,
    **words: Unpack[ScopeFields],
) -> pa.Table:
    """One row per model, condition and group: the share of items that the model's vote gets right.

    Args:
        run: a run, or an open connection with its views.
        by: any of GROUPS, or ``extra.NAME`` (its value as text; null where an item lacks it); one, or several.
        told: the counts of all conditions by that method, where they are there already.
        scope, words: which answers count, see :class:`~audiocontrib.contribution.scope.Scope`. All conditions are
            shown.

    Returns:
        model, condition, the groups, n (items with a key and a vote), which are right, wrong (another option),
        abstained (the vote declines) or no_choice (a tie, or no reply that could be read); accuracy (right / n), low
        and high (95 %, by clip) and the kind of this interval (:mod:`~audiocontrib.statistics.clusters`), chance (mean
        1/K), credited (accuracy with 1/K for an abstention, which is no wrong guess), chance_corrected (of that),
        missing (items with a key but no vote); and, of single replies: refused, unparsed, failed. Items without a key
        count only among the replies. Accuracies are null where n is 0.

    Raises:
        UsageError: a group that does not exist, or a word that the run does not know.

    Example:
        >>> ac.accuracy(run, by="question_type", method="likelihood").to_pandas()
    """
    by = [by] if isinstance(by, str) else list(by)
    with scoped(run, scope, words) as (con, checked):
        check_groups(con, by, "accuracy by")
        return _accuracies(con, by, told or count_answers(con, method=checked.method))


def group_value(name: str) -> str:
    """A group as SQL over the items: a column, or a field of the source's own as text."""
    return f"extra ->> '$.\"{name[6:]}\"'" if EXTRA.fullmatch(name) else f'"{name}"'


def check_groups(con: duckdb.DuckDBPyConnection, by: Sequence[str], what: str) -> None:
    """UsageError, with what there is, if items cannot be grouped by one of these."""
    if unknown := [name for name in by if name not in GROUPS and not EXTRA.fullmatch(str(name))]:
        raise UsageError(f"{what} {', '.join(map(str, unknown))}: it can be by {', '.join(GROUPS)} or extra.NAME")
    check_extra(con, by)


def check_extra(con: duckdb.DuckDBPyConnection, by: Iterable[str]) -> None:
    """UsageError, with the fields that there are, if no item has a field of the source that is grouped by."""
    for name in (one for one in by if EXTRA.fullmatch(one)):
        found = con.execute(f"select count(*), count({group_value(name)}) from items").fetchall()
        if found[0][0] and not found[0][1]:
            fields = con.execute("select distinct unnest(json_keys(extra)) as field from items order by 1").fetchall()
            there = ", ".join(f"extra.{field}" for (field,) in fields[:20])
            raise UsageError(f"no item has the field {name}; {f'there are: {there}' if there else 'they have none'}")


def _accuracies(con: duckdb.DuckDBPyConnection, by: Sequence[str], told: AnswerCounts) -> pa.Table:
    cast, has_key = count_votes(told), told.gold >= 0
    grouped = f"""
        select *, dense_rank() over (order by clip_id) as clip,
            {f"dense_rank() over (order by {', '.join(_quoted(by))}) - 1" if by else 0} as part
        from (select *{"".join(map(_extra, by))} from items)
    """
    items = arrow_table(
        con.sql(f"select {', '.join(['clip', 'part', *_quoted(by)])} from ({grouped}) order by item_id")
    )
    clip, part = integers(items["clip"]), integers(items["part"])
    firsts = np.unique(part, return_index=True)[1]
    groups = items.select(list(by)).take(firsts).to_pylist() if by else [{}]
    ends = np.cumsum(np.bincount(part, minlength=len(groups)))
    members: list[NDArray[np.int64]] = np.split(np.argsort(part, kind="stable"), ends[:-1])
    unanswered = _unanswered(con, grouped, told.method)
    rows: list[dict[str, Any]] = []
    for cell, (model, condition) in enumerate(told.cells):
        for number, (group, own) in enumerate(zip(groups, members, strict=True)):
            voted = own[(cast.problem[own, cell] == 0) & has_key[own]]
            row = {"model": model, "condition": condition, **group, "missing": int(has_key[own].sum()) - len(voted)}
            row |= unanswered.get((model, condition, number), dict.fromkeys(UNANSWERED, 0))
            kinds = (cast.right[voted, cell], cast.abstained[voted, cell], cast.choice[voted, cell] < 0)
            rows.append(row | _measured(*kinds, clip[voted], cast.chance[voted]))
    names: list[tuple[str, pa.DataType]] = [(name, pa.string()) for name in ("model", "condition", *by)]
    return pa.Table.from_pylist(rows, schema=pa.schema(names + COLUMNS))


def _quoted(by: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in by]


def _extra(name: str) -> str:
    return "" if name in GROUPS else f', {group_value(name)} as "{name}"'


def _unanswered(
    con: duckdb.DuckDBPyConnection, grouped: str, method: str
) -> dict[tuple[str, str, int], dict[str, int]]:
    """How many replies were refused, unparsed and failed, by model, condition and part; nothing where none was."""
    counts = ", ".join(f"count(*) filter (outcome = '{name}') as {name}" for name in UNANSWERED)
    found = arrow_table(
        con.sql(
            f"""
        select model, condition, part, {counts} from responses join ({grouped}) using (item_id)
        where method = $method and outcome in {UNANSWERED} group by all
        """,
            params={"method": method},
        )
    )
    return {(r.pop("model"), r.pop("condition"), r.pop("part")): r for r in found.to_pylist()}


def _measured(
    right: NDArray[np.bool_],
    abstained: NDArray[np.bool_],
    none: NDArray[np.bool_],
    clips: NDArray[np.int64],
    chance: NDArray[np.float64],
) -> dict[str, Any]:
    """The accuracy on some items and all that hangs on it; nothing where there is none."""
    n, successes, declined, unchosen = len(right), int(right.sum()), int(abstained.sum()), int(none.sum())
    if not n:
        return dict.fromkeys(("n", "right", "wrong", "abstained", "no_choice"), 0)
    guessed, credited = float(chance.mean()), float((right + abstained * chance).mean())
    return {
        "n": n,
        "right": successes,
        "wrong": n - successes - unchosen,
        "abstained": declined,
        "no_choice": unchosen - declined,
        "accuracy": successes / n,
        **mean_by_clip(right, clips).in_columns(),
        "chance": guessed,
        "credited": credited,
        "chance_corrected": chance_corrected(credited, guessed),
    }


def contribution_of(
    change: NDArray[np.float64], chances: NDArray[np.float64], clips: NDArray[np.int64]
) -> ClusteredMean:  # fmt: skip
    """The mean chance-corrected change of correctness of some items.

    Args:
        change: right with the audio - right without, in [-1, 1], (n,).
        chances: 1 / K, (n,).
        clips: equal for items on one clip, (n,).
    """
    most = 1 / (1 - float(chances.mean())) if len(chances) else 1.0
    return mean_by_clip(change * most, clips, (-most, most))
