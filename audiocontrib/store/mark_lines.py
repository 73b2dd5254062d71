"""marks.jsonl: what people say of the items of a run, a sealed line a mark; it only grows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import pyarrow as pa

from audiocontrib.arrow import schema_of
from audiocontrib.errors import CONTROL, AudiocontribError, UsageError, one_line
from audiocontrib.items import MAX_CHOICES
from audiocontrib.sql import cursor, sql_files
from audiocontrib.store.damage import check_regular, damaged, unreadable
from audiocontrib.store.files import cannot_write, locked, sync_folder
from audiocontrib.store.json_seal import read_line, sealed_line
from audiocontrib.store.own import check_own
from audiocontrib.store.seal import check_file

MARKS = "marks.jsonl"
MarkKind = Literal["wrong key", "ambiguous", "clip bad", "fine", "leak"]
WRONG_KEY: MarkKind = "wrong key"
KINDS: tuple[MarkKind, ...] = get_args(MarkKind)
LONGEST = {"note": 2000, "by": 100}
"""Characters that a text of a person may have."""
MARK_SCHEMA = schema_of(
    item_id=pa.string(),
    kind=pa.string(),
    answer=pa.int16(),
    option=pa.string(),
    note=pa.string(),
    by=pa.string(),
    at=pa.timestamp("us", tz="UTC"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What one person says of one item. UsageError if it cannot be said."""

    item_id: str
    kind: str | None
    """One of KINDS; None takes back what the same person said of the item."""
    answer: int | None = None
    """The corrected key: index of an option; only where the key is wrong."""
    option: str | None = None
    """The text of that option."""
    note: str = ""
    by: str = ""
    at: datetime

    def __post_init__(self) -> None:
        if not isinstance(self.item_id, str):
            raise UsageError(f"item_id is {self.item_id!r:.80}, but is the id of an item", argument="item_id")
        if self.kind is not None and self.kind not in KINDS:
            raise UsageError(f"there is no mark {self.kind!r:.80}; there are: {', '.join(KINDS)}", argument="kind")
        for name, most in LONGEST.items():
            _check_text(name, getattr(self, name), most)
        if self.answer is None:
            return
        if self.kind != WRONG_KEY:
            raise UsageError(f"a corrected key goes with {WRONG_KEY!r}, not with {self.kind!r}", argument="answer")
        plain = isinstance(self.answer, int) and not isinstance(self.answer, bool) and isinstance(self.option, str)
        if not (plain and 0 <= self.answer < MAX_CHOICES):
            raise UsageError(f"the corrected key is {self.answer!r:.80}, but is the index of an option")

    @property
    def who(self) -> tuple[str, str]:
        """Item and person: of one pair, the latest mark counts."""
        return self.item_id, self.by

    @property
    def said(self) -> tuple[object, ...]:
        """All of it but the time."""
        return self.item_id, self.by, self.kind, self.answer, self.note


def _check_text(name: str, text: object, most: int) -> None:
    if not isinstance(text, str):
        raise UsageError(f"{name} is {text!r:.80}, but is a text", argument=name)
    if CONTROL.search(text) or "\n" in text or "\t" in text:
        raise UsageError(f"{name} is {text!r:.80}, which holds a control character or a line end", argument=name)
    if len(text) > most:
        raise UsageError(f"{name} has {len(text):,} characters; it can have {most:,}", argument=name)


def latest(marks: Iterable[Mark]) -> list[Mark]:
    """Of each item and person the last mark, without those that were taken back; by item and person."""
    last = {mark.who: mark for mark in marks}
    return [last[who] for who in sorted(last) if last[who].kind is not None]


def as_table(marks: Sequence[Mark]) -> pa.Table:
    """Marks as rows of MARK_SCHEMA."""
    columns = {name: [getattr(mark, name) for mark in marks] for name in MARK_SCHEMA.names}
    return pa.Table.from_pydict(columns, schema=MARK_SCHEMA)


def kept_marks(run: Path) -> tuple[Mark, ...]:
    """Every mark of a run in the order in which they were made, held against its items.

    Raises:
        DamagedFile: a line is not what was written, or is of another run; the message says which.
        AudiocontribError: the file is a link out of the run, or may not be read.
    """
    return _kept(run, _states(run))[0]


def kept_table(run: Path) -> pa.Table:
    """Rows of MARK_SCHEMA: of each item and person the latest mark. Errors as :func:`kept_marks`."""
    return _kept(run, _states(run))[1]


