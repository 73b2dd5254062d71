"""Partners: whose clip is played in place of the item's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item

Partners = Callable[[Item], Item | None]
"""From an item to the one whose clip is played instead; None where no other clip can stand in."""


def partners_by_gold(items: Iterable[Item], seed: int = 0) -> Partners:
    """A function from an item to its partner, fixed by the seed; None where there is none.

    The recordings stand in an order that the seed shuffles; an item starts at a place of its own and
    takes the first recording that is not its own and on which no gold option is among its choices.
    """
    first: dict[str, Item] = {}
    golds: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.audio is not None and item.answer is not None:
            first.setdefault(item.clip_id, item)
            golds[item.clip_id].add(_fold(item.choices[item.answer]))
    ring = sorted(first, key=lambda clip: stable_hash([seed, clip]))

    def partner(item: Item) -> Item | None:
        offered = {_fold(choice) for choice in item.choices}
        start = int(stable_hash([seed, item.id])[:16], 16)
        for step in range(len(ring)):
            clip = ring[(start + step) % len(ring)]
            if clip != item.clip_id and not golds[clip] & offered:
                return first[clip]
        return None

    return partner


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())
