"""Item: one multiple-choice question about one recording. It checks itself when it is made."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from audiocontrib.audio.clip import Clip
from audiocontrib.errors import BadItem

MIN_CHOICES, MAX_CHOICES = 2, 26  # one letter each


@dataclass(frozen=True, slots=True)
class Item:
    """One question about one clip. It cannot be made of values that could not be asked or scored.

    :func:`audiocontrib.items.make_item` makes one from a row as data sets have it: the answer as a text or a letter,
    an id from the content.

    Raises:
        BadItem: with the field and the reason.

    Example:
        >>> Item("my/1", "my", "Which animal?", ("dog", "cat"), 0, Clip("bark.wav", "/data/clips"))
    """

    id: str
    """Data set (with revision, where pinned) and the source's own id: ``mmau/3fe64f3d-…``."""
    dataset: str
    question: str
    choices: tuple[str, ...]
    """2 to 26 distinct options, in the source's order; every stored choice is an index into it. A list is taken too."""
    answer: int | None
    """Index of the gold option. None only where the publisher keeps the key (asked, never scored)."""
    audio: Clip | None = None
    clip_id: str = ""
    """Items on one recording share it: the cluster of every interval. Left out: the clip's path, else the item's id."""
    question_type: str = ""
    source_dataset: str = ""
    split: str = ""
    notes: tuple[str, ...] = ()
    """What was seen and done when the row was read, e.g. that identical choices were collapsed."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The source's other fields, kept as they were."""

    def __post_init__(self) -> None:
        if not _is_sound(self):  # sets have hundreds of thousands of rows, and hardly one is at fault
            _settle(self)
        if not self.clip_id:
            object.__setattr__(self, "clip_id", (self.audio and self.audio.path) or self.id)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that did not become an item, or an item whose clip cannot be heard, with the reason."""

    dataset: str
    file: str
    line: int | None
    field: str
    reason: str
    item_id: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        name = f" ({self.item_id})" if self.item_id else ""
        return f"{where}: {self.field}: {self.reason}{name}"


_SETTERS = tuple(Item.__dict__[one.name].__set__ for one in fields(Item))


def stored_item(*values: Any) -> Item:
    """An Item of values that were checked when they were stored, in the order of its fields; not checked again."""
    item = object.__new__(Item)
    for put, value in zip(_SETTERS, values, strict=True):
        put(item, value)
    return item


def _is_sound(item: Item) -> bool:
    """Whether every field is as it should be, told quickly; :func:`_settle` says what is not."""
    k = len(item.choices) if type(item.choices) is tuple else 0
    if not (MIN_CHOICES <= k <= MAX_CHOICES and len(set(item.choices)) == k and type(item.notes) is tuple):
        return False
    if not (item.answer is None or (type(item.answer) is int and 0 <= item.answer < k)):
        return False
    if type(item.extra) is not dict or not (item.audio is None or _is_plain(item.audio)):
        return False
    needed = (item.id, item.dataset, item.question, *item.choices)
    try:
        "".join((*needed, item.clip_id, item.question_type, item.source_dataset, item.split, *item.notes)).encode()
        return all(map(str.strip, needed))
    except (TypeError, UnicodeEncodeError):
        return False


def _is_plain(clip: Clip) -> bool:
    if type(clip) is not Clip or clip.data is not None or type(clip.path) is not str:
        return False
    whole = clip.start is None and clip.end is None
    return whole and clip.path.isascii() and clip.path != "" and (clip.root is None or type(clip.root) is str)


def _settle(item: Item) -> None:
    """Check field by field; lists become tuples, whole numbers of other libraries plain ones. BadItem for the rest."""
    for name in ("id", "dataset", "question"):
        if not check_text(name, getattr(item, name)).strip():
            raise BadItem(name, "is empty")
    for name in ("clip_id", "question_type", "source_dataset", "split"):
        check_text(name, getattr(item, name))
    choices = tuple(check_choices(item.choices))
    if len(set(choices)) < len(choices):
        twice = next(choice for choice in choices if choices.count(choice) > 1)
        raise BadItem("choices", f"{twice!r} is there more than once")
    object.__setattr__(item, "choices", choices)
    object.__setattr__(item, "answer", None if item.answer is None else check_answer(item.answer, choices))
    object.__setattr__(item, "notes", _check_notes(item.notes))
    _check_clip(item.audio)
    if not isinstance(item.extra, Mapping):
        raise BadItem("extra", f"is a {type(item.extra).__name__}, not a mapping of names to values")


def check_text(name: str, value: Any) -> str:
    """The value, if it is a text that can be stored; BadItem otherwise."""
    if not isinstance(value, str):
        raise BadItem(name, f"is {value!r}, not a text" if value is not None else "is empty")
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError:
        raise BadItem(name, "holds half of a surrogate pair, which is no character") from None
    return value


def check_choices(choices: Any) -> list[str]:
    """The options, if they are 2 to 26 texts that are not blank; BadItem otherwise. They may repeat."""
    texts = type(choices) is list and set(map(type, choices)) == {str} and "".join(choices).isascii()
    if texts and MIN_CHOICES <= len(choices) <= MAX_CHOICES and all(map(str.strip, choices)):
        return list(choices)  # nearly every row
    if isinstance(choices, str) or not isinstance(choices, Sequence):
        raise BadItem("choices", f"is a {type(choices).__name__}, not a list of options")
    for place, choice in enumerate(choices, start=1):
        if not isinstance(choice, str):
            raise BadItem("choices", f"option {place} is {choice!r}, not a text")
        if not choice.strip():
            raise BadItem("choices", f"option {place} is empty")
    check_text("choices", "".join(choices))
    if len(choices) < MIN_CHOICES:
        raise BadItem("choices", f"there are {len(choices)}; at least {MIN_CHOICES} are needed")
    if len(set(choices)) > MAX_CHOICES:
        raise BadItem("choices", f"there are {len(set(choices))}; at most {MAX_CHOICES} can be asked")
    return list(choices)


def check_answer(answer: Any, choices: Sequence[str]) -> int:
    """The index of the gold option as a plain number; BadItem if it is none of the choices."""
    try:
        index = None if isinstance(answer, bool) else operator.index(answer)
    except TypeError:
        index = None
    if index is None:
        raise BadItem("answer", f"{answer!r} is not the index of a choice")
    if not 0 <= index < len(choices):
        raise BadItem("answer", f"index {index} is outside the {len(choices)} choices")
    return index


def _check_notes(notes: Any) -> tuple[str, ...]:
    if not isinstance(notes, (list, tuple)):
        raise BadItem("notes", f"is a {type(notes).__name__}, not a list of texts")
    return tuple(check_text("notes", note) for note in notes)


def _check_clip(clip: Any) -> None:
    if clip is None:
        return
    if not isinstance(clip, Clip):
        raise BadItem("audio", f"is {clip!r}, not a Clip: write Clip(path, root), or Clip(data=the file's bytes)")
    if not clip.path and not clip.data:
        raise BadItem("audio", "is empty: a clip has a path, or the bytes of a file")
    for name, value, kind in (("path", clip.path, str), ("root", clip.root, str), ("data", clip.data, bytes)):
        if value is not None and not isinstance(value, kind):
            raise BadItem("audio", f"the clip's {name} is a {type(value).__name__}, not {kind.__name__}")
    for name, seconds in (("start", clip.start), ("end", clip.end)):
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if seconds is not None and not (number and 0 <= seconds < float("inf")):
            raise BadItem("audio", f"the clip's {name} is {seconds!r}, no number of seconds")
    if clip.end is not None and clip.end <= (clip.start or 0):
        raise BadItem("audio", f"the clip ends at {clip.end} s, not behind its start")
    check_text("audio", clip.path or "")
