"""How a file of answers means its choices: decided for the whole file, because a row alone may be read two ways.

"2" is an index or, where options are numerals, a text; "C" a letter or a pitch. Cells that look alike are read
alike: as that which all of them can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from audiocontrib.errors import AudiocontribError, BadItem
from audiocontrib.items import Item
from audiocontrib.items.printed import labelled_so, printed_labels

MEANINGS = {
    "text": "the text of an option",
    "letter": "a letter, A for the first option shown",
    "index": "an index from 0, in the item's own order",
    "number": "a number from 1, in the item's own order",
}
"""What a choice can be."""
_LETTER = re.compile(r"[(\[]?([A-Za-z])[)\].:]{0,2}")
_NUMBER = re.compile(r"-?\d+(?:\.0+)?")
MANY = 20
"""Cells; so many indexes from 0 would hold a 0."""
_STYLES = ("(A)", "[A]", "A.", "A)", "A:")


@dataclass(frozen=True, slots=True)
class Meaning:
    """How the choices of a file are meant."""

    of_numbers: str = "index"
    of_letters: str = "letter"
    counts: Mapping[str, int] | None = None
    """Meaning -> cells that are read so."""

    def __str__(self) -> str:
        return "; ".join(f"{n:,} as {MEANINGS[name]}" for name, n in (self.counts or {}).items())

    def place(self, cell: Any, item: Item, order: int, name: str = "choice") -> int | None:
        """The option that a cell names; None for a letter, index or number that names no option.

        Raises:
            BadItem: the cell is nothing of the kind.
        """
        k = len(item.choices)
        kind = looks_like(cell)
        how = {"number": self.of_numbers, "letter": self.of_letters}.get(kind, "text")
        text = _text(cell)
        if how == "text" or (kind == "text" and text is not None):
            place = _named(text, item, order)
            if place is None:
                raise BadItem(name, f"{cell!r:.60} is neither an option of {item.id}, nor a letter or index of one")
            return place
        if how == "letter":
            found = _LETTER.fullmatch(text or "")
            place = ord(found[1].upper()) - ord("A") if found else k
            return (place + order) % k if place < k else None
        number = float(text or "nan")
        if not number.is_integer():
            raise BadItem(name, f"{cell!r:.60} is no whole number, and no option of {item.id}")
        place = int(number) - (how == "number")
        return place if 0 <= place < k else None


def decide_meaning(cells: Iterable[tuple[Any, Item, int]], given: str | None, where: str) -> Meaning:
    """How the choices of a file are meant, from all its cells (with their items and orders).

    Args:
        given: what they are by the user's word, one of MEANINGS; text is then left to cells that can be nothing else.

    Raises:
        AudiocontribError: they can be read in two ways that differ.
    """
    held = list(cells)
    numbers = [one for one in held if looks_like(one[0]) == "number"]
    letters = [one for one in held if looks_like(one[0]) == "letter"]
    if given is None:
        _refuse_printed([*letters, *numbers], where)
    of_numbers = given if given in ("index", "number", "text") else _numbers(numbers, where)
    of_letters = given if given in ("letter", "text") else _letters(letters, where)
    counts = {of_numbers: len(numbers)}
    counts[of_letters] = counts.get(of_letters, 0) + len(letters)
    counts["text"] = counts.get("text", 0) + len(held) - len(numbers) - len(letters)
    return Meaning(of_numbers, of_letters, {name: n for name, n in counts.items() if n})


def _refuse_printed(cells: list[tuple[Any, Item, int]], where: str) -> None:
    """AudiocontribError if a letter or number is printed on one option and is the place of another."""
    for cell, item, order in cells:
        printed = _printed(_text(cell), item)
        if printed is not None and printed != Meaning().place(cell, item, order):
            words = "text or letter" if looks_like(cell) == "letter" else "text, number or index"
            raise _ambiguous(where, [(cell, item, order)], "what is printed on the options, or their places", words)


def looks_like(cell: Any) -> str:
    """``number``, ``letter`` or ``text``."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return "number"
    text = str(cell).strip()
    return "number" if _NUMBER.fullmatch(text) else "letter" if _LETTER.fullmatch(text) else "text"


def _numbers(cells: list[tuple[Any, Item, int]], where: str) -> str:
    as_text = [_named(_text(cell), item, order) for cell, item, order in cells]
    places = [int(float(str(cell))) for cell, _, _ in cells]
    inside = [0 <= place < len(item.choices) for place, (_, item, _) in zip(places, cells, strict=True)]
    if cells and None not in as_text:
        if all(inside) and as_text != places:
            raise _ambiguous(where, cells, "an index or the text of an option", "index or text")
        return "index" if all(inside) else "text"
    from_one = cells and all(1 <= place <= len(item.choices) for place, (_, item, _) in zip(places, cells, strict=True))
    if from_one and not all(inside):
        raise _ambiguous(where, cells, "counted from 1, or from 0 with some that name no option", "number or index")
    if from_one and len(cells) >= MANY:
        raise _ambiguous(where, cells, "counted from 1, for none is 0, or from 0", "number or index")
    return "index"


def _letters(cells: list[tuple[Any, Item, int]], where: str) -> str:
    as_text = [_named(_text(cell), item, order) for cell, item, order in cells]
    if not cells or None in as_text:
        return "letter"
    as_letter = [Meaning().place(cell, item, order) for cell, item, order in cells]
    if None not in as_letter and as_letter != as_text:
        raise _ambiguous(where, cells, "letters of options or their texts", "letter or text")
    return "text" if None in as_letter else "letter"


def _ambiguous(where: str, cells: list[tuple[Any, Item, int]], ways: str, words: str) -> AudiocontribError:
    cell, item, _ = cells[0]
    return AudiocontribError(
        f"{where}: the choices (such as {cell!r:.40} of {item.id}) can be {ways}; say which: {words}",
        argument="choice_as",
    )


def _named(text: str | None, item: Item, order: int) -> int | None:
    """The option that has this text, as it is or as it was published, with its label or another."""
    if text is None:
        return None
    if text in item.choices:
        return item.choices.index(text)
    published = item.extra.get("published_choices")
    printed = printed_labels(published) if published else None
    if published and printed and text in published:
        text = printed.texts[published.index(text)]
        return item.choices.index(text) if text in item.choices else None
    if (place := _printed(text, item)) is not None:
        return place
    for label, rest in _labelled(text):
        place = ord(label.upper()) - ord("A")
        if rest in item.choices and item.choices.index(rest) in (
            (place + order) % len(item.choices),
            _printed(label, item),
        ):
            return item.choices.index(rest)
    return None


def _printed(text: str | None, item: Item) -> int | None:
    """The option on which this label was printed in the row as it was published; None: there is none."""
    published = item.extra.get("published_choices")
    printed = printed_labels(published) if published and text else None
    place = printed.place(text or "") if printed else None
    if printed is None or place is None or printed.texts[place] not in item.choices:
        return None
    return item.choices.index(printed.texts[place])


def _labelled(text: str) -> Iterator[tuple[str, str]]:
    for style in _STYLES:
        yield from ((label, rest) for label, rest in labelled_so([text], style) if label.isalpha())


def _text(cell: Any) -> str | None:
    if isinstance(cell, bool):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if isinstance(cell, str | int | float) else None
