"""Requests that share the beginning of their prompt, and how many such groups stand side by side in one forward."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from audiocontrib.models.base import Request
from audiocontrib.models.prefix_cache import MOST

Group = list[int]
"""Places of requests that share the beginning of their prompt."""
Row = TypeVar("Row")


def groups_of(asked: Sequence[Request] | Mapping[int, Request], places: Sequence[int]) -> list[Group]:
    """The places of prepared requests by their beginnings, the longest of these last."""
    groups: dict[tuple[tuple[int, ...], str | None], Group] = defaultdict(list)
    for place in places:
        groups[asked[place].ready.key].append(place)
    return sorted(groups.values(), key=lambda group: len(asked[group[0]].ready.key[0]))


def take_rows(waiting: list[Row], size: Callable[[Row], float], budget: int) -> list[Row]:
    """The last of those that wait, which is the longest, and what stands beside it in a forward of so many tokens.

    Shorter ones are padded to its length, which counts. It is taken whatever its length; of others, as many as their
    prefixes are kept.
    """
    batch = [waiting.pop()]
    most = min(MOST, budget / size(batch[0]))
    while waiting and len(batch) + 1 <= most:
        batch.append(waiting.pop())
    return batch
