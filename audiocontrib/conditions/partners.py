"""Partners: whose clip is played in place of the item's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item
from audiocontrib.items.gold import folded

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
            golds[item.clip_id].add(folded(item.choices[item.answer]))
    ring = sorted(first, key=lambda clip: stable_hash([seed, clip]))

    def partner(item: Item) -> Item | None:
        offered = {folded(choice) for choice in item.choices}
        start = int(stable_hash([seed, item.id])[:16], 16)
        for step in range(len(ring)):
            clip = ring[(start + step) % len(ring)]
            if clip != item.clip_id and not golds[clip] & offered:
                return first[clip]
        return None

    return partner


def partners_in_conflict(items: Iterable[Item], seed: int = 0) -> Partners:
    """A function from an item to one whose clip says another option of it, fixed by the seed; None where none does.

    What the clip says is the gold of an item on it that asks the same: the same question, or else the same question
    type where there is one. It must be exactly one of the options and not the gold; no gold on that clip may be the
    item's own.
    """
    asked: dict[tuple[str, str], list[Item]] = defaultdict(list)
    golds: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.audio is not None and item.answer is not None:
            golds[item.clip_id].add(folded(item.choices[item.answer]))
            for kind in _kinds(item):
                asked[kind].append(item)
    rings = {kind: sorted(own, key=lambda one: stable_hash([seed, one.id])) for kind, own in asked.items()}

    def partner(item: Item) -> Item | None:
        if item.answer is None:
            return None
        offered, own = [folded(choice) for choice in item.choices], folded(item.choices[item.answer])
        start = int(stable_hash([seed, item.id])[:16], 16)
        for ring in (rings.get(kind, []) for kind in _kinds(item)):
            for step in range(len(ring)):
                other = ring[(start + step) % len(ring)]
                said = golds[other.clip_id] & set(offered)
                gold = folded(other.choices[other.answer or 0])
                if other.clip_id != item.clip_id and said == {gold} and gold != own and offered.count(gold) == 1:
                    return other
        return None

    return partner


def _kinds(item: Item) -> list[tuple[str, str]]:
    """What an item asks, the narrowest first."""
    kinds = [("question", folded(item.question))]
    return kinds + [("type", f"{item.dataset} {item.question_type}")] * bool(item.question_type)
