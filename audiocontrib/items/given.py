"""Items as people hand them over: Items, a list of Item, one Item."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.items.item import Item
from audiocontrib.items.table import Items, ItemTable


def as_items(given: Any) -> Items:
    """Items of whatever holds Item; the folder of their clips is noted, as a run keeps it apart from the paths.

    Raises:
        UsageError: it holds something else, an id twice, or clips in several folders.
    """
    if isinstance(given, ItemTable):
        return Items(given)
    if isinstance(given, Items) and (isinstance(given._items, ItemTable) or "audio_root" in given.origin):
        return given
    if isinstance(given, Item):
        given = [given]
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise UsageError(f"{given!r} holds no items: load_items makes them, of a name, a file, a table or rows")
    items = tuple(given)
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Item):
            raise UsageError(
                f"element {number} is a {type(item).__name__}, not an Item: load_items makes items of rows and tables"
            )
    twice = [name for name, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise UsageError(f"{len(twice)} ids are there more than once, e.g. {twice[0]!r}; an id is of one item")
    root = {"audio_root": found} if (found := _root(items)) else {}
    if isinstance(given, Items):
        return Items(items, given.quarantined, given.origin | root)
    return Items(items, (), {"name": " + ".join(sorted({item.dataset for item in items}))} | root)


def _root(items: Iterable[Item]) -> str | None:
    """The one folder that all clips with a path lie in; None where there is none."""
    clips = [item.audio for item in items if item.audio is not None and item.audio.data is None]
    roots = sorted({os.path.abspath(clip.root or ".") for clip in clips})
    if len(roots) > 1:
        raise UsageError(
            f"the clips lie in {len(roots)} folders, e.g. {roots[0]} and {roots[1]}; a run has one: "
            "give every Clip the folder above them as its root"
        )
    return roots[0] if roots else None
