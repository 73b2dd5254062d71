"""From columns to Fields: by a mapping, or by the usual spellings of published data sets."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.sources.base import Columns, Fields, NoColumn, columns_there, item_text

SPELLINGS: dict[str, tuple[str, ...]] = {
    "question": ("question", "question_text"),
    "choices": ("choices", "multi_choice", "options", "choice_a,choice_b,choice_c,choice_d"),
    "answer": ("answer", "answer_gt", "correct_answer"),
    "audio": ("audio_path", "audio_id", "audio"),
    "id": ("id",),
    "clip_id": ("clip_id",),
    "question_type": ("question_type",),
    "source_dataset": ("source_dataset",),
    "split": ("split",),
}
"""The fields that can be mapped, and the columns that are taken for them when nothing is said."""
NEEDED = ("question", "choices", "answer", "audio")
NONE = "-"
"""As a column name: the data set has none. Without an answer column it is asked, never scored."""


def mapped(mapping: Mapping[str, str] | None = None, answer_as: str = "text") -> Callable[[Columns], Fields]:
    """A function from a row to Fields; columns that it does not use are kept in ``extra``.

    Args:
        mapping: field to column. ``a|b`` is the first of them that a row has; ``choices`` may name several
            that belong together, ``a,b,c``; ``-`` says that there is none. A field that is left out is looked
            for under its usual spellings.

    Raises:
        UsageError: for a field that does not exist, or one that cannot be done without.
    """
    given = dict(mapping or {})
    for field, column in given.items():
        if field not in SPELLINGS:
            raise UsageError(f"no field is called {field!r}; a mapping can name: {', '.join(SPELLINGS)}")
        if column == NONE and field in ("question", "choices"):
            raise UsageError(f"{field}={NONE}: an item cannot do without {field}")

    @lru_cache(maxsize=64)
    def resolve(there: tuple[str, ...]) -> tuple[dict[str, tuple[str, ...]], frozenset[str]]:
        found = {field: _columns(field, given.get(field), there) for field in SPELLINGS}
        return found, frozenset(there) - {name for names in found.values() for name in names}

    def fields(row: Columns) -> Fields:
        found, unused = resolve(tuple(row))
        value = {field: row[names[0]] if names else None for field, names in found.items()}
        if found["audio"] and (value["audio"] is None or (isinstance(value["audio"], str) and not value["audio"])):
            raise BadItem("audio", "is empty")
        return Fields(
            own_id=item_text(value["id"]),
            question=value["question"],
            choices=_choices(row, found["choices"], positions_count=answer_as != "text"),
            answer=value["answer"],
            audio=value["audio"],
            clip_id=item_text(value["clip_id"]),
            question_type=value["question_type"],
            source_dataset=value["source_dataset"],
            split=value["split"],
            extra={name: cell for name, cell in row.items() if name in unused},
            answer_as=answer_as,
            has_key=bool(found["answer"]),
        )

    return fields


def _columns(field: str, given: str | None, there: Sequence[str]) -> tuple[str, ...]:
    """Which of the columns ``there`` make up a field: several only for choices, none where there is none."""
    if given == NONE:
        return ()
    if given is not None:
        return _given(field, given, there)
    found = [names for spelling in SPELLINGS[field] if (names := _present(field, spelling, there))]
    if len(found) > 1:
        raise NoColumn(field, f"could be any of the columns {', '.join(names[0] for names in found)}")
    if not found and field in NEEDED:
        usual = " or ".join(SPELLINGS[field])
        way_out = f" ({field}={NONE} says that the set has none)" if field in ("answer", "audio") else ""
        raise NoColumn(field, f"there is no column {usual}{way_out}; {columns_there(there)}")
    return found[0] if found else ()


def _given(field: str, given: str, there: Sequence[str]) -> tuple[str, ...]:
    missing = []
    for spelling in [given] if given in there else given.split("|"):
        names = _listed(field, spelling, there)
        absent = [name for name in names if name not in there]
        if not absent:
            return names
        missing.append(repr(absent[0]))
    raise NoColumn(field, f"there is no column {' or '.join(missing)}; {columns_there(there)}")


def _listed(field: str, columns: str, there: Sequence[str]) -> tuple[str, ...]:
    if field != "choices" or columns in there:
        return (columns,)
    return tuple(name.strip() for name in columns.split(","))


def _present(field: str, spelling: str, there: Sequence[str]) -> tuple[str, ...]:
    """The columns of a spelling that are there; of several (choice_a,choice_b,…) at least two."""
    names = _listed(field, spelling, there)
    present = tuple(name for name in names if name in there)
    return present if len(present) >= min(2, len(names)) else ()


def _choices(row: Columns, names: Sequence[str], positions_count: bool) -> Any:
    """The list of options. Empty cells of separate columns are left out where that moves no answer."""
    if len(names) == 1:
        return parsed(row[names[0]])
    cells = [row[name] for name in names]
    if not positions_count:
        return [cell for cell in cells if cell not in (None, "")]
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return ["" if cell is None else cell for cell in cells]


def parsed(cell: Any) -> Any:
    """A list that a text column holds as JSON or as Python prints it; anything else as it is.

    Raises:
        BadItem: a text that begins as a list and is none.
    """
    if not isinstance(cell, str) or not cell.lstrip().startswith("["):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass  # not JSON; Python's own spelling is the other one in use
    try:
        return ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise BadItem("choices", f"{cell[:80]!r} can be read neither as JSON nor as a Python list") from None
