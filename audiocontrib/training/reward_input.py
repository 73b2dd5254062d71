"""RewardInput: a reply, as a reward function of the user's own gets it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from audiocontrib.answers import Spoken, parse, split_thought
from audiocontrib.items import Clip, Item


@dataclass(frozen=True)
class RewardInput:
    """A reply, as a reward function gets it. Nothing in it can be changed.

    Example:
        >>> def short(asked):
        ...     return 1.0 if asked.choice == asked.gold and len(asked.said) < 80 else 0.0
    """

    item_id: str
    question: str
    options: tuple[str, ...]
    """In the order shown, with an option that abstains if the recipe adds one."""
    gold: int
    """Place of the right option among them."""
    reply: str
    """All that the model wrote, thought and tags too, without what ends a reply."""
    heard: Literal["audio", "silence"] = "audio"
    """The item's clip, or silence of its length (``silent_replies``)."""
    ended: bool = True
    """Whether the reply ended by itself; False: it was cut off."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """The data set's other fields of the item."""
    clip: Clip | None = None
    """What was heard (:func:`audiocontrib.audio.decode` gives the samples); None in silence."""

    @cached_property
    def choice(self) -> int | None:
        """Place of the option that the reply names, read as in evaluation; None: none, or several."""
        return parse(self.reply, self.options, finish="stop" if self.ended else "length").choice

    @property
    def thought(self) -> str | None:
        """What was thought aloud before the answer, without its marks; None: nothing."""
        return self._spoken.thought

    @property
    def said(self) -> str:
        """The reply without its thought."""
        return self._spoken.said

    @cached_property
    def _spoken(self) -> Spoken:
        return split_thought(self.reply)


def reward_input(
    item: Item, options: tuple[str, ...], gold: int, reply: str, *, silent: bool, ended: bool = True
) -> RewardInput:
    """The input for a reply to an item, with a copy of what could be changed."""
    return RewardInput(
        item.id, item.question, options, gold, reply, "silence" if silent else "audio", ended,
        MappingProxyType(copy.deepcopy(dict(item.extra))), None if silent else item.audio,
    )  # fmt: skip
