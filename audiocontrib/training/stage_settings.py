"""Settings that SFT and GRPO share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import config

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""numpy's generators take no other."""
Beta = Annotated[float, Field(ge=0, lt=1)]
Part = Literal["weak", "strong", "all"]


@config
class Stage:
    """What SFT and GRPO share. Sizes are those of one device; all devices together see ``batch`` x devices."""

    part: Part
    """Which items of the split: ``weak``, ``strong``, or ``all`` (the undecided too)."""
    items: PositiveInt | Literal["weak"] | None = None
    """Draw so many of them by chance; ``weak``: as many as the split calls weak; null: all."""
    copies: PositiveInt = 4
    """Each question so many times, its options in a new random order each time (arXiv 2509.21060: 4)."""
    seed: Seed = 0
    """Of the draw, the orders, the shuffling and the sampling."""
    learning_rate: PositiveFloat
    """Of AdamW, at its highest."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the schedule in which the learning rate rises."""
    schedule_steps: PositiveInt | None = None
    """Steps after which the learning rate has fallen; more than are done: it has fallen less by then. Null: the end."""
    schedule_epochs: PositiveFloat | None = None
    """The same in passes through the rows."""
    weight_decay: NonNegativeFloat = 0.0
    """Of AdamW."""
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """Of AdamW: how much of the mean gradient, and of the mean square, is kept from step to step."""
    clip: PositiveFloat = 1.0
    """Gradients of a larger norm are scaled down to it."""
    batch: PositiveInt
    """Rows (GRPO: replies) of one forward."""
    accumulate: PositiveInt = 1
    """Forwards of one step."""
    epochs: PositiveFloat | None = None
    """Passes through the rows; give this or ``steps``."""
    steps: PositiveInt | None = None
    """Optimiser steps; give this or ``epochs``."""
    tune: Literal["full", "lora", "qlora"] = "full"
    """All weights (those for images apart, which hear nothing), or low-rank adapters that are merged at the end; with
    `qlora` the language model's weights below them are in 4 bits (arXiv 2305.14314), the audio tower's are not."""
    rank: PositiveInt = 8
    """Of the adapters."""
    alpha: PositiveInt = 16
    """The adapters' scale is alpha / rank."""
    checkpointing: bool = True
    """Compute activations again in the backward pass, on a GPU: slower, much less memory."""
    seconds: PositiveFloat = 30.0
    """Clips are heard up to here; what is longer is cut, as in scoring."""
    workers: NonNegativeInt = 0
    """Processes that decode clips ahead (SFT); 0: none."""
    save_every: PositiveInt = 100
    """Steps between checkpoints; a kill loses at most these."""
    keep: PositiveInt = 2
    """Checkpoints that are kept, the newest ones."""
    bad_rows: Literal["leave out", "stop"] = "leave out"
    """What is done about items that cannot be trained on: clips that cannot be heard, texts that hold control tokens,
    prompts that are too long. They are found before the first step."""

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either epochs or steps, and leave the other out")
        if self.schedule_steps and self.schedule_epochs:
            raise ValueError("give either schedule_steps or schedule_epochs, or neither")
        for name, end in (("steps", self.schedule_steps), ("epochs", self.schedule_epochs)):
            done = getattr(self, name)
            if end and done and end < done:
                raise ValueError(f"schedule_{name} is {end:g}, but {name} goes on to {done:g}")
