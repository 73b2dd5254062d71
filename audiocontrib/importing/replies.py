"""Replies, as files of answers hold them: read as those of a run are, by letters as they were shown."""

from __future__ import annotations

from typing import Any

from audiocontrib import answers
from audiocontrib.errors import BadItem
from audiocontrib.items import Item
from audiocontrib.items.printed import printed_labels
from audiocontrib.prompts import rotate


def read_reply(cell: Any, item: Item, order: int, finish: str | None) -> dict[str, Any]:
    """The part of a response that a cell with a reply makes up. BadItem if it is no text, or a letter in it is unclear."""
    if cell is not None and not isinstance(cell, str):
        raise BadItem("reply", f"is a {type(cell).__name__}, not a text; name the column that holds the reply's text")
    spoken = answers.split_thought(cell or "")
    said = spoken.said if spoken.closed else ""
    answer = answers.parse(said, rotate(item.choices, order), finish=finish)
    if shown := _labelled_otherwise(item, order):
        labelled = answers.parse(said, shown, finish=finish)
        if None not in (answer.choice, labelled.choice) and answer.choice != labelled.choice:
            raise BadItem("reply", "its letter is printed on one option and is the place of another")
        answer = labelled if answer.choice is None else answer
    choice = None if answer.choice is None else (answer.choice + order) % len(item.choices)
    return {"outcome": answer.outcome, "choice": choice, "reply": said, "thought": spoken.thought}


def _labelled_otherwise(item: Item, order: int) -> tuple[str, ...]:
    """The options in the order shown with the labels of the published row; none if these only name their places."""
    published = item.extra.get("published_choices")
    printed = printed_labels(published) if published else None
    if printed is None or not set(item.choices) <= set(printed.texts):
        return ()
    labels = [printed.labels[printed.texts.index(choice)] for choice in rotate(item.choices, order)]
    if labels == sorted(labels) and labels[0] == "A":
        return ()
    return tuple(f"({label}) {text}" for label, text in zip(labels, rotate(item.choices, order), strict=True))
