"""A run in one screen, or one item with all its answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, overload

import pyarrow as pa

from audiocontrib.conditions import borrows_option
from audiocontrib.contribution import accuracy
from audiocontrib.errors import UsageError
from audiocontrib.items import Item
from audiocontrib.items.view import items_html
from audiocontrib.notebook import arrow_html, html_block, html_lines
from audiocontrib.provenance import ScoreStep, run_steps
from audiocontrib.sql import arrow_table, sql_literal
from audiocontrib.store.run import AUDIT
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    from audiocontrib.store import Run

REPORT = "report.html"
COUNTS = """
select (select count(*) from items) as items, (select count(distinct clip_id) from items) as clips,
    (select count(distinct coalesce(item_id, file || line)) from quarantine) as quarantined,
    count(*) filter (outcome <> 'failed') as answered, count(*) filter (outcome = 'failed') as failed
from responses
"""
PARTS = """
select name, count(*) filter (split = 'strong') as strong, count(*) filter (split = 'weak') as weak,
    count(*) filter (split = 'undecided') as undecided
from splits group by 1 order by 1
"""
ANSWERS = """
select model, condition, "order", repeat, think_tokens, outcome, choice, correct,
    list_transform(posterior, lambda p: round(p, 3)) as posterior, reply, error
from responses where item_id = $id order by all
"""


@dataclass(frozen=True, slots=True)
class RunOverview:
    """What was asked of whom, how far it is, and what was made of it."""

    path: Path
    asked: tuple[str, ...]
    """In words: the data set, the models, the conditions and how they were asked, the answers."""
    left: int
    """Questions that have no answer yet."""
    accuracy: pa.Table = field(repr=False)
    """:func:`audiocontrib.accuracy`."""
    splits: pa.Table = field(repr=False)
    """name, strong, weak, undecided: the splits that were saved."""
    files: tuple[Path, ...] = ()
    """What else was made: the audit, the report."""

    @property
    def made(self) -> tuple[str, ...]:
        """In words: the splits and the files."""
        parts = tuple(
            f"split {row['name']}: {row['strong']:,} strong, {row['weak']:,} weak, {row['undecided']:,} undecided"
            for row in self.splits.to_pylist()
        )
        return parts + tuple(f"{path.stem}: {path}" for path in self.files)

    def __str__(self) -> str:
        return "\n".join((*self.asked, *self.made))

    def _repr_html_(self) -> str:
        return html_block(self.path, html_lines(self.asked), arrow_html(self.accuracy), html_lines(self.made))


@dataclass(frozen=True, slots=True)
class ItemAnswers:
    """An item, and all that was answered to it."""

    item: Item
    answers: pa.Table = field(repr=False)
    """model, condition, order, repeat, think_tokens, outcome, choice, correct, posterior, reply, error."""

    def __str__(self) -> str:
        marks = ("*" if place == self.item.answer else " " for place in range(len(self.item.choices)))
        choices = zip(marks, self.item.choices, strict=True)
        options = (f"  {mark} {place}  {choice}" for place, (mark, choice) in enumerate(choices))
        return "\n".join((self.item.id, self.item.question, *options))

    def _repr_html_(self) -> str:
        return html_block("", items_html(self.item.id, [self.item], ()), arrow_html(self.answers))


@overload
def show(run: Run, /, item: None = None, *, by: str | Sequence[str] = ()) -> RunOverview: ...
@overload
def show(run: Run, /, item: str, *, by: str | Sequence[str] = ()) -> ItemAnswers: ...
def show(run: Run, /, item: str | None = None, *, by: str | Sequence[str] = ()) -> RunOverview | ItemAnswers:
    """Sum up a run; or show one item and what every model answered.

    Args:
        run: a run.
        item: an item's id, or the end of one.
        by: groups of the accuracy: question_type, source_dataset, extra.FIELD; one, or several.

    Raises:
        UsageError: no such item, several that end so, or a group that does not exist.

    Example:
        >>> ac.show(run, by="question_type")
        >>> ac.show(run, "demo/sound/0-17")
    """
    as_run(run)
    if item is None:
        return _overview(run, by)
    if not isinstance(item, str):
        raise UsageError(f"item is {item!r}, but is the id of an item, or the end of one")
    if by:
        raise UsageError("groups are for a run as a whole: leave by out, or the item")
    return _item_answers(run, item)


def _overview(run: Run, by: str | Sequence[str]) -> RunOverview:
    with run.views() as con:
        table, splits = accuracy(con, by=by), arrow_table(con.sql(PARTS))
    left = _left(run)
    files = tuple(path for path in (run.path / AUDIT, run.path / REPORT) if path.exists())
    return RunOverview(run.path, tuple(_asked(run, left)), left, table, splits, files)


def _asked(run: Run, left: int) -> Iterator[str]:
    identity = run.manifest.get("identity", {})
    data, prompt = identity.get("dataset", {}), identity.get("prompt") or {}
    [counts] = run.table(COUNTS).to_pylist()
    revision = f"@{data['revision']}" if data.get("revision") else ""
    yield (
        f"{data.get('name', '?')}{revision}: {counts['items']:,} items on {counts['clips']:,} clips, "
        f"{counts['quarantined']:,} quarantined"
    )
    yield f"models: {', '.join(identity.get('models', {})) or '?'}"
    yield (
        f"asked: {', '.join(identity.get('conditions', []))}; {identity.get('method', '?')}, "
        f"orders {identity.get('orders', '?')}, prompt {prompt.get('name', '?')}"
    )
    if drawn := identity.get("sampling"):
        how = ", ".join(f"{name} {value:g}" for name, value in drawn.items())
        yield f"replies: {_repeats(run)} to each question, drawn by {how}"
    yield (
        f"answers: {counts['answered']:,}, {counts['failed']:,} failed" + (f", {left:,} not asked yet" if left else "")
    )


def _left(run: Run) -> int:
    """Questions of the run that have no answer; imported answers follow no plan."""
    identity = run.manifest.get("identity", {})
    if identity.get("orders") not in ("cyclic", "given"):
        return 0
    each = "len(choices)" if identity["orders"] == "cyclic" else "1"
    # of questions with a borrowed option it is not known how many can be asked
    own = [name for name in identity.get("conditions", []) if not borrows_option(name)]
    cells = len(identity.get("models", {})) * len(own) * _repeats(run)
    named = ", ".join(map(sql_literal, own)) or "''"
    sound = "item_id not in (select item_id from quarantine where item_id is not null)"
    [row] = run.table(
        f"select (select coalesce(sum({each}), 0) from items where {sound}) as asked, "
        f"(select count(*) from responses where {sound} and condition in ({named})) as there"
    ).to_pylist()
    return max(0, int(row["asked"]) * cells - int(row["there"]))


def _repeats(run: Run) -> int:
    """How often each question was to be asked."""
    steps = [step for step in run_steps(run) if isinstance(step, ScoreStep)]
    bounds = {bound for step in steps for bound in step.think_tokens or (None,)}
    return max((step.repeats for step in steps), default=1) * max(1, len(bounds))


def _item_answers(run: Run, item: str) -> ItemAnswers:
    with run.views() as con:
        found = con.execute(
            "select item_id from items where item_id = $id or ends_with(item_id, '/' || $id) order by item_id limit 3",
            {"id": item},
        ).fetchall()
        if len(found) != 1:
            many = ", ".join(name for (name,) in found)
            raise UsageError(
                f"{item!r} fits several items: {many}, …" if found else f"the run {run.path} has no item {item!r}"
            )
        [(name,)] = found
        answers = arrow_table(con.sql(ANSWERS, params={"id": name}))
    items = run.load_items()
    place = items.table["item_id"].to_pylist().index(name)
    return ItemAnswers(items[place], answers)
