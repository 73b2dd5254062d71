"""Replies, as files of answers hold them."""

from __future__ import annotations

from typing import Any

from audiocontrib.answers import split_thought
from audiocontrib.answers.shown import read_either_way
from audiocontrib.errors import BadItem
from audiocontrib.items import Item
from audiocontrib.prompts import rotate


def read_reply(cell: Any, item: Item, order: int, finish: str | None) -> dict[str, Any]:
    """The part of a response that a cell with a reply makes up. BadItem if it is no text, or its letter is unclear."""
    if cell is not None and not isinstance(cell, str):
        raise BadItem("reply", f"is a {type(cell).__name__}, not a text; name the column that holds the reply's text")
    spoken = split_thought(cell or "")
    said = spoken.said if spoken.closed else ""
    try:
        answer = read_either_way(said, rotate(item.choices, order), item.extra.get("published_choices"), finish=finish)
    except ValueError as error:
        raise BadItem("reply", str(error)) from None
    choice = None if answer.choice is None else (answer.choice + order) % len(item.choices)
    return {"outcome": answer.outcome, "choice": choice, "reply": said, "thought": spoken.thought}
