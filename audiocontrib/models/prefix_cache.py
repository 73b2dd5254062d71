"""Prefixes that are kept for the next question, within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audiocontrib.models.clip_batch import Prefix

MOST = 32
"""Prefixes that are kept at most: the questions on a clip come together, so that its prefix is soon done with."""


@dataclass(slots=True)
class CachedPrefix:
    """A prefix, and what decides how long it stays."""

    prefix: Prefix
    uses: int
    last: int


@dataclass(slots=True)
class PrefixStore:
    """At most MOST prefixes in at most ``limit`` bytes (one is kept whatever its size).

    The one used least often goes first, of these the one used longest ago: silence is used over and over, a clip by the
    questions of one batch.
    """

    limit: int
    """Bytes of keys and values."""
    peak: int = 0
    """Most bytes that were held at once."""
    made: int = 0
    reused: int = 0
    _kept: dict[Hashable, CachedPrefix] = field(default_factory=dict)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, uses: Mapping[Any, int], make: Callable[[list[Any]], list[Prefix]]) -> list[Prefix]:
        """The prefixes under some keys, each for so many requests; those that are not kept are made together.

        For what is made, others are dropped; what is given back is there all the same.
        """
        new = [key for key in uses if key not in self._kept]
        made = dict(zip(new, make(new), strict=True)) if new else {}
        found = {key: self._again(key, uses[key]) for key in uses if key not in made}
        for key, prefix in made.items():
            found[key] = self._keep(key, prefix, uses[key])
        return [found[key] for key in uses]

    def _again(self, key: Hashable, uses: int) -> Prefix:
        held = self._kept[key]
        held.uses, held.last = held.uses + uses, self.made + self.reused
        self.reused += 1
        return held.prefix

    def _keep(self, key: Hashable, prefix: Prefix, uses: int) -> Prefix:
        held = sum(kept.prefix.bytes for kept in self._kept.values()) + prefix.bytes
        while self._kept and (held > self.limit or len(self._kept) >= MOST):
            dropped = min(self._kept, key=lambda name: (self._kept[name].uses, self._kept[name].last))
            held -= self._kept.pop(dropped).prefix.bytes
        self._kept[key] = CachedPrefix(prefix, uses, self.made + self.reused)
        self.made += 1
        self.peak = max(self.peak, held)
        return prefix

    def clear(self) -> None:
        """Drop all; what is needed again is computed again."""
        self._kept.clear()
