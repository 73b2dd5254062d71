"""Prompt: what a model reads. Chat messages of an item under a condition and an option order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiocontrib.hashing import stable_hash
from audiocontrib.registry import Registry

# Verbatim from the published model (arXiv 2509.21060, model card).
SYSTEM = "You are an audio understanding model that answers multiple choice questions based on audio content."
OPEN, CLOSE = "<answer>", "</answer>"

PromptText = Callable[[str | None, Sequence[str]], str]
PROMPTS: Registry[PromptText] = Registry("prompt")
"""Name -> function of (question or None, options as shown) that gives the user's text after the audio."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One system turn and one user turn. The audio, where there is any, comes before the user's text."""

    system: str
    user: str
    has_audio: bool
    options: tuple[str, ...]
    """The options in the order shown; a likelihood is asked for each of them."""
    question: str | None = None
    """The bare question, for models that phrase it themselves; None where the condition hides it."""

    @property
    def sha256(self) -> str:
        """Hash of all that is read; the audio's own hash is kept beside it."""
        return stable_hash([self.system, self.user, self.has_audio, list(self.options)])

    def completion(self, option: str) -> str:
        """The model turn that answers with ``option``, as the training targets have it."""
        return f"{OPEN}{option}{CLOSE}"


@PROMPTS.register("audiomcq")
def audiomcq(question: str | None, options: Sequence[str]) -> str:
    """The published input format; the list is rendered as Python prints a list of strings."""
    return _join(question, str(list(options)))


@PROMPTS.register("audiomcq-card")
def audiomcq_card(question: str | None, options: Sequence[str]) -> str:
    """The format as the model card shows it, quotes doubled: ``[''Option1'', ''Option2'']``."""
    return _join(question, "[" + ", ".join(f"''{option}''" for option in options) + "]")


def _join(question: str | None, listed: str) -> str:
    head = f"{question} " if question is not None else ""
    ask = f"Please choose the answer from the following options: {listed}. Output the final answer in {OPEN} {CLOSE}."
    return head + ask


def rotate(choices: Sequence[str], order: int) -> tuple[str, ...]:
    """The options as shown under rotation ``order``: place i holds option (i + order) mod K."""
    k = len(choices)
    return tuple(choices[(place + order) % k] for place in range(k))


def unrotate(values: Sequence[float], order: int) -> tuple[float, ...]:
    """Values by place shown -> values by the item's own option index (inverse of :func:`rotate`)."""
    k = len(values)
    return tuple(values[(option - order) % k] for option in range(k))


def make_prompt(
    question: str | None, choices: Sequence[str], *, order: int = 0, has_audio: bool, prompt: str = "audiomcq"
) -> Prompt:
    """The prompt for one question. ``question`` is None where the condition hides it."""
    shown = rotate(choices, order)
    return Prompt(SYSTEM, PROMPTS.find(prompt)(question, shown), has_audio, shown, question)
