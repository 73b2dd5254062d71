"""From a row as data sets have it to an Item: the answer as text, letter or index; twins among the choices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from audiocontrib.audio.clip import Clip
from audiocontrib.errors import BadItem
from audiocontrib.items.item import MIN_CHOICES, Item, check_choices
from audiocontrib.items.printed import Printed, gold_place, partly_labelled, printed_labels

COLLAPSED = "identical choices collapsed"
UNLABELLED = "labels printed before the choices taken off"
PARTLY_LABELLED = "some choices begin with a label and others do not; they are left as they are"
"""How the note begins; ``extra["published_choices"]`` then has the row's own list."""


def make_item(
    *,
    dataset: str,
    own_id: str | None,
    question: Any,
    choices: Any,
    answer: Any,
    audio: Clip | None,
    revision: str | None = None,
    answer_as: str = "text",
    has_key: bool = True,
    clip_id: str | None = None,
    question_type: Any = "",
    source_dataset: Any = "",
    split: Any = "",
    extra: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Item:
    """A validated Item. Nothing is repaired silently: identical choices are collapsed and noted.

    Args:
        own_id: the source's own id; None makes an id from a hash of the content (never a row number).
        answer: the gold option: its text, its 0-based index, or its letter, as ``answer_as`` says
            (``text``, ``index``, ``letter``).
        has_key: False for sets whose publisher keeps the answers; then ``answer`` must be None.
        notes: what the source saw and did; what is seen here is added.

    Raises:
        BadItem: with the field and the reason, when the row cannot be asked or scored.
    """
    if not isinstance(question, str) or not question.strip():
        raise BadItem("question", "is empty")
    listed = check_choices(choices)
    seen, kept = list(notes), dict(extra or {})
    printed = printed_labels(listed)
    published = (listed, _resolve_answer(answer, listed, answer_as, printed) if has_key else None)
    gold = published[1]
    if printed:
        seen.append(UNLABELLED)
        kept |= {"published_choices": listed, "published_answer": answer}
        gold = None if gold is None else printed.texts[listed.index(gold)]
        listed = list(printed.texts)
    elif partly_labelled(listed):
        seen.append(PARTLY_LABELLED)
    distinct = tuple(dict.fromkeys(listed))
    if len(distinct) < len(listed):
        twice = sorted({c for c in listed if listed.count(c) > 1})
        seen.append(f"{COLLAPSED}: {', '.join(map(repr, twice))}")
        kept.setdefault("published_choices", listed)
        if len(distinct) < MIN_CHOICES:
            raise BadItem("choices", f"all {len(listed)} are {listed[0]!r}; two different ones are needed")
    clip_name = clip_id or _clip_name(audio)
    own = own_id or "sha256:" + _digest([question, *dict.fromkeys(published[0]), str(published[1]), clip_name or ""])
    item_id = qualified_id(dataset, revision, own)
    return Item(
        id=item_id,
        dataset=dataset,
        question=question,
        choices=distinct,
        answer=None if gold is None else distinct.index(gold),
        audio=audio,
        clip_id=clip_name or item_id,
        question_type=str(question_type or ""),
        source_dataset=str(source_dataset or ""),
        split=str(split or ""),
        notes=tuple(seen),
        extra=kept,
    )


def qualified_id(dataset: str, revision: str | None, own_id: str) -> str:
    """An item's id in full: the data set, its revision where it is pinned, and the source's own id."""
    return f"{dataset}@{revision}/{own_id}" if revision else f"{dataset}/{own_id}"


def _clip_name(audio: Clip | None) -> str | None:
    # the path beside embedded bytes is often the same for every row (audio.wav): the bytes tell clips apart
    if audio is not None and audio.data is not None:
        return "sha256:" + hashlib.sha256(audio.data).hexdigest()[:20]
    return audio.path if audio else None


def _resolve_answer(answer: Any, choices: Sequence[str], answer_as: str, printed: Printed | None) -> str:
    """The gold option's text, which is one of ``choices``, or BadItem."""
    if answer is None or answer == "":
        raise BadItem("answer", "is empty")
    if printed and answer_as != "index":
        try:
            place = gold_place(answer, choices, printed)
        except ValueError as error:
            raise BadItem("answer", str(error)) from None
        if place is not None:
            return choices[place]
    if answer_as == "text":
        if answer not in choices:
            raise BadItem("answer", f"{answer!r} is not one of the choices {list(choices)!r}")
        return str(answer)
    if answer_as == "letter":
        letter = str(answer).strip().strip("().").upper()
        index = ord(letter) - ord("A") if len(letter) == 1 else -1
    elif answer_as == "index":
        index = _whole_number(answer)
    else:
        raise ValueError(f"answer_as is {answer_as!r}; it is text, index or letter")
    if not 0 <= index < len(choices):
        raise BadItem("answer", f"{answer_as} {answer!r} is outside the {len(choices)} choices")
    return choices[index]


def _whole_number(answer: Any) -> int:
    """An index as JSON, CSV or a float column gives it: 1, "1" or 1.0, but neither 1.5 nor True."""
    try:
        index = int(answer)
    except (TypeError, ValueError, OverflowError):
        index = None
    if index is None or isinstance(answer, bool) or (isinstance(answer, float) and answer != index):
        raise BadItem("answer", f"{answer!r} is not an index")
    return index


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:20]
