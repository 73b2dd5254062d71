"""Settings that SFT and GRPO share."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import Name, accepted_by, config, one_or_several
from audiocontrib.training.target import check_target
from audiocontrib.training.watch.settings import Seed, Watch

Beta = Annotated[float, Field(ge=0, lt=1)]
Part = Literal["weak", "strong", "all"]
Tracker = Literal["trackio", "wandb", "tensorboard", "mlflow"]
NOTHING_LEARNED = (
    "the learning rate is 0 in every step: the only one begins the warm-up, so that nothing would be learned; set "
    "warmup to 0, or do more steps"
)
"""Where a schedule is so short."""


def not_installed(trackers: Sequence[str]) -> str | None:
    """What is to be installed for trackers, in words; None: nothing."""
    missing = [name for name in dict.fromkeys(trackers) if find_spec(name) is None]
    return f"report_to names {missing[0]}, which is not installed: pip install {' '.join(missing)}" if missing else None


Template = Annotated[str, Field(description="a template of the wanted reply"), accepted_by(check_target)]
TOWER = "audio_tower"
"""The module that hears."""


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
    freeze: tuple[Name, ...] = ()
    """Parts of the network, by the names of their modules, that stay as they are: `audio_tower`."""
    also: tuple[Name, ...] = ()
    """Parts that are trained whole beside adapters (``tune: lora``) and saved with them: `multi_modal_projector`."""
    keep_features: Name | None = None
    """Folder that keeps what a frozen `audio_tower` makes of each clip, so that it is computed once; null: none."""
    precision: Literal["float32", "bfloat16"] | None = None
    """Of the arithmetic; null: bfloat16 on a GPU, float32 on a CPU. Newer CPUs (avx512_bf16, amx) gain by bfloat16."""
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
    prompt: Name | None = None
    """Name or file of another prompt than the run was asked with; null: the run's own."""
    target: Template | None = None
    """The wanted reply, as ``<think>{thought}</think><answer>{gold}</answer>``: what else stands in braces is a field
    of the item's ``extra``. GRPO rewards its form. Null: the answer alone."""
    watch: Watch | None = None
    """Held-out items that are asked while it trains, for the curve, an early stop and the best step; null: none."""

    report_to: Annotated[tuple[Tracker, ...], one_or_several] = ()
    """Trackers that are shown settings, metrics and replies: `trackio`, `wandb`, `tensorboard`, `mlflow`."""
    run_name: Name | None = None
    """What the training is called there; null: after its folder."""

    def __post_init__(self) -> None:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give either epochs or steps, and leave the other out")
        if self.schedule_steps and self.schedule_epochs:
            raise ValueError("give either schedule_steps or schedule_epochs, or neither")
        if self.also and self.tune != "lora":
            raise ValueError("also names parts that are trained beside adapters; with tune: full all are trained")
        if both := sorted(set(self.also) & set(self.freeze)):
            raise ValueError(f"{both[0]} cannot be both in also and in freeze")
        if self.keep_features and TOWER not in self.freeze:
            raise ValueError(f"keep_features keeps what a frozen tower makes; give freeze: [{TOWER}] with it")
        for name, end in (("steps", self.schedule_steps), ("epochs", self.schedule_epochs)):
            done = getattr(self, name)
            if end and done and end < done:
                raise ValueError(f"schedule_{name} is {end:g}, but {name} goes on to {done:g}")
        if self.watch and self.steps:
            self.watch.check_steps(self.steps)
