"""Rows of answers to responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.importing.choices import Meaning, decide_meaning
from audiocontrib.importing.contents import content_of, ended
from audiocontrib.importing.joining import Asked, ItemIndex, check_order, places_shown
from audiocontrib.importing.places import read_condition, read_order, read_repeat
from audiocontrib.items import Item
from audiocontrib.responses import Outcome, Response
from audiocontrib.sources.base import BrokenRow, Columns, SourceRow

COLUMNS = ("item_id", "model", "condition", "order", "repeat", "epoch", "reply", "choice", "posterior", "logprob",
           "finish")  # fmt: skip
"""The columns that are read; a mapping names those that are called otherwise."""
LOGGED = ("asked", "theirs", "error")
"""Beside them, of a log: what was asked (Asked), whether the tool counted it right, and what went wrong."""
SAYS = {"reply": "generate", "choice": "generate", "posterior": "likelihood", "logprob": "likelihood"}
"""The columns of which each row needs one, and the method that its answers count as."""
Place = tuple[str, str, str, int, int]
"""item_id, model, condition, order, repeat."""


@dataclass(slots=True)
class AnswerReader:
    """Rows to responses; what cannot be taken is told in ``problems``."""

    index: ItemIndex
    fixed: Mapping[str, str]
    mapping: Mapping[str, str]
    named: Mapping[str, str] = field(default_factory=dict)
    """Condition in the file -> ours."""
    repeated: bool = False
    empty: Outcome = Outcome.UNPARSED
    """What an empty choice is."""
    problems: list[str] = field(default_factory=list)
    meaning: Meaning = field(default_factory=Meaning)
    joined: Counter[str] = field(default_factory=Counter)
    """By what rows of a log were joined to their items."""
    judged: list[tuple[str, bool, bool, str]] = field(default_factory=list)
    """Item, whether the tool and whether this reading counts its answer as right, and what the reading says."""
    numbered: bool = False
    """Whether the numbers of a log's rows are places in the data set."""
    turned: int = 0
    """Rows whose options were shown in an order that is no rotation of the item's."""
    left_empty: int = 0
    """Rows whose choice is empty."""
    _seen: dict[Place, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := self.mapping.keys() - set(COLUMNS):
            raise UsageError(f"no column is called {min(unknown)!r}; a mapping can name: {', '.join(COLUMNS)}")

    def decide(self, rows: Iterable[SourceRow | BrokenRow], given: str | None, where: str) -> None:
        """How the choices of all rows are meant. Rows that cannot be read are passed over, and told later."""
        cells, rows = [], list(rows)
        told = [row.values["asked"] for row in rows if isinstance(row, SourceRow) and "asked" in row.values]
        self.numbered = self.index.numbered([one for one in told if isinstance(one, Asked)])
        for row in rows:
            name = self.mapping.get("choice", "choice")
            if isinstance(row, BrokenRow) or name not in row.values or row.values[name] in (None, ""):
                continue
            own = {key: row.values.get(self.mapping.get(key, key)) for key in ("item_id", "order", "asked")}
            with suppress(BadItem):
                item, _ = self._item(own)
                seen, places = _as_shown(item, own["asked"])
                order = 0 if places else read_order(own["order"], len(item.choices))
                if not isinstance(row.values[name], bool):
                    cells.append((row.values[name], seen, order))
        self.meaning = decide_meaning(cells, given, where)

    def responses(self, rows: Iterable[SourceRow | BrokenRow]) -> Iterator[Response]:
        """Each row that can be taken."""
        now = datetime.now(UTC)
        for row in rows:
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
        if isinstance(row.get("asked"), Asked):
            cells |= {name: row.get(name) for name in LOGGED} | {"item_id": None}
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

    def _item(self, cells: Mapping[str, Any]) -> tuple[Item, str]:
        if (asked := cells.get("asked")) is not None:
            return self.index.find(asked, self.numbered)
        item = self.index.named.get(str(cells["item_id"]))
        if item is None:
            raise BadItem("item_id", f"the data set has no item {cells['item_id']!r}")
        return item, "id"

    def _response(self, cells: Mapping[str, Any], where: str, now: datetime) -> Response:
        item, how = self._item(cells)
        seen, places = _as_shown(item, cells.get("asked"))
        k = len(item.choices)
        order = read_order(cells.get("order"), k) if places is None else places[0]
        turned = places is not None and places != tuple((order + i) % k for i in range(k))
        spec, kind = read_condition(cells["condition"], self.named), _kind(cells)
        content = content_of(kind, cells, seen, 0 if places else order, self.meaning)
        if kind == "choice" and cells[kind] in (None, "") and content["outcome"] != Outcome.FAILED:
            content = {"outcome": self.empty}
            self.left_empty += 1
        if places is not None:
            content = _in_own_order(content, places)
        model, order = str(cells["model"]), 0 if turned else order
        place = self._place((item.id, model, spec, order), cells)
        self._seen[place] = where
        self.turned += turned
        self.joined[how] += cells.get("asked") is not None
        made = Response(
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
            finish=ended(cells.get("finish")),
            **content,
        )
        if cells.get("theirs") is not None and made.correct is not None:
            said = "no option" if made.choice is None else repr(item.choices[made.choice])
            self.judged.append((item.id, bool(cells["theirs"]), made.correct, f"{made.outcome}, {said}"))
        return made

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


def _as_shown(item: Item, asked: Asked | None) -> tuple[Item, tuple[int, ...] | None]:
    """The item with its options in the order shown, and their indexes; as it is where that is not known."""
    if asked is not None and not asked.options:
        check_order(item, asked.text)
    places = places_shown(item, asked.options) if asked is not None and asked.options else None
    if places is None or places == tuple(range(len(places))):
        return item, places
    return replace(item, choices=tuple(item.choices[i] for i in places), answer=None), places


def _in_own_order(content: Mapping[str, Any], places: tuple[int, ...]) -> dict[str, Any]:
    choice = content.get("choice")
    back = dict(content) | {"choice": None if choice is None else places[choice]}
    for name in ("posterior", "option_logprob"):
        if (values := content.get(name)) is not None:
            back[name] = tuple(values[places.index(i)] for i in range(len(places)))
    return back


def _kind(cells: Mapping[str, Any]) -> str:
    said = [name for name in SAYS if cells.get(name) not in (None, "")]
    if len(said) > 1:
        raise BadItem(said[1], f"the row holds {' and '.join(said)}; only one can be meant; say which column it is")
    return said[0] if said else next(name for name in SAYS if name in cells)


def _correct(item: Item, content: Mapping[str, Any]) -> bool | None:
    if item.answer is None or content["outcome"] == Outcome.FAILED:
        return None
    return bool(content.get("choice") == item.answer)
