"""From a row as data sets have it to an Item: the answer in any of its forms; twins among the choices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from audiocontrib.audio.clip import Clip
from audiocontrib.errors import BadItem
from audiocontrib.items.gold import FOLDED, folded, gold_index
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
    labels: Sequence[str] = (),
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
        answer: the gold option: its text, its letter, its index from 0, or its number from 1, as ``answer_as`` says
            (``text``, ``letter``, ``index``, ``number``); see :func:`audiocontrib.items.gold.gold_index`.
        labels: of the choices, where the row gives them labels of its own.
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
    published = (listed, gold_text(answer, listed, answer_as, printed, labels) if has_key else None)
    gold = published[1]
    if gold is not None and isinstance(answer, str) and answer != gold and folded(answer) == folded(gold):
        seen.append(FOLDED)
    if printed:
        seen.append(UNLABELLED)
        kept |= {"published_choices": listed, "published_answer": answer}
        gold = None if gold is None else printed.texts[listed.index(gold)]
        listed = list(printed.texts)
    elif partly_labelled(listed):
        seen.append(PARTLY_LABELLED)
    distinct = tuple(dict.fromkeys(listed))
    if len(distinct) < len(listed):
        seen.append(_collapsed(listed))
        kept.setdefault("published_choices", listed)
    clip_name = clip_id or _clip_name(audio)
    heard = f"{clip_id}{audio.segment}" if clip_id and audio else clip_name
    own = own_id or "sha256:" + _digest([question, *dict.fromkeys(published[0]), str(published[1]), heard or ""])
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
        return "sha256:" + hashlib.sha256(audio.data).hexdigest()[:20] + audio.segment
    return audio.path + audio.segment if audio and audio.path else None


def _collapsed(listed: Sequence[str]) -> str:
    """The note that identical choices were collapsed; BadItem if all are one."""
    if len(set(listed)) < MIN_CHOICES:
        raise BadItem("choices", f"all {len(listed)} are {listed[0]!r}; two different ones are needed")
    return f"{COLLAPSED}: {', '.join(map(repr, sorted({c for c in listed if listed.count(c) > 1})))}"


def gold_text(
    answer: Any, choices: Sequence[str], answer_as: str, printed: Printed | None, labels: Sequence[str] = ()
) -> str:
    """The gold option, one of ``choices`` as they are given, by its text, label or place. BadItem if it is none.

    Args:
        printed: the labels that the choices carry in their own texts, if they do.
        labels: those that the row gives them beside.
    """
    if answer_as == "text" and not labels and type(answer) is str and answer and answer in choices and not printed:
        return answer  # nearly every row
    if printed and answer_as in ("text", "letter") and answer not in (None, ""):
        try:
            place = gold_place(answer, choices, printed)
        except ValueError as error:
            raise BadItem("answer", str(error)) from None
        if place is not None:
            return choices[place]
    return choices[gold_index(answer, choices, answer_as, labels)]


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:20]
