"""One option more: the gold of another item of the same kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from audiocontrib.conditions.base import register_condition
from audiocontrib.conditions.partners import Partners
from audiocontrib.conditions.standard import Text, whole
from audiocontrib.hashing import stable_hash
from audiocontrib.items import Item
from audiocontrib.items.item import MAX_CHOICES


@register_condition
@dataclass(frozen=True, slots=True)
class Foreign(Text):
    """Question and options, and one option more: the gold of another item, which no text of this one leads to.

    The other item has the same question, or else the same question type, another clip, and a gold that is not among
    this item's options. An item without such a one is not asked.
    """

    name: ClassVar[str] = "foreign"
    borrows_option: ClassVar[bool] = True
    seed: int = 0

    @property
    def spec(self) -> str:  # noqa: D102
        return "foreign" if self.seed == 0 else f"foreign:{self.seed}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(whole(parameter, "a seed", high=2**31))

    def partners(self, items: Sequence[Item]) -> Partners:  # noqa: D102
        return partners_by_kind(items, self.seed)


def partners_by_kind(items: Sequence[Item], seed: int = 0) -> Partners:
    """A function from an item to the one that lends its gold, fixed by the seed; None where there is none.

    Items of a kind stand in an order that the seed shuffles; an item starts at a place of its own and takes the first
    that will do.
    """
    rings: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for item in items:
        for kind in _kinds(item) if item.answer is not None else ():
            rings[kind].append(item)
    for ring in rings.values():
        ring.sort(key=lambda item: stable_hash([seed, item.id]))

    def partner(item: Item) -> Item | None:
        offered = {_folded(choice) for choice in item.choices}
        start = int(stable_hash([seed, item.id])[:16], 16)
        for ring in (rings.get(kind, ()) for kind in _kinds(item) if len(item.choices) < MAX_CHOICES):
            for step in range(len(ring)):
                other = ring[(start + step) % len(ring)]
                if other.clip_id != item.clip_id and _folded(gold_of(other)) not in offered:
                    return other
        return None

    return partner


def with_gold_of(item: Item, lender: Item) -> Item:
    """The item with one option more, the last: the gold of the other."""
    return replace(item, choices=(*item.choices, gold_of(lender)))


def gold_of(item: Item) -> str:
    """The text of the gold of an item that has a key."""
    assert item.answer is not None
    return item.choices[item.answer]


def _kinds(item: Item) -> list[tuple[str, str]]:
    """What an item may have in common with the one that lends its gold, the nearer first."""
    kinds = [("question", _folded(item.question))]
    return [*kinds, ("type", item.question_type)] if item.question_type else kinds


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
