"""Probabilities of the options, as files of answers hold them: a list, an object, or either as JSON in a text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from audiocontrib.errors import AudiocontribError, BadItem
from audiocontrib.importing.choices import decide_meaning
from audiocontrib.items import Item
from audiocontrib.responses import Outcome


def read_posterior(cell: Any, item: Item, order: int, _: str | None) -> dict[str, Any]:
    """The part of a response that a cell with probabilities makes up. BadItem if they are none."""
    k = len(item.choices)
    if isinstance(cell, str):  # a CSV file's cell
        try:
            cell = json.loads(cell)
        except ValueError:
            raise BadItem("posterior", f"{cell!r:.60} is not JSON") from None
    if isinstance(cell, Mapping):
        # a column of objects in a table has every row's keys; those of other rows are empty here
        names = [name for name, p in cell.items() if p is not None]
        try:
            meaning = decide_meaning(((name, item, order) for name in names), None, item.id)
        except AudiocontribError:
            raise BadItem("posterior", "its keys can be read in two ways; name the options by their text") from None
        named = {meaning.place(name, item, order, "posterior"): cell[name] for name in names}
        if len(named) != k:
            raise BadItem("posterior", f"it names {len(named)} of the {k} options")
        cell = [named[i] for i in range(k)]
    if not isinstance(cell, Sequence) or isinstance(cell, str) or len(cell) != k:
        raise BadItem("posterior", f"{cell!r:.60} is not a list of {k} probabilities")
    numbers = [p for p in cell if isinstance(p, int | float) and not isinstance(p, bool) and 0 <= p <= 1]
    if len(numbers) < k or not math.isclose(sum(numbers), 1, abs_tol=0.01):
        raise BadItem("posterior", f"{cell!r:.60} are not probabilities that sum to 1")
    total = sum(numbers)
    posterior = tuple(p / total for p in numbers)
    return {
        "outcome": Outcome.ANSWERED,
        "choice": max(range(k), key=posterior.__getitem__),
        "posterior": posterior,
    }
