"""Marks: what people say of the items of a run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

import pyarrow as pa

from audiocontrib.errors import UsageError
from audiocontrib.log import tell
from audiocontrib.store.mark_lines import Mark, append_marks, choices_of, kept_marks, kept_table, latest
from audiocontrib.store.marking import Marking, checked_kinds, made_marking
from audiocontrib.store.run import Run
from audiocontrib.store.runs import as_run
from audiocontrib.store.splits import SavedSplit

LOG = logging.getLogger("audiocontrib.store")


def add_mark(
    run: Run, /, item_id: str, kind: str | None, *, answer: int | str | None = None, note: str = "", by: str = ""
) -> None:
    """Mark an item. It replaces what the same person said of the item before; it is on disk when this returns.

    Args:
        item_id: an item of the run, or the end of its id.
        kind: ``wrong key``, ``ambiguous``, ``clip bad``, ``fine`` or ``leak``; None: take back what was said.
        answer: the corrected key of an item whose key is wrong: the text of an option, or its index from 0; digits are
            an index where they are no option's text.
        note: up to 2,000 characters, in one line.
        by: a name, up to 100 characters; empty: nobody's in particular.

    Raises:
        UsageError: there is no such item, kind or option; or a text that cannot be kept.
        AudiocontribError: the run's folder cannot be written to.

    Example:
        >>> ac.add_mark(run, "demo/0", "wrong key", answer="dog", note="it barks", by="ann")
    """
    folder = as_run(run).path
    offered = choices_of(folder, [item_id] if isinstance(item_id, str) else [], or_end=True)
    if len(offered) > 1:
        raise UsageError(f"{item_id!r:.120} fits several items: {', '.join(offered)}, …", argument="item_id")
    name = next(iter(offered), item_id)
    append_marks(folder, [made_mark(offered, name, kind, answer=answer, note=note, by=by)])


def marks(run: Run, /) -> pa.Table:
    """The marks of a run: of each item and person the latest, without those that were taken back.

    Returns:
        The columns item_id, kind, answer (index of the option that is the corrected key; null where none is given),
        option (its text), note, by and at (UTC), sorted by item_id and by.

    Raises:
        AudiocontribError: a line of marks.jsonl is damaged; the message names it.

    Example:
        >>> ac.marks(run).to_pandas()
    """
    return kept_table(as_run(run).path)


def marked(run: Run, /, *, without: str | Sequence[str] = (), corrected_keys: bool = False) -> Run:
    """The run as its marks have it, for every measure, split and export; nothing is written.

    Args:
        without: kinds of marks: items that anybody has marked so are left out.
        corrected_keys: whether corrected keys take the place of the gold: every answer is right or wrong by them, as if
            the run had been asked with them. With both, an item whose key is corrected stays, unless it is left out for
            another mark. Answers with another item's clip or gold (swap, conflict, foreign) count only where that
            item's key is not corrected.

    Raises:
        UsageError: there is no such kind of marks.
        AudiocontribError: two persons correct a key to different options; or a line of marks is damaged.

    Example:
        >>> better = ac.marked(run, without="ambiguous", corrected_keys=True)
        >>> ac.accuracy(better).to_pandas()
    """
    [one] = marked_together([as_run(run)], without, corrected_keys)
    return one


def marked_together(
    runs: Sequence[Run], without_marked: str | Sequence[str] = (), corrected_keys: bool = False
) -> list[Run]:
    """Runs on the same items as the marks of all of them have it, so that they can be compared; said in a line."""
    if not (checked_kinds(without_marked) or corrected_keys):
        return list(runs)
    marking = made_marking(
        (mark for run in runs for mark in latest(kept_marks(run.path))), without_marked, corrected_keys
    )
    tell(LOG, marking.in_words())
    return [marked_by(run, marking) for run in runs]


def marked_by(run: Run, marking: Marking | None) -> Run:
    """A run with a marking beside what it has; AudiocontribError if it does not fit the run's items."""
    if marking is None:
        return run
    joined = marking.joined(run.marking)
    return replace(run, marking=joined.check(choices_of(run.path, joined.keys)))


def of_split(run: Run, saved: SavedSplit) -> Run:
    """A run as it was when the split was made of it: by the split's marks alone."""
    return marked_by(replace(run, marking=None), saved.marking)


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
    if not isinstance(item_id, str) or item_id not in offered:
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
    if isinstance(answer, str) and re.fullmatch(r"\d{1,2}", answer):
        answer = int(answer)
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        return answer
    listed = ", ".join(f"{place} {text!r:.60}" for place, text in enumerate(choices))
    raise UsageError(f"answer is {answer!r:.80}, but is an option of {item_id}: {listed}", argument="answer")
