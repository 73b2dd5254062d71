"""Recipe: what is trained on what, and how; read from YAML and checked field by field."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import Name, config, read_config
from audiocontrib.errors import UsageError

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""numpy's generators take no other."""
PassRate = Annotated[float, Field(ge=-1, le=2)]
Between = tuple[PassRate, PassRate]
"""Two pass rates; below 0 and above 1 they leave nothing out."""
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
    """Share of the steps in which the learning rate rises."""
    weight_decay: NonNegativeFloat = 0.0
    """Of AdamW."""
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
    tune: Literal["full", "lora"] = "full"
    """All weights (those for images apart, which hear nothing), or low-rank adapters that are merged at the end."""
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


@config
class SFT(Stage):
    """Supervised fine-tuning on ``<answer>gold</answer>``; the loss is on these tokens alone."""


@config
class GRPO(Stage):
    """Group-relative policy optimisation: several replies to a question, rewarded, held against each other."""

    generations: Annotated[int, Field(ge=2)] = 8
    """Replies to each question: the group."""
    iterations: PositiveInt = 1
    """Steps on the same replies."""
    new_tokens: PositiveInt = 128
    """A reply is cut here."""
    temperature: PositiveFloat = 1.5
    """Of the sampling; log-probabilities in the loss are taken at it too."""
    top_k: NonNegativeInt = 4
    """Sample among so many tokens; 0: all."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Sample among the likeliest tokens of this mass."""
    beta: NonNegativeFloat = 0.001
    """Weight of the divergence from the model as it was before; 0: none, and no second model in memory."""
    epsilon: PositiveFloat = 0.2
    """Clipping of the probability ratio."""
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "grpo"
    """How tokens are averaged; ``grpo``: per reply, then over replies."""
    accuracy: PositiveFloat = 2.0
    """Weight of the reward for the right option."""
    format: NonNegativeFloat = 0.5
    """Weight of the reward for a reply that is one ``<answer>…</answer>`` and nothing else."""
    rater: Name | None = None
    """Whose answers in the run give the pass rates below; null: the only model there."""
    pass_audio: Between | None = None
    """Keep items whose pass rate with the audio lies strictly between these; [0, 1] leaves out what is always or
    never right and so teaches nothing (dynamic sampling of DAPO, arXiv 2503.14476, done beforehand). Off: null."""
    pass_silent: Between | None = None
    """The same for the pass rate in silence: [-1, 0.6] leaves out what is right without listening. Off: null."""
    weigh: bool = False
    """Multiply advantages by p(1-p)c, with p the pass rate with audio and c the split's score (1 - P(leak) under
    the rules posterior and fdr), scaled to a mean of 1."""
    silent_replies: NonNegativeInt = 0
    """So many replies of each group, two or more, hear silence of the clip's length, are rewarded for abstaining and
    the form only, and are held against each other alone."""
    credit_abstaining: bool = False
    """A reply with the audio that declines earns 1/K of the reward for the right option, as a guess does on average;
    off: nothing, as a wrong one."""
    abstain_option: Name | None = None
    """An option that is added to every question, and counts as abstaining; null: only a refusal in words does."""

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        for name in ("pass_audio", "pass_silent"):
            between = getattr(self, name)
            if between and not between[0] < between[1]:
                raise ValueError(f"{name} is {list(between)}, but the first number must be below the second")
        if self.silent_replies >= self.generations:
            raise ValueError(f"silent_replies is {self.silent_replies}: some of {self.generations} replies must hear")
        if self.batch * self.accumulate % self.generations:
            raise ValueError(
                f"batch x accumulate is {self.batch * self.accumulate}, but must be a multiple of "
                f"generations ({self.generations}), so that groups are whole"
            )


KINDS: dict[str, type[Stage]] = {"sft": SFT, "grpo": GRPO}
"""Name of a stage -> its settings."""


@config
class TrainingRecipe:
    """One arm of an experiment: SFT, GRPO, or one after the other."""

    about: Name
    """What this is, in a line."""
    model: Name
    """Name, folder or hub id of the model to start from."""
    sft: SFT | None = None
    """The first stage."""
    grpo: GRPO | None = None
    """The second stage."""
    disjoint: Literal["clip", "item"] = "item"
    """What GRPO may not share with SFT: ``item``: questions, as published; ``clip``: recordings, which costs items."""

    def __post_init__(self) -> None:
        if self.sft is None and self.grpo is None:
            raise ValueError("give sft, grpo or both")

    def stage(self, name: str) -> SFT | GRPO:
        """The stage ``sft`` or ``grpo``. UsageError if the recipe has none."""
        found: SFT | GRPO | None = {"sft": self.sft, "grpo": self.grpo}[name]
        if found is None:
            raise UsageError(f"the recipe ({self.about}) has no stage {name}")
        return found


def read_training_recipe(path: str | Path) -> TrainingRecipe:
    """The recipe in a YAML file. UsageError in one line, with the field, if it is none."""
    recipe = read_config(TrainingRecipe, path)
    if recipe.grpo is not None:
        check_silent_replies(recipe.grpo, f"{path}: ")
    return recipe


def check_silent_replies(settings: GRPO, where: str = "") -> None:
    """UsageError if a reply would have no other to be held against; trainings of older releases may say so."""
    silent, hearing = settings.silent_replies, settings.generations - settings.silent_replies
    if silent and min(silent, hearing) < 2:
        raise UsageError(
            f"{where}silent_replies is {silent} of {settings.generations}: there must be two or more in silence, and "
            "two or more that hear, since they are held against each other"
        )
