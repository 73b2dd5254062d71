"""Answers from elsewhere: what another tool's models said, as a run that can be measured and split."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.importing.choices import MEANINGS
from audiocontrib.importing.contents import EMPTY
from audiocontrib.importing.joining import ItemIndex
from audiocontrib.importing.places import name_conditions, our_condition
from audiocontrib.importing.reader import COLUMNS, AnswerReader
from audiocontrib.importing.told import told_of
from audiocontrib.importing.tools import TOOLS, AnswerTool, find_logs
from audiocontrib.items import Item, Items, as_items
from audiocontrib.provenance import DataSource, ImportStep, to_json
from audiocontrib.responses import Outcome, Response
from audiocontrib.sources.base import BrokenRow, SourceRow
from audiocontrib.sources.files import manifests, read_rows
from audiocontrib.store import Run

__all__ = ["COLUMNS", "MEANINGS", "TOOLS", "Imported", "import_responses"]
PART = 20_000
"""Answers that are written at a time."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file of answers."""

    run: Run
    added: int
    already: int
    """Answers that the run held before, exactly so."""
    left_empty: int
    """Rows whose choice is empty: what they count as is said by ``empty_as``."""
    meaning: str
    """How the choices of the file were read, in words; empty where there were none."""
    notes: tuple[str, ...] = ()
    """Of which tool it is, what was joined how, conditions that are not ours, where the tool counted otherwise."""
    problems: tuple[str, ...] = field(default=(), repr=False)
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
    empty_as: str | None = None,
    repeated: bool = False,
    tool: str | None = None,
    conditions: Mapping[str, str] | None = None,
) -> Imported:
    """Take the answers of a file, or of all files in a folder, into a run. No audio is needed.

    A row holds ``item_id`` (the whole id, or the data set's own), ``model``, ``condition``, and one of
    ``reply`` (read by :func:`audiocontrib.answers.parse`), ``choice`` (0-based index, letter or text of an
    option; empty: none was chosen), ``posterior`` (K probabilities, or an object from letter or text to
    probability) and ``logprob`` (natural log-probabilities likewise, of which the posterior is the softmax);
    ``order`` (0 where it is left out) is the rotation in which the options were shown, which letters and replies
    refer to; ``repeat`` (from 0; or ``epoch``, from 1) tells several answers to the same question apart; ``finish``
    is how a reply ended, as servers say it. Indexes and lists are in the item's own order. How choices are meant is
    decided for the whole of what is imported. A condition that is none of ours is kept as ``other:NAME``. Rows of a
    tool's log are joined to items by id, else by question and options, else by the clip's name too.

    Args:
        path: JSON, JSON lines, CSV, Parquet or Arrow; or what a tool of TOOLS has written.
        run: folder of the run, made if there is none. A run of ``audiocontrib score`` is refused: what was
            asked how is known of one and not of the other.
        items: the items that were answered; None: those of the run.
        model: the model of all rows, where no column says it; ``condition`` likewise.
        mapping: column of the file for any of COLUMNS.
        choice_as: what the choices are, where the file can be read in two ways: text, letter, index (from 0)
            or number (from 1).
        empty_as: what an empty choice is, ``refused`` (the model declined) or ``unparsed`` (no choice could be read);
            None: unparsed, and it is said how many there are.
        repeated: whether rows that answer the same question again are repeats, numbered as they come in the file;
            otherwise the second one is a problem.
        tool: whose log it is, one of TOOLS; None: as it is recognised, where no mapping is given.
        conditions: from what the file calls a condition to one of ours, or ``other:NAME``.

    Raises:
        UsageError: a column that is not there, or no items.
        AudiocontribError: the file cannot be read, or its choices in two ways; the run was asked otherwise.

    Example:
        >>> import_responses("answers.jsonl", "runs/theirs", load_items("mmau", data="mmau-test-mini.json")).added
    """
    _check_words(choice_as, empty_as, mapping=mapping, conditions=conditions)
    named, columns = name_conditions(conditions), dict(mapping or {})
    fixed = _fixed(model, condition)
    files, log, read = _files(Path(path), tool, columns)
    items = Run.open(run).load_items() if items is None else as_items(items)
    empty = Outcome(empty_as or Outcome.UNPARSED)
    reader = AnswerReader(ItemIndex.over(tuple(items)), fixed, columns, named, repeated, empty)
    reader.decide((row for file in files for row in read(file)), choice_as, str(path))
    rows = [r for file in files for r in reader.responses(read(file))]
    method = _method(rows, reader.problems, path)
    step = ImportStep(
        answers=str(path), data=DataSource.of(items.origin), run=str(run), model=model, condition=condition,
        columns=columns, tool=log.name if log else None, conditions=named, choice_as=choice_as, empty_as=empty_as,
        repeated=repeated,
    )  # fmt: skip
    store = Run.create_or_resume(run, _manifest(items, rows, method, step, reader, log), items)
    new, already = _new(store, rows, reader.problems)
    for first in range(0, len(new), PART):
        store.append(new[first : first + PART])
    told = tuple(told_of(reader, rows, log)), tuple(reader.problems)
    return Imported(store, len(new), already, reader.left_empty, str(reader.meaning), *told)


def _method(rows: Sequence[Response], problems: Sequence[str], path: str | Path) -> str:
    if not rows:
        raise AudiocontribError("; ".join(problems[:1]) or f"{path}: it holds no rows")
    methods = {row.method for row in rows}
    if len(methods) > 1:
        raise UsageError(f"{path}: some rows hold a posterior and some a reply or choice; import them as two runs")
    return methods.pop()


def _fixed(model: str | None, condition: str | None) -> dict[str, str]:
    """What holds for all rows, by column."""
    spec = None if condition is None else our_condition(condition)
    return {name: value for name, value in (("model", model), ("condition", spec)) if value is not None}


def _check_words(choice_as: str | None, empty_as: str | None, **given: Any) -> None:
    for name, word, allowed in (("choice_as", choice_as, MEANINGS), ("empty_as", empty_as, EMPTY)):
        if word is not None and word not in allowed:
            raise UsageError(f"{name} is {word!r}; it is one of {', '.join(allowed)}")
    for name, value in given.items():
        if value is not None and not isinstance(value, Mapping):
            raise UsageError(f"{name} is {value!r}, but is an object from one name to another")


Read = Callable[[Path], Iterator[SourceRow | BrokenRow]]


def _files(path: Path, tool: str | None, columns: Mapping[str, str]) -> tuple[list[Path], AnswerTool | None, Read]:
    """The files, the tool that wrote them if it is one of TOOLS, and how they are read."""
    if tool is not None and columns:
        raise UsageError(f"columns are named, but a log of {tool} has its own; give one of the two")
    found = None if columns else find_logs(path, tool)
    return (found[1], found[0], _whole(found[0])) if found else (manifests(path), None, read_rows)


def _whole(tool: AnswerTool) -> Read:
    """How the logs of a tool are read; one that is made otherwise than its logs are known to be is refused."""

    def rows(path: Path) -> Iterator[SourceRow | BrokenRow]:
        try:
            yield from tool.read(path)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise AudiocontribError(f"{path}: is no log of {tool.name} as we know them: {one_line(error)}") from error

    return rows


def _manifest(
    items: Items,
    rows: Sequence[Response],
    method: str,
    step: ImportStep,
    reader: AnswerReader,
    log: AnswerTool | None,
) -> dict[str, Any]:
    facts: dict[str, Any] = {"shuffled": reader.turned} if reader.turned else {}
    facts |= {"posterior": log.posterior} if log is not None and method == "likelihood" else {}
    return facts | {
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
