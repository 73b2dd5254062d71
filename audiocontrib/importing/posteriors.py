"""Probabilities of the options, as files of answers hold them: a list, an object, or either as JSON in a text.

Or their natural log-probabilities, of which the posterior is the softmax.
"""

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
    cell = _by_option("posterior", cell, item, order, "probabilities")
    numbers = [p for p in cell if _is_number(p) and 0 <= p <= 1]
    if len(numbers) < len(cell) or not math.isclose(sum(numbers), 1, abs_tol=0.01):
        raise BadItem("posterior", f"{cell!r:.60} are not probabilities that sum to 1")
    return _answered([p / sum(numbers) for p in numbers])


def read_logprobs(cell: Any, item: Item, order: int, _: str | None) -> dict[str, Any]:
    """The part of a response that a cell with natural log-probabilities makes up. BadItem if they are none."""
    cell = _by_option("logprob", cell, item, order, "log-probabilities")
    numbers = [float(p) for p in cell if _is_number(p) and math.isfinite(p) and p <= 0]
    if len(numbers) < len(cell):
        raise BadItem("logprob", f"{cell!r:.60} are not log-probabilities: finite numbers, none above 0")
    most = max(numbers)
    weights = [math.exp(p - most) for p in numbers]
    return _answered([w / sum(weights) for w in weights]) | {"option_logprob": tuple(numbers)}


def _answered(posterior: Sequence[float]) -> dict[str, Any]:
    choice = max(range(len(posterior)), key=posterior.__getitem__)
    return {"outcome": Outcome.ANSWERED, "choice": choice, "posterior": tuple(posterior)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_option(name: str, cell: Any, item: Item, order: int, what: str) -> list[Any]:
    """The cell's numbers in the item's own order of options."""
    k = len(item.choices)
    if isinstance(cell, str):  # a CSV file's cell
        try:
            cell = json.loads(cell)
        except ValueError:
            raise BadItem(name, f"{cell!r:.60} is not JSON") from None
    if isinstance(cell, Mapping):
        # a column of objects in a table has every row's keys; those of other rows are empty here
        names = [one for one, p in cell.items() if p is not None]
        try:
            meaning = decide_meaning(((one, item, order) for one in names), None, item.id)
        except AudiocontribError:
            raise BadItem(name, "its keys can be read in two ways; name the options by their text") from None
        named = {meaning.place(one, item, order, name): cell[one] for one in names}
        if len(named) != k:
            raise BadItem(name, f"it names {len(named)} of the {k} options")
        return [named[i] for i in range(k)]
    if not isinstance(cell, Sequence) or isinstance(cell, str) or len(cell) != k:
        raise BadItem(name, f"{cell!r:.60} is not a list of {k} {what}")
    return list(cell)
