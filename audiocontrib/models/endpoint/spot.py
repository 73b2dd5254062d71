"""Spot checks of what a server says: a question that is answered is asked again, by a plain way, and compared.

A server's caches can hold what belongs to another request: vLLM has given log-probabilities of a prompt's tokens that
depended on which requests came before (its issue 42019). They look like any others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

EVERY = 64
"""Questions of which one is asked again: 2 % more requests."""
TOLERANCE = 0.25
"""Nats by which one token's two values may differ; those of n tokens by √n times that. In bfloat16, logits between 16
and 32 have steps of 0.125; values of another request are off by more, or by chance are not."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two log-probabilities of the same tokens after the same prompt."""

    said: float
    plain: float
    tokens: int = 1

    @property
    def apart(self) -> float:
        """Nats between the two; 0 where both are minus infinity."""
        return 0.0 if self.said == self.plain else abs(self.said - self.plain)


def worst(pairs: Sequence[Pair]) -> float:
    """The largest difference; 0 where nothing was compared."""
    return max((pair.apart for pair in pairs), default=0.0)


def wrong(pairs: Sequence[Pair]) -> str | None:
    """What the pairs say against the server, in words; None: nothing."""
    far = [pair for pair in pairs if not pair.apart <= TOLERANCE * math.sqrt(pair.tokens)]
    if not far:
        return None
    pair = max(far, key=lambda one: one.apart)
    return (
        f"the server gives {pair.said:.4g} and, asked again, {pair.plain:.4g} as the log-probability of the same "
        "tokens; its cache may be stale: restart it without prefix caching"
    )


@dataclass(slots=True)
class SpotChecks:
    """Which questions are asked again, and how that went."""

    questions: int = 0
    """Answered so far."""
    due: int = 0
    """The next check is due with this question."""
    done: int = 0
    largest: float = 0.0
    """Difference so far, in nats."""

    def count(self, questions: int) -> bool:
        """Note that so many more are answered; whether one of them is to be asked again."""
        self.questions += questions
        return self.questions > self.due

    def note(self, pairs: Sequence[Pair]) -> None:
        """A check is done."""
        self.done, self.largest = self.done + 1, max(self.largest, worst(pairs))
        self.due = self.questions + EVERY - 1

    def __str__(self) -> str:
        """In words; empty before the first one."""
        return f"{self.done} questions asked again, off by at most {self.largest:.2g} nats" if self.done else ""
