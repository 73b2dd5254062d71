"""What a row of answers says: a reply, a choice or a posterior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from audiocontrib.importing.choices import Meaning
from audiocontrib.importing.posteriors import read_logprobs, read_posterior
from audiocontrib.importing.replies import read_reply
from audiocontrib.items import Item
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


def _choice(cell: Any, item: Item, order: int, meaning: Meaning) -> dict[str, Any]:
    place = None if cell in (None, "") else meaning.place(cell, item, order)
    return {"outcome": Outcome.UNPARSED} if place is None else {"outcome": Outcome.ANSWERED, "choice": place}


READ: dict[str, Callable[..., dict[str, Any]]] = {
    "reply": read_reply, "choice": _choice, "posterior": read_posterior, "logprob": read_logprobs,
}  # fmt: skip
