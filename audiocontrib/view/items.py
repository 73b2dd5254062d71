"""Stretches of a list of items: filtered, sorted and counted by DuckDB over what was counted of a run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from audiocontrib.arrow import texts
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sql import arrow_table, cursor
from audiocontrib.store.views import parquet
from audiocontrib.view.asked import CHANGED, DIFFERS, OF_MODEL
from audiocontrib.view.counted import NUMBERS, VOTES, Counted

if TYPE_CHECKING:
    from pathlib import Path

    from audiocontrib.view.asked import ItemsAsked

RIGHT, WRONG = VOTES.index("right"), tuple(VOTES.index(name) for name in ("wrong", "abstained", "no choice"))


@dataclass(frozen=True, slots=True)
class ItemList:
    """Some rows of a list of items, and what the whole list adds up to."""

    items: list[dict[str, Any]]
    """id, question, type, split (its part), reason, NUMBERS, mark; ``votes`` (a word for each cell) and ``there``
    (the vote that they are held against)."""
    found: int
    of: int
    compared: dict[str, int] = field(default_factory=dict)
    """DIFFERS -> items with votes on both sides."""


@dataclass(slots=True)
class _Query:
    """Parts of a SELECT; what is in it of others goes by parameters."""

    source: str
    where: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def value(self, given: Any) -> str:
        """The parameter for a value."""
        self.values.append(given)
        return f"${len(self.values)}"

    def __str__(self) -> str:
        return f"from {self.source}" + (f" where {' and '.join(self.where)}" if self.where else "")


def list_items(
    counted: Counted,
    asked: ItemsAsked,
    marks: pa.Table,
    *,
    split: Path | None = None,
    there: Counted | None = None,
    only: pa.Table | None = None,
) -> ItemList:
    """The rows that are asked for.

    Args:
        marks: item_id and kind of the items that are marked, one row or several for each.
        split: the table of the saved split whose parts are shown; None: none.
        there: the counts that votes are held against: of this run or another.
        only: item_id of the items that there are; None: all of the run.

    Raises:
        UsageError: a word that the run does not know.
        AudiocontribError: what is compared is not counted yet.
    """
    if there is not None and not (counted.state and there.state):
        raise AudiocontribError("answers are being counted: what is compared can be seen in a moment")
    if asked.split and split is None:
        raise UsageError("the run has no split that items could be parts of")
    query = _Query(f"{counted.table} c")
    if split is not None:
        query.source += f" left join {split_rows(split)} s on s.item_id = c.item_id"
    here, other = _compared_columns(counted, asked, there)
    if there is not None and other.startswith("o."):
        query.source += f" join {there.table} o on o.item_id = c.item_id"
    _filter(query, counted, asked)
    with cursor() as con:
        con.register("marked", marks.select(["item_id", "kind"]))
        if only is not None:
            con.register("wanted", only)
            query.where.append("c.item_id in (select item_id from wanted)")
        compared: dict[str, int] = {}
        if here:
            pairs = f"select {here} as here, {other} as there, count(*) as n {query} group by all"
            compared = _added_up(arrow_table(con.sql(pairs, params=query.values)))
            query.where += [_pair(DIFFERS.index(asked.differs), here, other)] if asked.differs else []
        [(of,)] = con.execute(f"select count(*) from {counted.table}").fetchall()
        [(found,)] = con.execute(f"select count(*) {query}", query.values).fetchall()
        rows = arrow_table(con.sql(_rows(query, counted, asked, split, other), params=query.values)).to_pylist()
    return ItemList([_row(row, marks) for row in rows], found, of, compared)


def split_rows(table: Path) -> str:
    """SQL of a saved split: item_id, split, score and reason, of which a split of others may lack the last two."""
    none = "null::varchar as item_id, null::varchar as split, null::double as score, null::varchar as reason"
    return f"(from {parquet([table])} union all by name (select {none} where false))"


def _row(row: dict[str, Any], marks: pa.Table) -> dict[str, Any]:
    kinds = texts(marks.filter(pc.equal(marks["item_id"], row["id"]))["kind"])
    votes = [VOTES[vote] for vote in row["votes"]]
    return row | {"votes": votes, "mark": ", ".join(sorted(set(kinds)))} | (
        {"there": VOTES[row["there"]]} if "there" in row else {}
    )  # fmt: skip


def _filter(query: _Query, counted: Counted, asked: ItemsAsked) -> None:
    for word in asked.find.lower().split():
        query.where.append(f"contains(c.text, {query.value(word)})")
    if asked.type:
        query.where.append(f"c.type = {query.value(asked.type)}")
    if asked.split:
        query.where.append(f"s.split = {query.value(asked.split)}")
    if asked.marked in ("yes", "no"):
        query.where.append(f"c.item_id {'' if asked.marked == 'yes' else 'not '}in (select item_id from marked)")
    elif asked.marked:
        query.where.append(f"c.item_id in (select item_id from marked where kind = {query.value(asked.marked)})")
    models = _known(asked.model, counted.models, "model")
    conditions = _known(asked.condition, sorted({condition for _, condition in counted.cells}), "condition")
    if asked.model or asked.condition or asked.result:
        wanted = f"= {VOTES.index(asked.result)}" if asked.result else "<> 0"
        cells = [counted.column(model, condition) for model in models for condition in conditions]
        query.where.append(_any(f"c.{cell} {wanted}" for cell in cells if cell))
    if asked.changed:
        pairs = [(counted.column(one, counted.audio), counted.column(one, counted.condition or "")) for one in models]
        kind = CHANGED.index(asked.changed)
        query.where.append(_any(_pair(kind, f"c.{a}", f"c.{b}") for a, b in pairs if a and b))


def _known(word: str, there: Sequence[str], what: str) -> Sequence[str]:
    if word and word not in there:
        raise UsageError(f"there are no votes of the {what} {word!r}; there are: {', '.join(there) or 'none yet'}")
    return [word] if word else there


def _any(conditions: Iterable[str]) -> str:
    return f"({' or '.join(conditions) or 'false'})"


def _pair(kind: int, one: str, other: str) -> str:
    """SQL: whether two votes, both there, are right on the one side, the other, both, or neither."""
    wrong = f"in ({', '.join(map(str, WRONG))})"
    sides = ((True, False), (False, True), (True, True), (False, False))[kind]
    tests = (f"{vote} {f'= {RIGHT}' if right else wrong}" for vote, right in zip((one, other), sides, strict=True))
    return f"({' and '.join(tests)})"


def _compared_columns(counted: Counted, asked: ItemsAsked, there: Counted | None) -> tuple[str, str]:
    """The columns of votes here and there; empty where nothing is compared."""
    if there is None:
        return "", ""
    if not (counted.cells and there.cells):
        raise UsageError("there are no answers to compare")
    model = asked.model or counted.models[0]
    condition = asked.condition or counted.audio
    other = asked.other or (model if model in there.models else there.models[0])
    under = asked.under or condition
    here, column = counted.column(model, condition), there.column(other, under)
    for found, name, where in ((here, model, condition), (column, other, under)):
        if found is None:
            raise UsageError(f"{name!r} was not asked under {where!r}: there is nothing to compare")
    return f"c.{here}", f"{'c' if there.file == counted.file else 'o'}.{column}"


def _added_up(table: pa.Table) -> dict[str, int]:
    sums = dict.fromkeys(DIFFERS, 0)
    for row in table.to_pylist():
        if all(vote == RIGHT or vote in WRONG for vote in (row["here"], row["there"])):
            here, there = row["here"] == RIGHT, row["there"] == RIGHT
            sums[DIFFERS[(2 if there else 0) if here else (1 if there else 3)]] += row["n"]
    return sums


def _rows(query: _Query, counted: Counted, asked: ItemsAsked, split: Path | None, other: str) -> str:
    """One stretch of the list. Of a saved split its own score is shown, else that of ``contributions``."""
    votes = ", ".join(f"c.v{place}" for place in range(len(counted.cells)))
    score, part, reason = ("s.score", "s.split", "s.reason") if split else ("c.score", "''", "null")
    numbers = ", ".join(f"c.{name}" for name in NUMBERS[1:])
    by = _order(counted, asked, {"score": score, "split": part, "there": other or "null"})
    return (
        f"select c.item_id as id, c.question, c.type, {part} as split, {reason} as reason, {score} as score, "
        f"{numbers}, "
        f"[{votes}]::utinyint[] as votes{f', {other} as there' if other else ''} "
        f"{query} order by {by}c.item_id limit {asked.count} offset {asked.start}"
    )


def _order(counted: Counted, asked: ItemsAsked, names: dict[str, str]) -> str:
    """What rows are sorted by before their id, as SQL with a comma behind it."""
    key, way = asked.sort.removeprefix("-"), "desc" if asked.sort.startswith("-") else "asc"
    if not key:
        return ""
    if OF_MODEL.fullmatch(key):
        model = "".join(counted.models[int(key[1:]) :][:1])
        votes = [counted.column(model, name) for name in (counted.audio, counted.condition or "")]
        return "".join(f"c.{vote} {way}, " for vote in votes if vote)
    marked = "(select min(kind) from marked where marked.item_id = c.item_id)"
    names = {"id": "c.item_id", "mark": marked} | {name: f"c.{name}" for name in NUMBERS} | names
    return f"{names.get(key, f'c.{key}')} {way} nulls last, "
