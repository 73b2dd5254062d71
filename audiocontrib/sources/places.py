"""Golds that are places of options: whether a data set as a whole counts them from 0 or from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audiocontrib.items.gold import number_told


@dataclass(slots=True)
class PlaceCounts:
    """Golds that are given as places, while a data set is read: whether they count from 0 or from 1."""

    zeros: int = 0
    ends: int = 0
    """Those as large as the number of options, which only counting from 1 gives."""

    def see(self, answer: Any, choices: Any) -> None:
        """Count a row."""
        number = number_told(answer)
        self.zeros += number == 0
        self.ends += number is not None and isinstance(choices, list | tuple) and number == len(choices) > 0

    def fault(self, answer_as: str) -> str:
        """What speaks against the way in which they were read; empty if nothing does."""
        if answer_as == "index" and self.ends and not self.zeros:
            return f"golds seem to count from 1, not from 0: {self.ends:,} name the last option so, and none is 0"
        if answer_as == "number" and self.zeros and not self.ends:
            return f"golds seem to count from 0, not from 1: {self.zeros:,} are 0, and none names the last option so"
        return ""
