"""The options of a question, as tables give them: lists, objects by label, texts, or inside the question."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from audiocontrib.errors import BadItem
from audiocontrib.items.printed import bare_label

DELIMITERS = {";": ";", "|": "|", "/": "/", ",": ",", "newline": "\n", "tab": "\t"}
"""What may stand between the options of a text, by its name in a mapping."""
LABEL_NAMES = ("label", "letter", "key", "id", "name", "index")
TEXT_NAMES = ("text", "value", "content", "option", "choice")
"""Names in ``{"label": "A", "text": "dog"}``, an option of a list, and in ``{"label": […], "text": […]}``."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a row, with the labels that the row gives them, if any."""

    texts: Any
    """A list of texts; whatever else the row holds is told where the item is made."""
    labels: tuple[str, ...] = ()


def cell_options(cell: Any, delimiter: str = "") -> Options:
    """The options of one cell.

    Read are: a list of texts; the JSON or Python text of one; ``{"A": "dog", "B": "cat"}``;
    ``{"text": ["dog", "cat"], "label": ["A", "B"]}`` (ARC); a list of such pairs; with ``delimiter``, a text that
    it divides.

    Raises:
        BadItem: it is none of these.
    """
    if type(cell) is list and set(map(type, cell)) <= {str}:  # nearly every row
        return Options(cell)
    value = parsed(cell)
    if isinstance(value, str) and delimiter:
        parts = [part.strip() for part in value.split(delimiter)]
        return Options(parts[:-1] if parts[-1] == "" else parts)
    if isinstance(value, Mapping):
        return _of_object(value)
    if isinstance(value, list | tuple) and value and all(isinstance(one, Mapping | tuple) for one in value):
        return _of_pairs(value)
    return Options(value)


def parsed(cell: Any) -> Any:
    """A list or an object that a text column holds as JSON, or as Python or numpy prints it; anything else as it is.

    Raises:
        BadItem: a text that begins as a list and is none.
    """
    if not isinstance(cell, str) or not cell.lstrip().startswith(("[", "{")):
        return cell
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        pass  # not JSON; Python's own spelling is the other one in use
    try:
        return _unglued(cell.strip()) or ast.literal_eval(cell.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, tokenize.TokenError):
        raise BadItem("choices", f"{cell[:80]!r} can be read neither as JSON nor as a Python list") from None


def _unglued(text: str) -> list[Any] | None:
    """The texts of ``['dog' 'cat']``, which numpy prints and Python would read as one; None for other lists.

    Raises:
        ValueError: some have a comma between them, and some have none.
    """
    skipped = (tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type not in skipped]
    texts = [token.type == tokenize.STRING for token in tokens]
    if not any(one and following for one, following in pairwise(texts)):
        return None
    if not all(texts[1:-1]) or tokens[0].string + tokens[-1].string != "[]":
        raise ValueError("texts without a comma between them")
    return [ast.literal_eval(token.string) for token in tokens[1:-1]]


def _of_object(value: Mapping[Any, Any]) -> Options:
    """Options by label, or a list of labels beside a list of texts."""
    lists = {str(name).rstrip("s"): one for name, one in value.items() if isinstance(one, list | tuple)}
    labels = next((lists[name] for name in LABEL_NAMES if name in lists), None)
    texts = next((lists[name] for name in TEXT_NAMES if name in lists), None)
    if texts is not None and len(value) <= 2:
        if labels is None and len(value) == 2:
            raise BadItem("choices", f"are an object of {', '.join(map(str, value))}: which is the label is not known")
        return _labelled(texts, labels or ())
    if odd := [label for label in value if not bare_label(str(label).replace("_", " "))]:
        raise BadItem("choices", f"are an object of {', '.join(map(str, value))}; {odd[0]!r} is no label of an option")
    there = {str(label): text for label, text in value.items() if text not in (None, "")}
    return _labelled(list(there.values()), list(there))


def _of_pairs(values: Sequence[Any]) -> Options:
    """A list of ``{"label": …, "text": …}``, of ``{"A": "dog"}``, or of ``("A", "dog")``."""
    pairs = []
    for one in values:
        if isinstance(one, tuple) or len(one) == 1:
            pairs += [one] if isinstance(one, tuple) else list(one.items())
            continue
        label = next((one[name] for name in LABEL_NAMES if name in one), None)
        text = next((one[name] for name in TEXT_NAMES if name in one), None)
        if label is None or text is None or len(one) != 2:
            raise BadItem("choices", f"an option is an object of {', '.join(map(str, one))}, not of a label and a text")
        pairs.append((label, text))
    if any(len(pair) != 2 for pair in pairs):
        raise BadItem("choices", "hold pairs that are not of a label and a text")
    return _labelled([text for _, text in pairs], [label for label, _ in pairs])


def _labelled(texts: Sequence[Any], labels: Sequence[Any]) -> Options:
    names = tuple(str(label).strip() for label in labels)
    if names and (len(names) != len(texts) or len({name.casefold() for name in names}) != len(names)):
        raise BadItem("choices", f"the labels {list(names)!r:.80} are not one for each of {len(texts)} options")
    return Options(list(texts), names)
