"""What a model is to the rest: something with a name that answers requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from audiocontrib.audio import Sound
from audiocontrib.conditions import Condition
from audiocontrib.items import Item
from audiocontrib.prompts import Prompt


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
    ready: Any = None
    """What the model's ``prepare`` made of it beforehand, if it has such a method and it was called."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-likelihoods of the options, in the order shown."""

    logprobs: tuple[float, ...]
    """Natural log of p(option + closing tag | prompt, opening tag); summed over tokens."""
    tokens: tuple[int, ...]
    prompt_tokens: int | None = None
    evidence: str | None = None
    """What a cascade's listening parts found."""


@dataclass(frozen=True, slots=True)
class Generated:
    """A greedy reply."""

    text: str
    prompt_tokens: int | None = None
    evidence: str | None = None
    """What a cascade's listening parts found."""


@runtime_checkable
class Model(Protocol):
    """Anything that answers. If a batch raises, its requests are asked one by one.

    A model may have more methods: ``prepare(requests)`` gives them back with ``ready`` filled, and is called in
    another thread while the model is at work; ``keep_in(folder)`` names a folder of the run where it may keep
    what it finds out about sounds; ``report()`` says in a few words how the work went; ``at_once`` is how many requests
    a server takes at a time.
    """

    name: str
    """Short, unique in a run; the ``model`` column of the responses."""
    capabilities: frozenset[str]
    """Of ``audio`` (can be given audio), ``likelihood``, ``generate``."""
    max_seconds: float | None
    """Audio beyond this would be cut silently by the model's own feature extractor; None: no limit."""

    def fingerprint(self) -> dict[str, Any]:
        """JSON values that fix the answers: weights' hash, class, dtype, template. Kept in run.json."""

    def likelihood(self, requests: Sequence[Request]) -> Sequence[Scored | Exception]:
        """Score every option of every request, in order. An exception in the list is that request's failure alone."""

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> Sequence[Generated | Exception]:
        """Greedy replies, in order; all sampling is off whatever the checkpoint's defaults are."""
