"""The ear against the text: a clip that says another option than the item's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from audiocontrib.conditions.base import Condition, register_condition
from audiocontrib.conditions.partners import Partners, partners_in_conflict
from audiocontrib.conditions.standard import whole
from audiocontrib.items import Item


@register_condition
@dataclass(frozen=True, slots=True)
class Conflict(Condition):
    """The clip of an item of the same question or question type whose gold is another of this item's options."""

    name: ClassVar[str] = "conflict"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True
    control: ClassVar[bool] = True
    seed: int = 0

    @property
    def spec(self) -> str:  # noqa: D102
        return "conflict" if self.seed == 0 else f"conflict:{self.seed}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(whole(parameter, "a seed", high=2**31))

    def partners(self, items: Sequence[Item]) -> Partners:  # noqa: D102
        return partners_in_conflict(items, self.seed)
