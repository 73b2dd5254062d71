"""What a model is to the rest: something with a name that answers requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from audiocontrib.audio import Sound
from audiocontrib.conditions import Condition
from audiocontrib.items import Item
from audiocontrib.prompts import Prompt

METHODS = ("likelihood", "generate")


@dataclass(frozen=True, slots=True)
class Request:
    """One question to one model: what it reads and hears, and which item it stands for.

    Models answer from ``prompt`` and ``sound`` alone. ``item`` is there for identity, and for mock
    models, which plant behaviour and so must know the gold option.
    """

    item: Item
    condition: Condition
    order: int
    prompt: Prompt
    sound: Sound | None
    partner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-likelihoods of the options, in the order shown."""

    logprobs: tuple[float, ...]
    """Natural log of p(option + closing tag | prompt, opening tag); summed over tokens."""
    tokens: tuple[int, ...]
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Generated:
    """A greedy reply."""

    text: str
    prompt_tokens: int | None = None


@runtime_checkable
class Model(Protocol):
    """Anything that answers. An error raised for a batch makes its requests fail one by one."""

    name: str
    """Short, unique in a run; the ``model`` column of the responses."""
    capabilities: frozenset[str]
    """Of ``audio`` (can be given audio), ``likelihood``, ``generate``."""
    max_seconds: float | None
    """Audio beyond this would be cut silently by the model's own feature extractor; None: no limit."""

    def fingerprint(self) -> dict[str, Any]:
        """JSON values that fix the answers: weights' hash, class, dtype, template. Kept in run.json."""

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """Score every option of every request, in order."""

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """Greedy replies, in order; all sampling is off whatever the checkpoint's defaults are."""