def _states(run: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What the disk says of the files; empty where nothing is marked."""
    path = check_own(run / MARKS, run)
    try:
        files = [(one, check_regular(one)) for one in (path, run / "items.parquet")] if path.exists() else []
    except OSError as error:
        raise unreadable(path, error) from error
    return tuple((str(one.absolute()), held.st_size, held.st_ctime_ns, held.st_ino) for one, held in files)


@lru_cache(maxsize=8)
def _kept(run: Path, states: tuple[tuple[str, int, int, int], ...]) -> tuple[tuple[Mark, ...], pa.Table]:
    """What the files held in that state: a run is opened many times while they stay as they are."""
    marks, _ = parse_marks(run / MARKS) if states else ((), False)
    if fault := next(faults(run, marks), None):
        raise damaged(run / MARKS, fault[1])
    return marks, as_table(latest(marks))


def parse_marks(path: Path) -> tuple[tuple[Mark, ...], bool]:
    """The marks of a file; and whether it ends in the middle of a line, whose writer was killed: that is no mark.

    Raises:
        DamagedFile: another line is not what was written.
    """
    return _parsed(path, _bytes(path))


def faults(run: Path, marks: Sequence[Mark]) -> Iterator[tuple[Mark, str]]:
    """The marks, each of a line, that are not of the run's items, and why."""
    offered = choices_of(run, {mark.item_id for mark in marks})
    for number, mark in enumerate(marks, start=1):
        choices, _ = offered.get(mark.item_id, ([], None))
        if not choices:
            yield mark, f"line {number} is of {mark.item_id!r}, which the run does not hold"
        elif mark.answer is not None and choices[mark.answer : mark.answer + 1] != [mark.option]:
            yield mark, f"line {number}: option {mark.answer} of {mark.item_id} is not {mark.option!r:.80}"


def whole_lines(run: Path, held: Path) -> bytes:
    """Of a damaged file, the lines that are as they were written and, where they can be read, of the run's items."""
    kept, odd = list[Mark](), list[Mark]()
    for line in _bytes(held).split(b"\n"):
        with suppress(ValueError, TypeError, UsageError):
            kept.append(_mark(line))
    with suppress(AudiocontribError):
        odd = [mark for mark, _ in faults(run, kept)]
    return b"".join(_line(mark) for mark in kept if mark not in odd)


def choices_of(run: Path, ids: Iterable[str], *, or_end: bool = False) -> dict[str, tuple[list[str], int | None]]:
    """Options and gold of the items of these ids that the run holds.

    Args:
        or_end: whether an id that the run does not hold may be the end of some, behind a slash.
    """
    path = check_own(run / "items.parquet", run)
    wanted = [one for one in ids if one.encode(errors="ignore").decode() == one]  # half a character is in no item
    if not wanted:
        return {}
    check_file(path)
    query = f"select item_id, choices, answer from read_parquet({sql_files([path])}, hive_partitioning = false) where "
    with cursor() as con:
        found = con.execute(f"{query} item_id in (select unnest($1::varchar[]))", [wanted]).fetchall()
        if or_end and not found:
            found = con.execute(f"{query} ends_with(item_id, '/' || $1) order by 1 limit 3", wanted[:1]).fetchall()
    return {name: (choices, gold) for name, choices, gold in found}


def append_marks(run: Path, marks: Sequence[Mark]) -> None:
    """Add marks that were checked: one write, which is on disk when this returns.

    Raises:
        AudiocontribError: the disk is full, or the file cannot be written to; its marks are as they were.
    """
    path = check_own(run / MARKS, run)
    with locked(run):
        try:
            new = not path.exists() or not check_regular(path)
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                _append(file, path, b"".join(map(_line, marks)))
            finally:
                os.close(file)
            if new:
                sync_folder(run)
        except OSError as error:
            raise cannot_write(path, error) from error


def _append(file: int, path: Path, lines: bytes) -> None:
    """Write lines behind the last whole one: what a killed program left of a line gives way."""
    held = path.read_bytes()
    end = held.rfind(b"\n") + 1
    if _parsed(path, held[end:])[0]:  # it lacks its line end alone
        end, lines = len(held), b"\n" + lines
    os.truncate(file, end)
    os.lseek(file, end, os.SEEK_SET)
    try:
        while lines:
            lines = lines[os.write(file, lines) :]
        os.fsync(file)
    except OSError:
        os.truncate(file, end)
        raise


def _bytes(path: Path) -> bytes:
    try:
        check_regular(path)
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error


def _parsed(path: Path, held: bytes) -> tuple[tuple[Mark, ...], bool]:
    """The marks of whole lines, and whether a piece of one follows."""
    marks, lines = list[Mark](), held.split(b"\n")
    for number, line in enumerate(lines, start=1):
        last = number == len(lines)
        if last and not line:
            break
        try:
            marks.append(_mark(line))
        except (ValueError, TypeError, UsageError) as error:
            if last and read_line(line[:-1]) is None:  # else the byte behind the line is another
                return tuple(marks), True
            why = f": {one_line(error, 120)}" if isinstance(error, UsageError) else " is not what was written"
            raise damaged(path, f"line {number}{why}") from None
    return tuple(marks), False


def _mark(line: bytes) -> Mark:
    """ValueError, TypeError or UsageError if a line is none."""
    held = read_line(line)
    if held is None:
        raise ValueError
    about = {one.name: held[one.name] for one in fields(Mark) if one.name in held}
    at = datetime.fromisoformat(about.pop("at", None))
    if at.tzinfo is None:
        raise ValueError
    return Mark(**about, at=at)


def _line(mark: Mark) -> bytes:
    return sealed_line(asdict(mark) | {"at": mark.at.isoformat()})
