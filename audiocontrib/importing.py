"""Answers from elsewhere: what another tool's models said, as a run that can be measured and split."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audiocontrib import answers
from audiocontrib.conditions import condition as known_condition
from audiocontrib.errors import AudiocontribError, BadItem, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item, Items, as_items
from audiocontrib.prompts import rotate
from audiocontrib.provenance import DataSource, ImportStep, to_json
from audiocontrib.responses import Outcome, Response
from audiocontrib.sources.base import BrokenRow, Columns
from audiocontrib.sources.files import manifests, read_rows
from audiocontrib.store import Run

COLUMNS = ("item_id", "model", "condition", "order", "reply", "choice", "posterior")
"""The columns that are read; a mapping names those that are called otherwise."""
SAYS = {"reply": "generate", "choice": "generate", "posterior": "likelihood"}
"""The columns of which each row needs one, and the method that its answers count as."""
PART = 20_000
"""Answers that are written at a time."""
Place = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of answers."""

    run: Run
    added: int
    already: int
    """Answers that the run held before, exactly so."""
    problems: tuple[str, ...] = field(repr=False)
    """One line for each row that could not be taken: file, line and reason."""


def import_responses(
    path: str | Path,
    run: str | Path,
    items: Iterable[Item] | None = None,
    *,
    model: str | None = None,
    condition: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Imported:
    """Take the answers of a file, or of all files in a folder, into a run. No audio is needed.

    A row holds ``item_id`` (the whole id, or the data set's own), ``model``, ``condition``, and one of
    ``reply`` (read by :func:`audiocontrib.answers.parse`), ``choice`` (0-based index, letter or text of an
    option; empty: none was chosen) and ``posterior`` (K probabilities, or an object from letter or text to
    probability); ``order`` (0 where it is left out) is the rotation in which the options were shown, which
    letters and replies refer to. Indexes and lists are in the item's own order.

    Args:
        path: JSON, JSON lines, CSV, Parquet or Arrow.
        run: folder of the run, made if there is none. A run of ``audiocontrib score`` is refused: what was
            asked how is known of one and not of the other.
        items: the items that were answered; None: those of the run.
        model: the model of all rows, where no column says it; ``condition`` likewise.
        mapping: column of the file for any of COLUMNS.

    Raises:
        UsageError: a column that is not there, or no items.
        AudiocontribError: the file cannot be read; the run was asked otherwise.

    Example:
        >>> import_responses("answers.jsonl", "runs/theirs", load_items("mmau", data="mmau-test-mini.json")).added
    """
    if mapping is not None and not isinstance(mapping, Mapping):
        raise UsageError(f"mapping is {mapping!r}, but is from a column to its name in the file")
    if condition is not None:
        known_condition(condition)
    items = Run.open(run).load_items() if items is None else as_items(items)
    reader = _Reader.over(items, model, condition, dict(mapping or {}))
    rows = [r for file in manifests(Path(path)) for r in reader.responses(file)]
    if not rows:
        raise AudiocontribError("; ".join(reader.problems[:1]) or f"{path}: it holds no rows")
    methods = {r.method for r in rows}
    if len(methods) > 1:
        raise UsageError(f"{path}: some rows hold a posterior and some a reply or choice; import them as two runs")
    step = ImportStep(
        answers=str(path), data=DataSource.of(items.origin), run=str(run), model=model, condition=condition,
        columns=dict(mapping or {}),
    )  # fmt: skip
    store = Run.create_or_resume(run, _manifest(items, rows, methods.pop(), step), items)
    new, already = _new(store, rows, reader.problems)
    for first in range(0, len(new), PART):
        store.append(new[first : first + PART])
    return Imported(store, len(new), already, tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Rows to responses; what cannot be taken is told in ``problems``."""

    items: Mapping[str, Item]
    """By whole id, and by the data set's own where that is unambiguous."""
    fixed: Mapping[str, str]
    mapping: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    _seen: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def over(cls, items: Items, model: str | None, condition: str | None, mapping: Mapping[str, str]) -> _Reader:
        if unknown := mapping.keys() - set(COLUMNS):
            raise UsageError(f"no column is called {min(unknown)!r}; a mapping can name: {', '.join(COLUMNS)}")
        named = {item.id.partition("/")[2]: item for item in items} | {item.id: item for item in items}
        fixed = {k: v for k, v in (("model", model), ("condition", condition)) if v is not None}
        return cls(named, fixed, mapping)

    def responses(self, file: Path) -> Iterator[Response]:
        now = datetime.now(UTC)
        for row in read_rows(file):
            where = f"{row.file}:{row.line}"
            if isinstance(row, BrokenRow):
                self.problems.append(f"{where}: {row.field}: {row.reason}")
                continue
            try:
                yield self._response(self._cells(row.values, where), where, now)
            except BadItem as error:
                self.problems.append(f"{where}: {error.field}: {error.reason}")

    def _cells(self, row: Columns, where: str) -> dict[str, Any]:
        """The cells by COLUMNS' names. UsageError for a column that no row of this kind can do without."""
        for name, column in self.mapping.items():
            if column not in row:
                raise UsageError(f"{where}: there is no column {column!r} for {name}; there are: {', '.join(row)}")
        cells = {name: row[self.mapping.get(name, name)] for name in COLUMNS if self.mapping.get(name, name) in row}
        cells |= self.fixed
        for name in ("item_id", "model", "condition"):
            if name not in cells:
                way = "" if name == "item_id" else f", or --{name} for all rows"
                raise UsageError(f"{where}: there is no column {name!r}; say --map {name}=COLUMN{way}")
        if not cells.keys() & SAYS.keys():
            raise UsageError(f"{where}: it has none of the columns {', '.join(SAYS)}; say e.g. --map reply=COLUMN")
        return cells

    def _response(self, cells: Mapping[str, Any], where: str, now: datetime) -> Response:
        item = self.items.get(str(cells["item_id"]))
        if item is None:
            raise BadItem("item_id", f"the data set has no item {cells['item_id']!r}")
        spec, order = _condition(cells["condition"]), _order(cells.get("order"), len(item.choices))
        said = [name for name in SAYS if cells.get(name) not in (None, "")]
        if len(said) > 1:
            raise BadItem(said[1], f"the row holds {' and '.join(said)}; only one can be meant (--map picks it)")
        kind = said[0] if said else next(name for name in SAYS if name in cells)
        content = READ[kind](cells.get(kind), item, order)
        model = str(cells["model"])
        place = (item.id, model, spec, order)
        if first := self._seen.get(place):
            raise BadItem("item_id", f"{model} answers {item.id} under {spec} in order {order} twice; first at {first}")
        self._seen[place] = where
        return Response(
            item_id=item.id,
            dataset=item.dataset,
            model=model,
            condition=spec,
            order=order,
            method=SAYS[kind],
            created_at=now,
            request_key=stable_hash(["import", *place, kind, cells.get(kind)]),
            correct=None if item.answer is None else content.get("choice") == item.answer,
            **content,
        )


def _reply(cell: Any, item: Item, order: int) -> dict[str, Any]:
    answer = answers.parse("" if cell is None else str(cell), rotate(item.choices, order))
    choice = None if answer.choice is None else (answer.choice + order) % len(item.choices)
    return {"outcome": answer.outcome, "choice": choice, "reply": "" if cell is None else str(cell)}


def _choice(cell: Any, item: Item, order: int) -> dict[str, Any]:
    if cell is None or cell == "":
        return {"outcome": Outcome.UNPARSED}
    return {"outcome": Outcome.ANSWERED, "choice": _option("choice", cell, item, order)}


def _posterior(cell: Any, item: Item, order: int) -> dict[str, Any]:
    k = len(item.choices)
    if isinstance(cell, str):  # a CSV file's cell
        try:
            cell = json.loads(cell)
        except ValueError:
            raise BadItem("posterior", f"{cell!r:.60} is not JSON") from None
    if isinstance(cell, Mapping):
        # a column of objects in a table has every row's keys; those of other rows are empty here
        named = {_option("posterior", name, item, order): p for name, p in cell.items() if p is not None}
        if len(named) != k:
            raise BadItem("posterior", f"it names {len(named)} of the {k} options")
        cell = [named[i] for i in range(k)]
    if not isinstance(cell, Sequence) or isinstance(cell, str) or len(cell) != k:
        raise BadItem("posterior", f"{cell!r:.60} is not a list of {k} probabilities")
    numbers = [p for p in cell if isinstance(p, int | float) and not isinstance(p, bool) and 0 <= p <= 1]
    if len(numbers) < k or not math.isclose(sum(numbers), 1, abs_tol=0.01):
        raise BadItem("posterior", f"{cell!r:.60} are not probabilities that sum to 1")
    total = sum(numbers)
    posterior = tuple(p / total for p in numbers)
    return {
        "outcome": Outcome.ANSWERED,
        "choice": max(range(k), key=posterior.__getitem__),
        "posterior": posterior,
    }


READ = {"reply": _reply, "choice": _choice, "posterior": _posterior}


def _option(name: str, cell: Any, item: Item, order: int) -> int:
    """The option that a cell names: its text, its letter in the order shown, or its index in the item."""
    k = len(item.choices)
    if isinstance(cell, str) and cell in item.choices:
        return item.choices.index(cell)
    if isinstance(cell, str) and len(cell) == 1 and 0 <= (place := ord(cell.upper()) - ord("A")) < k:
        return (place + order) % k
    # an index may come as text (CSV) or as a float (a column of numbers with gaps)
    number = float(cell) if isinstance(cell, str) and cell.isdecimal() else cell
    if isinstance(number, int | float) and not isinstance(number, bool) and number in range(k):
        return int(number)
    raise BadItem(name, f"{cell!r:.60} is neither an option of {item.id}, nor a letter or index of one")


def _condition(cell: Any) -> str:
    try:
        return known_condition(str(cell)).spec
    except UsageError as error:
        raise BadItem("condition", str(error)) from error


def _order(cell: Any, k: int) -> int:
    if cell is None or cell == "":
        return 0
    try:
        order = int(cell)
    except (TypeError, ValueError):
        order = -1
    if not 0 <= order < k:
        raise BadItem("order", f"{cell!r} is no rotation of {k} options: it is 0 to {k - 1}")
    return order


def _manifest(items: Items, rows: Sequence[Response], method: str, step: ImportStep) -> dict[str, Any]:
    return {
        "identity": {
            "dataset": {k: items.origin[k] for k in ("name", "revision", "mapping", "seed") if k in items.origin},
            "models": {name: {"class": "imported"} for name in sorted({r.model for r in rows})},
            "conditions": sorted({r.condition for r in rows}),
            "method": method,
            "orders": "imported",
        },
        "origin": items.origin,
        "step": to_json(step),
    }


def _new(run: Run, rows: Sequence[Response], problems: list[str]) -> tuple[list[Response], int]:
    """The rows that the run does not hold, and how many it holds just so; another answer is a problem."""
    held = run.table('select item_id, model, condition, "order", request_key from responses').to_pylist()
    keys = {(r["item_id"], r["model"], r["condition"], r["order"]): r["request_key"] for r in held}
    new, already = [], 0
    for row in rows:
        key = keys.get((row.item_id, row.model, row.condition, row.order))
        if key is None:
            new.append(row)
        elif key == row.request_key:
            already += 1
        else:
            where = f"{row.model} to {row.item_id} under {row.condition} in order {row.order}"
            problems.append(f"{run.path} holds another answer of {where}; name another --run")
    return new, already
