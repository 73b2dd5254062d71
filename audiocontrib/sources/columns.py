"""From columns to Fields: by a mapping, or by the usual spellings of published data sets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from audiocontrib.errors import BadItem, UsageError
from audiocontrib.sources.base import Columns, Fields, NoColumn, columns_there, item_text
from audiocontrib.sources.inside import options_inside
from audiocontrib.sources.options import DELIMITERS, Options, cell_options
from audiocontrib.sources.order import shuffled
from audiocontrib.sources.segments import SEGMENT, segment_columns, segment_of

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
DELIMITER = "delimiter"
"""Beside them in a mapping: what divides the options of a text."""
_LABEL = re.compile(r"(?:option|choice)?\s*\W?\s?(?:[A-Za-z]|\d{1,2}(?:\.0*)?)\s?(?:[\])}.:]|$)", re.IGNORECASE)
NONE = "-"
"""As a column name: the data set has none. Without an answer column it is asked, never scored."""


def mapped(mapping: Mapping[str, str] | None = None, answer_as: str = "text") -> Callable[[Columns], Fields]:
    """A function from a row to Fields; columns that it does not use are kept in ``extra``.

    Args:
        mapping: field to column. ``a|b`` is the first of them that a row has; ``choices`` may name several
            that belong together, ``a,b,c``; ``-`` says that there is none. A field that is left out is looked
            for under its usual spellings. Choices in the column of the question stand in its text; choices among
            which is the column of the answer are the gold and wrong ones, which are then put in an order that the row
            decides. ``start``, and ``end`` or ``duration``, are seconds: the part of the recording that is meant.
            ``delimiter`` is no column but what stands between options in a text, one of DELIMITERS.

    Raises:
        UsageError: for a field that does not exist, or one that cannot be done without.
    """
    given = dict(mapping or {})
    delimiter = _delimiter(given)
    given.pop(DELIMITER, None)
    for field, column in given.items():
        if field not in (*SPELLINGS, *SEGMENT):
            known = ", ".join((*SPELLINGS, *SEGMENT, DELIMITER))
            raise UsageError(f"no field is called {field!r}; a mapping can name: {known}")
        if column == NONE and field in ("question", "choices"):
            raise UsageError(f"{field}={NONE}: an item cannot do without {field}")

    @lru_cache(maxsize=64)
    def resolve(there: tuple[str, ...]) -> tuple[dict[str, tuple[str, ...]], frozenset[str], bool, dict[str, str]]:
        found = {field: _columns(field, given.get(field), there) for field in SPELLINGS}
        used = {name for names in found.values() for name in names}
        segment = segment_columns([name for name in there if name not in used], given)
        apart = not set(found["choices"]).isdisjoint(found["answer"])
        return found, frozenset(there) - used - set(segment.values()), apart, segment

    def fields(row: Columns) -> Fields:
        found, unused, apart, segment = resolve(tuple(row))
        value = {field: row[names[0]] if names else None for field, names in found.items()}
        if found["audio"] and (value["audio"] is None or (isinstance(value["audio"], str) and not value["audio"])):
            raise BadItem("audio", "is empty")
        extra = {name: cell for name, cell in row.items() if name in unused}
        named = found["choices"]
        if named == found["question"]:
            value["question"], options = options_inside(value["question"])
            extra["published_question"] = row[named[0]]
        elif apart:
            options = _with_distractors(row, named, found["answer"][0], delimiter)
        else:
            options = _choices(row, named, answer_as != "text", delimiter)
        start, end = segment_of(row, segment) if segment else (None, None)
        made = Fields(
            start=start,
            end=end,
            own_id=item_text(value["id"]),
            question=value["question"],
            choices=options.texts,
            labels=options.labels,
            answer=options.texts[0] if apart else value["answer"],
            audio=value["audio"],
            clip_id=item_text(value["clip_id"]),
            question_type=value["question_type"],
            source_dataset=value["source_dataset"],
            split=value["split"],
            extra=extra,
            answer_as="text" if apart else answer_as,
            has_key=bool(found["answer"]),
        )
        return shuffled(made, "own") if apart else made

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
    return tuple(name if name in there else name.strip() for name in columns.split(","))


def _present(field: str, spelling: str, there: Sequence[str]) -> tuple[str, ...]:
    """The columns of a spelling that are there; of several (choice_a,choice_b,…) at least two."""
    names = _listed(field, spelling, there)
    present = tuple(name for name in names if name in there)
    return present if len(present) >= min(2, len(names)) else ()


def _delimiter(given: Mapping[str, str]) -> str:
    name = given.get(DELIMITER, "")
    if name and name not in DELIMITERS:
        raise UsageError(f"{DELIMITER}={name!r}: it is one of {' '.join(DELIMITERS)}")
    return DELIMITERS.get(name, "")


def _choices(row: Columns, names: Sequence[str], positions_count: bool, delimiter: str) -> Options:
    """The options. Empty cells of separate columns are left out where that moves no answer."""
    if len(names) == 1:
        return cell_options(row[names[0]], delimiter)
    cells = [row[name] for name in names]
    if not positions_count:
        return Options([cell for cell in cells if cell not in (None, "")])
    while cells and cells[-1] in (None, ""):
        cells.pop()
    return Options(["" if cell is None else cell for cell in cells])


def _with_distractors(row: Columns, names: Sequence[str], gold: str, delimiter: str) -> Options:
    """The gold, and the wrong options of the other columns, each of which holds one or a list."""
    right = cell_options(row[gold]).texts
    right = right[0] if isinstance(right, list) and len(right) == 1 else right
    if right in (None, ""):
        raise BadItem("answer", "is empty")
    wrong: list[Any] = []
    for name in names:
        if name != gold:
            more = cell_options(row[name], delimiter).texts
            wrong += more if isinstance(more, list) else [] if more in (None, "") else [more]
    texts = [one.strip() if isinstance(one, str) else one for one in (right, *wrong)]
    if texts[0] in texts[1:]:
        raise BadItem("choices", f"the gold {right!r} is one of the wrong options too")
    if _carries_label(texts[0]) and not any(map(_carries_label, texts[1:])):
        raise BadItem("answer", f"{right!r:.80} looks like a label or place, and the wrong options do not")
    return Options(texts)


def _carries_label(text: Any) -> bool:
    return isinstance(text, int | float) or (isinstance(text, str) and bool(_LABEL.match(text)))
