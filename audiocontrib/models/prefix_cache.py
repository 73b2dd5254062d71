"""Prefixes that are kept for the next question, within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from audiocontrib.models.prefix_decoder import Prefix

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

    def get(self, key: Hashable, make: Callable[[], Prefix], uses: int = 1) -> Prefix:
        """The prefix under ``key``, for so many requests; made, and others dropped, where it is not kept."""
        now = self.made + self.reused
        if (found := self._kept.get(key)) is not None:
            self.reused += 1
            found.uses, found.last = found.uses + uses, now
            return found.prefix
        prefix = make()
        self.made += 1
        held = sum(kept.prefix.bytes for kept in self._kept.values()) + prefix.bytes
        while self._kept and (held > self.limit or len(self._kept) >= MOST):
            dropped = min(self._kept, key=lambda name: (self._kept[name].uses, self._kept[name].last))
            held -= self._kept.pop(dropped).prefix.bytes
        self._kept[key] = CachedPrefix(prefix, uses, now)
        self.peak = max(self.peak, held)
        return prefix

    def clear(self) -> None:
        """Drop all; what is needed again is computed again."""
        self._kept.clear()
