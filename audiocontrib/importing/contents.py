"""What a row of answers says: a reply, a choice or a posterior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiocontrib import answers
from audiocontrib.errors import BadItem
from audiocontrib.importing.choices import Meaning
from audiocontrib.importing.posteriors import read_logprobs, read_posterior
from audiocontrib.items import Item
from audiocontrib.prompts import rotate
from audiocontrib.responses import BROKEN_OFF, FINISH_WORDS, Outcome

EMPTY = ("refused", "unparsed")
"""What an empty choice can be."""


def ended(cell: Any) -> str | None:
    """How a reply ended, one of FINISHES; None where it is not said, or said in a word that is not known."""
    return FINISH_WORDS.get(str(cell).strip().lower())


def content_of(kind: str, cells: Mapping[str, Any], item: Item, order: int, meaning: Meaning) -> dict[str, Any]:
    """Outcome, choice and what else a row's cell of that kind says; BadItem if it cannot be read."""
    finish = ended(cells.get("finish"))
    if cells.get("error"):
        return {"outcome": Outcome.FAILED, "error": str(cells["error"])}
    content = READ[kind](cells.get(kind), item, order, meaning if kind == "choice" else finish)
    if finish in BROKEN_OFF:
        return {"outcome": Outcome.FAILED, "reply": content.get("reply"), "error": BROKEN_OFF[finish]}
    return content


def _reply(cell: Any, item: Item, order: int, finish: str | None) -> dict[str, Any]:
    if cell is not None and not isinstance(cell, str):
        raise BadItem("reply", f"is a {type(cell).__name__}, not a text; name the column that holds the reply's text")
    spoken = answers.split_thought(cell or "")
    said = spoken.said if spoken.closed else ""
    answer = answers.parse(said, rotate(item.choices, order), finish=finish)
    choice = None if answer.choice is None else (answer.choice + order) % len(item.choices)
    return {"outcome": answer.outcome, "choice": choice, "reply": said, "thought": spoken.thought}


def _choice(cell: Any, item: Item, order: int, meaning: Meaning) -> dict[str, Any]:
    place = None if cell in (None, "") else meaning.place(cell, item, order)
    return {"outcome": Outcome.UNPARSED} if place is None else {"outcome": Outcome.ANSWERED, "choice": place}


READ: dict[str, Callable[..., dict[str, Any]]] = {
    "reply": _reply, "choice": _choice, "posterior": read_posterior, "logprob": read_logprobs,
}  # fmt: skip
