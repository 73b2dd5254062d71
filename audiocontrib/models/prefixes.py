"""Prefixes that are kept for the next question, within a bound of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from audiocontrib.models.prefix import Prefix


@dataclass(slots=True)
class PrefixStore:
    """The prefixes used last, in at most ``limit`` bytes (one is kept whatever its size).

    Silence is used over and over, a clip by the questions that follow each other.
    """

    limit: int
    """Bytes of keys and values."""
    peak: int = 0
    """Most bytes that were held at once."""
    made: int = 0
    reused: int = 0
    _kept: OrderedDict[Hashable, Prefix] = field(default_factory=OrderedDict)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def get(self, key: Hashable, make: Callable[[], Prefix]) -> Prefix:
        """The prefix under ``key``; made, and older ones dropped, where it is not kept."""
        if key in self._kept:
            self._kept.move_to_end(key)
            self.reused += 1
            return self._kept[key]
        prefix = make()
        self.made += 1
        held = sum(p.bytes for p in self._kept.values()) + prefix.bytes
        while self._kept and held > self.limit:
            held -= self._kept.popitem(last=False)[1].bytes
        self._kept[key] = prefix
        self.peak = max(self.peak, held)
        return prefix

    def clear(self) -> None:
        """Drop all; what is needed again is computed again."""
        self._kept.clear()
