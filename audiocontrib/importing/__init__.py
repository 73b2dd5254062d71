"""Answers from elsewhere: what another tool's models said, as a run that can be measured and split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audiocontrib.conditions import condition as known_condition
from audiocontrib.errors import AudiocontribError, BadItem, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.importing.choices import MEANINGS, Meaning, decide_meaning
from audiocontrib.importing.places import read_condition, read_order, read_repeat
from audiocontrib.importing.posteriors import read_posterior
from audiocontrib.importing.replies import read_reply
from audiocontrib.items import Item, Items, as_items
from audiocontrib.provenance import DataSource, ImportStep, to_json
from audiocontrib.responses import BROKEN_OFF, FINISH_WORDS, Outcome, Response
from audiocontrib.sources.base import BrokenRow, Columns
from audiocontrib.sources.files import manifests, read_rows
from audiocontrib.store import Run

COLUMNS = ("item_id", "model", "condition", "order", "repeat", "epoch", "reply", "choice", "posterior", "finish")
"""The columns that are read; a mapping names those that are called otherwise."""
SAYS = {"reply": "generate", "choice": "generate", "posterior": "likelihood"}
"""The columns of which each row needs one, and the method that its answers count as."""
PART = 20_000
"""Answers that are written at a time."""
Place = tuple[str, str, str, int, int]
"""item_id, model, condition, order, repeat."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of answers."""

    run: Run
    added: int
    already: int
    """Answers that the run held before, exactly so."""
    meaning: str
    """How the choices of the file were read, in words; empty where there were none."""
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
    choice_as: str | None = None,
    repeated: bool = False,
) -> Imported:
    """Take the answers of a file, or of all files in a folder, into a run. No audio is needed.

    A row holds ``item_id`` (the whole id, or the data set's own), ``model``, ``condition``, and one of
    ``reply`` (read by :func:`audiocontrib.answers.parse`), ``choice`` (0-based index, letter or text of an
    option; empty: none was chosen) and ``posterior`` (K probabilities, or an object from letter or text to
    probability); ``order`` (0 where it is left out) is the rotation in which the options were shown, which
    letters and replies refer to; ``repeat`` (from 0; or ``epoch``, from 1) tells several answers to the same
    question apart; ``finish`` is how a reply ended, as servers say it. Indexes and lists are in the item's own
    order. How choices are meant is decided for the whole of what is imported.

    Args:
        path: JSON, JSON lines, CSV, Parquet or Arrow.
        run: folder of the run, made if there is none. A run of ``audiocontrib score`` is refused: what was
            asked how is known of one and not of the other.
        items: the items that were answered; None: those of the run.
        model: the model of all rows, where no column says it; ``condition`` likewise.
        mapping: column of the file for any of COLUMNS.
        choice_as: what the choices are, where the file can be read in two ways: text, letter, index (from 0)
            or number (from 1).
        repeated: whether rows that answer the same question again are repeats, numbered as they come in the file;
            otherwise the second one is a problem.

    Raises:
        UsageError: a column that is not there, or no items.
        AudiocontribError: the file cannot be read, or its choices in two ways; the run was asked otherwise.

    Example:
        >>> import_responses("answers.jsonl", "runs/theirs", load_items("mmau", data="mmau-test-mini.json")).added
    """
    if mapping is not None and not isinstance(mapping, Mapping):
        raise UsageError(f"mapping is {mapping!r}, but is from a column to its name in the file")
    if condition is not None:
        known_condition(condition)
    if choice_as is not None and choice_as not in MEANINGS:
        raise UsageError(f"choice_as is {choice_as!r}; it is one of {', '.join(MEANINGS)}")
    items = Run.open(run).load_items() if items is None else as_items(items)
    reader = replace(_Reader.over(items, model, condition, dict(mapping or {})), repeated=repeated)
    reader.decide(manifests(Path(path)), choice_as, str(path))
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
    return Imported(store, len(new), already, str(reader.meaning), tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Rows to responses; what cannot be taken is told in ``problems``."""

    items: Mapping[str, Item]
    """By whole id, and by the data set's own where that is unambiguous."""
    fixed: Mapping[str, str]
    mapping: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    meaning: Meaning = field(default_factory=Meaning)
    repeated: bool = False
    _seen: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def over(cls, items: Items, model: str | None, condition: str | None, mapping: Mapping[str, str]) -> _Reader:
        if unknown := mapping.keys() - set(COLUMNS):
            raise UsageError(f"no column is called {min(unknown)!r}; a mapping can name: {', '.join(COLUMNS)}")
        named = {item.id.partition("/")[2]: item for item in items} | {item.id: item for item in items}
        fixed = {k: v for k, v in (("model", model), ("condition", condition)) if v is not None}
        return cls(named, fixed, mapping)

    def decide(self, files: Iterable[Path], given: str | None, where: str) -> None:
        """How the choices of all files are meant. Rows that cannot be read are passed over, and told later."""
        cells = []
        for row in (row for file in files for row in read_rows(file)):
            name = self.mapping.get("choice", "choice")
            if isinstance(row, BrokenRow) or name not in row.values or row.values[name] in (None, ""):
                continue
            item = self.items.get(str(row.values.get(self.mapping.get("item_id", "item_id"))))
            order = row.values.get(self.mapping.get("order", "order"))
            with suppress(BadItem):
                if item is not None and not isinstance(row.values[name], bool):
                    cells.append((row.values[name], item, read_order(order, len(item.choices))))
        self.meaning = decide_meaning(cells, given, where)

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
                way = "" if name == "item_id" else f", or which {name} all rows have"
                raise UsageError(f"{where}: there is no column {name!r}; say which it is{way}", argument="column")
        if not cells.keys() & SAYS.keys():
            raise UsageError(
                f"{where}: it has none of the columns {', '.join(SAYS)}; say which column is one", argument="column"
            )
        return cells

    def _response(self, cells: Mapping[str, Any], where: str, now: datetime) -> Response:
        item = self.items.get(str(cells["item_id"]))
        if item is None:
            raise BadItem("item_id", f"the data set has no item {cells['item_id']!r}")
        spec, order = read_condition(cells["condition"]), read_order(cells.get("order"), len(item.choices))
        said = [name for name in SAYS if cells.get(name) not in (None, "")]
        if len(said) > 1:
            raise BadItem(said[1], f"the row holds {' and '.join(said)}; only one can be meant; say which column it is")
        kind = said[0] if said else next(name for name in SAYS if name in cells)
        finish = _finish(cells.get("finish"))
        content = READ[kind](cells.get(kind), item, order, self.meaning if kind == "choice" else finish)
        if finish in BROKEN_OFF:
            content = {"outcome": Outcome.FAILED, "reply": content.get("reply"), "error": BROKEN_OFF[finish]}
        model = str(cells["model"])
        place = self._place((item.id, model, spec, order), cells)
        self._seen[place] = where
        return Response(
            item_id=item.id,
            dataset=item.dataset,
            model=model,
            condition=spec,
            order=order,
            repeat=place[-1],
            method=SAYS[kind],
            created_at=now,
            # the first repeat as older programs had it, which knew no others
            request_key=stable_hash(["import", *(place if place[-1] else place[:-1]), kind, cells.get(kind)]),
            correct=_correct(item, content),
            finish=finish,
            **content,
        )

    def _place(self, question: tuple[str, str, str, int], cells: Mapping[str, Any]) -> Place:
        """What the row answers, with its repeat. BadItem where that was answered before."""
        told = read_repeat(cells)
        repeat = told or 0
        while told is None and self.repeated and (*question, repeat) in self._seen:
            repeat += 1
        if first := self._seen.get((*question, repeat)):
            item_id, model, spec, order = question
            which = f"repeat {repeat}" if told is not None else "twice"
            hint = "" if told is not None or self.repeated else "; are they repeats? then say so"
            raise BadItem(
                "item_id", f"{model} answers {item_id} under {spec} in order {order} {which}; first at {first}{hint}"
            )
        return (*question, repeat)


def _correct(item: Item, content: Mapping[str, Any]) -> bool | None:
    if item.answer is None or content["outcome"] == Outcome.FAILED:
        return None
    return bool(content.get("choice") == item.answer)


def _finish(cell: Any) -> str | None:
    """How a reply ended, one of FINISHES; None where it is not said, or said in a word that is not known."""
    return FINISH_WORDS.get(str(cell).strip().lower())


def _choice(cell: Any, item: Item, order: int, meaning: Meaning) -> dict[str, Any]:
    place = None if cell is None or cell == "" else meaning.place(cell, item, order)
    return {"outcome": Outcome.UNPARSED} if place is None else {"outcome": Outcome.ANSWERED, "choice": place}


READ: dict[str, Callable[..., dict[str, Any]]] = {"reply": read_reply, "choice": _choice, "posterior": read_posterior}


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
    held = run.table('select item_id, model, condition, "order", repeat, request_key from responses').to_pylist()
    keys = {(r["item_id"], r["model"], r["condition"], r["order"], r["repeat"]): r["request_key"] for r in held}
    new, already = [], 0
    for row in rows:
        key = keys.get((row.item_id, row.model, row.condition, row.order, row.repeat))
        if key is None:
            new.append(row)
        elif key == row.request_key:
            already += 1
        else:
            where = f"{row.model} to {row.item_id} under {row.condition} in order {row.order}"
            problems.append(f"{run.path} holds another answer of {where}; name another run")
    return new, already
