"""How replies are drawn: how often each question is asked, and at which temperature."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from audiocontrib.errors import UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.models import Model
from audiocontrib.models.base import ReplyDraw

MOST_REPEATS, MOST_TOKENS = 10_000, 1_000_000
LEAST = 1e-6
"""Of a temperature and of top_p: with less, what is drawn would be lost in rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How often a question is asked, and how its replies are drawn.

    Each reply has a seed of its own, made of ``seed``, item, condition, order and repeat: the same reply comes
    whatever the batch, and in whatever order the questions are asked.

    Example:
        >>> often = ac.Sampling(repeats=5, temperature=0.7)
        >>> ac.score(items, model, method="generate", sampling=often, run="runs/often")
    """

    repeats: int = 1
    """Replies to each question. More may be asked for later, and are added to the run."""
    temperature: float = 0.0
    """0: greedy, and each question is asked once."""
    top_p: float = 1.0
    """Only the likeliest tokens that together have this probability; 1: all."""
    seed: int = 0
    max_new_tokens: int | None = None
    """Tokens that a reply may have, its thought included where that has no bound of its own; None: the model's own
    default, 128 where it does not think aloud."""
    think_tokens: tuple[int, ...] = ()
    """Tokens that the thought before an answer may have; each question is asked with each of these bounds. At the bound
    the thought is closed, and the answer asked. None given: a thought has no bound of its own."""

    def __post_init__(self) -> None:
        """UsageError for a number out of range, or settings that would have no effect."""
        _check("repeats", self.repeats, int, 1, MOST_REPEATS, f"a whole number from 1 to {MOST_REPEATS:,}")
        least = LEAST if self.temperature else 0
        _check("temperature", self.temperature, (int, float), least, 100, f"0 or a number from {LEAST:g} to 100")
        _check("top_p", self.top_p, (int, float), LEAST, 1, "a number above 0, and at most 1")
        _check("seed", self.seed, int, 0, 2**63 - 1, "a whole number from 0")
        if self.max_new_tokens is not None:
            _check(
                "max_new_tokens", self.max_new_tokens, int, 1, MOST_TOKENS, f"a whole number from 1 to {MOST_TOKENS:,}"
            )
        given = self.think_tokens
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise UsageError(f"think_tokens is {given!r}, but is a list of whole numbers, such as (0, 256)")
        object.__setattr__(self, "think_tokens", tuple(given))  # frozen: a list becomes a tuple
        for bound in self.think_tokens:
            _check("think_tokens", bound, int, 0, MOST_TOKENS, f"whole numbers from 0 to {MOST_TOKENS:,}")
        if len(set(self.think_tokens)) < len(self.think_tokens):
            raise UsageError(f"think_tokens holds a number twice: {', '.join(map(str, self.think_tokens))}")
        if not self.temperature and self.repeats > 1:
            raise UsageError(
                f"repeats is {self.repeats}, but greedy replies are all the same: give a temperature above 0 as well",
                argument="temperature",
            )
        if not self.temperature and self.top_p < 1:
            raise UsageError(
                f"top_p is {self.top_p}, but greedy replies are not drawn: give a temperature above 0 as well",
                argument="temperature",
            )

    @property
    def identity(self) -> dict[str, Any]:
        """What of it can change an answer, for run.json; empty where replies are greedy."""
        if not self.temperature:
            return {}
        return {"temperature": float(self.temperature), "top_p": float(self.top_p), "seed": self.seed}

    @property
    def bounds(self) -> tuple[int | None, ...]:
        """Those of thoughts; one that is None where there are none."""
        return self.think_tokens or (None,)

    @property
    def each(self) -> int:
        """How often each question is asked."""
        return self.repeats * len(self.bounds)

    def check(self, model: Model, method: str) -> None:
        """UsageError if the model cannot be asked so."""
        if method == "likelihood" and (self.max_new_tokens is not None or self.think_tokens):
            what = "think_tokens" if self.think_tokens else "max_new_tokens"
            raise UsageError(
                f"{what} is for replies and thoughts, and likelihoods have none: ask by the method generate or "
                "think-likelihood"
            )
        if self.think_tokens and "thinking" not in model.capabilities:
            why = f" ({reason})" if (reason := model.refusals.get("thinking")) else ""
            raise UsageError(f"{model.name} cannot be held to a number of thought tokens{why}; leave think_tokens out")
        if not self.temperature:
            return
        if method == "likelihood":
            raise UsageError(
                f"temperature is {self.temperature:g}, but likelihoods are not drawn: ask by the method generate"
            )
        if "sampling" not in model.capabilities:
            raise UsageError(
                f"{model.name} draws no replies at a temperature; leave it out, or (a model of your own) draw as "
                "the request's draw says and name 'sampling' among its capabilities"
            )

    def draw(self, item_id: str, condition: str, order: int, repeat: int) -> ReplyDraw | None:
        """How one reply is drawn; None: greedily."""
        if not self.temperature:
            return None
        seed = int(stable_hash(["draw", self.seed, item_id, condition, order, repeat])[:8], 16) >> 1
        return ReplyDraw(float(self.temperature), float(self.top_p), seed)


def _check(name: str, value: Any, kind: Any, low: float, high: float, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        raise UsageError(f"{name} is {value!r}, but is {what}")


GREEDY = Sampling()
