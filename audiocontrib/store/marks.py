"""Marks: what people say of the items of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

import pyarrow as pa

from audiocontrib.errors import UsageError
from audiocontrib.store.mark_lines import Mark, append_marks, as_table, choices_of, latest, read_marks
from audiocontrib.store.run import Run
from audiocontrib.store.runs import as_run


def add_mark(
    run: Run, /, item_id: str, kind: str | None, *, answer: int | str | None = None, note: str = "", by: str = ""
) -> None:
    """Mark an item. It replaces what the same person said of the item before; it is on disk when this returns.

    Args:
        item_id: an item of the run.
        kind: ``wrong key``, ``ambiguous``, ``clip bad``, ``fine`` or ``leak``; None: take back what was said.
        answer: the corrected key of an item whose key is wrong: the text of an option, or its index from 0.
        note: up to 2,000 characters, in one line.
        by: a name, up to 100 characters; empty: nobody's in particular.

    Raises:
        UsageError: there is no such item, kind or option; or a text that cannot be kept.
        AudiocontribError: the run's folder cannot be written to.

    Example:
        >>> ac.add_mark(run, "demo/0", "wrong key", answer="dog", note="it barks", by="ann")
    """
    folder = as_run(run).path
    offered = choices_of(folder, [item_id] if isinstance(item_id, str) else [])
    append_marks(folder, [made_mark(offered, item_id, kind, answer=answer, note=note, by=by)])


def marks(run: Run, /) -> pa.Table:
    """The marks of a run: of each item and person the latest, without those that were taken back.

    Returns:
        item_id, kind, answer (the corrected key: index of an option; null where none is given), option (its text),
        note, by and at (UTC), sorted by item_id and by.

    Raises:
        AudiocontribError: a line of marks.jsonl is damaged; the message names it.

    Example:
        >>> ac.marks(run).to_pandas()
    """
    return as_table(latest(read_marks(as_run(run).path)))


Offered: TypeAlias = Mapping[str, tuple[Sequence[str], int | None]]
"""Item -> its options and its gold."""


def made_mark(
    offered: Offered,
    item_id: str,
    kind: str | None,
    *,
    answer: int | str | None = None,
    note: str = "",
    by: str = "",
    at: datetime | None = None,
) -> Mark:
    """A mark, held against the item that it is of. UsageError if it cannot be made.

    Args:
        offered: what the run holds of these items.
        at: when it was made; None: now.
    """
    if item_id not in offered:
        raise UsageError(f"the run holds no item {item_id!r:.120}", argument="item_id")
    choices, gold = offered[item_id]
    place = None if answer is None else _place(answer, choices, item_id)
    if place is not None and place == gold:
        raise UsageError(f"option {place} ({choices[place]!r:.80}) is the key of {item_id} already", argument="answer")
    option = None if place is None else choices[place]
    return Mark(item_id=item_id, kind=kind, answer=place, option=option, note=note, by=by, at=at or datetime.now(UTC))


def _place(answer: object, choices: Sequence[str], item_id: str) -> int:
    """The index of the option that is meant: by its text, or else by its index."""
    if isinstance(answer, str) and answer in choices:
        return choices.index(answer)
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        return answer
    listed = ", ".join(f"{place} {text!r:.60}" for place, text in enumerate(choices))
    raise UsageError(f"answer is {answer!r:.80}, but is an option of {item_id}: {listed}", argument="answer")
