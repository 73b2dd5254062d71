"""Recipe: what is trained on what, and how; read from YAML and checked field by field."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from audiocontrib.errors import UsageError
from audiocontrib.training.fields import build

Part = Literal["weak", "strong", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What SFT and GRPO share. Sizes are those of one device; all devices together see ``batch`` x devices."""

    part: Part
    """Which items of the split: ``weak``, ``strong``, or ``all`` (the undecided too)."""
    items: int | Literal["weak"] | None = None
    """Draw so many of them by chance; ``weak``: as many as the split calls weak; null: all."""
    copies: int = 4
    """Each question so many times, its options in a new random order each time (arXiv 2509.21060: 4)."""
    seed: int = 0
    """Of the draw, the orders, the shuffling and the sampling."""
    learning_rate: float
    """Of AdamW, at its highest."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup: float = 0.05
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.0
    """Of AdamW."""
    clip: float = 1.0
    """Gradients of a larger norm are scaled down to it."""
    batch: int
    """Rows (GRPO: replies) of one forward."""
    accumulate: int = 1
    """Forwards of one step."""
    epochs: float | None = None
    """Passes through the rows; give this or ``steps``."""
    steps: int | None = None
    """Optimiser steps; give this or ``epochs``."""
    tune: Literal["full", "lora"] = "full"
    """All weights (those for images apart, which hear nothing), or low-rank adapters that are merged at the end."""
    rank: int = 8
    """Of the adapters."""
    alpha: int = 16
    """The adapters' scale is alpha / rank."""
    checkpointing: bool = True
    """Compute activations again in the backward pass, on a GPU: slower, much less memory."""
    seconds: float = 30.0
    """Clips are heard up to here; what is longer is cut, as in scoring."""
    workers: int = 0
    """Processes that decode clips ahead (SFT); 0: none."""
    save_every: int = 100
    """Steps between checkpoints; a kill loses at most these."""
    keep: int = 2
    """Checkpoints that are kept, the newest ones."""

    least: ClassVar[dict[str, float]] = {
        "items": 1, "copies": 1, "batch": 1, "accumulate": 1, "rank": 1, "alpha": 1, "save_every": 1, "keep": 1,
        "steps": 1, "warmup": 0, "weight_decay": 0, "workers": 0, "seed": 0,
    }  # fmt: skip
    above_zero: ClassVar[tuple[str, ...]] = ("learning_rate", "clip", "epochs", "seconds")

    def __post_init__(self) -> None:
        for name, low in self.least.items():
            value = getattr(self, name)
            if isinstance(value, int | float) and not value >= low:
                raise UsageError(f"{name} is {value}, but must be at least {low}")
        for name in self.above_zero:
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise UsageError(f"{name} is {value}, but must be above 0: nothing would be trained")
        if self.warmup >= 1:
            raise UsageError(f"warmup is {self.warmup}, but is a share of the steps, below 1")
        if (self.epochs is None) == (self.steps is None):
            raise UsageError("give either epochs or steps, and leave the other out")


@dataclass(frozen=True, slots=True, kw_only=True)
class SFT(Stage):
    """Supervised fine-tuning on ``<answer>gold</answer>``; the loss is on these tokens alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GRPO(Stage):
    """Group-relative policy optimisation: several replies to a question, rewarded, held against each other."""

    generations: int = 8
    """Replies to each question: the group."""
    iterations: int = 1
    """Steps on the same replies."""
    new_tokens: int = 128
    """A reply is cut here."""
    temperature: float = 1.5
    """Of the sampling; log-probabilities in the loss are taken at it too."""
    top_k: int = 4
    """Sample among so many tokens; 0: all."""
    top_p: float = 1.0
    """Sample among the likeliest tokens of this mass."""
    beta: float = 0.001
    """Weight of the divergence from the model as it was before; 0: none, and no second model in memory."""
    epsilon: float = 0.2
    """Clipping of the probability ratio."""
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo"] = "grpo"
    """How tokens are averaged; ``grpo``: per reply, then over replies."""
    accuracy: float = 2.0
    """Weight of the reward for the right option."""
    format: float = 0.5
    """Weight of the reward for a reply that is one ``<answer>…</answer>`` and nothing else."""
    rater: str | None = None
    """Whose answers in the run give the pass rates below; null: the only model there."""
    pass_audio: tuple[float, float] | None = None
    """Keep items whose pass rate with the audio lies strictly between these; [0, 1] leaves out what is always or
    never right and so teaches nothing (dynamic sampling of DAPO, arXiv 2503.14476, done beforehand). Off: null."""
    pass_silent: tuple[float, float] | None = None
    """The same for the pass rate in silence: [-1, 0.6] leaves out what is right without listening. Off: null."""
    weigh: bool = False
    """Multiply advantages by p(1-p)c, with p the pass rate with audio and c the split's score (1 - P(leak) under
    the rules posterior and fdr), scaled to a mean of 1."""
    silent_replies: int = 0
    """So many replies of each group hear silence of the clip's length, and are rewarded for abstaining only."""
    abstain_option: str | None = None
    """An option that is added to every question, and counts as abstaining; null: only a refusal in words does."""

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        for name, low in {"generations": 2, "iterations": 1, "new_tokens": 1, "top_k": 0, "silent_replies": 0}.items():
            if getattr(self, name) < low:
                raise UsageError(f"{name} is {getattr(self, name)}, but must be at least {low}")
        for name in ("temperature", "accuracy", "epsilon"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is {getattr(self, name)}, but must be above 0")
        for name in ("beta", "format"):
            if not getattr(self, name) >= 0:
                raise UsageError(f"{name} is {getattr(self, name)}, but must not be below 0")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is {self.top_p}, but must be above 0 and at most 1")
        if self.silent_replies >= self.generations:
            raise UsageError(f"silent_replies is {self.silent_replies}: some of {self.generations} replies must hear")
        if self.batch * self.accumulate % self.generations:
            raise UsageError(
                f"batch x accumulate is {self.batch * self.accumulate}, but must be a multiple of "
                f"generations ({self.generations}), so that groups are whole"
            )


KINDS: dict[str, type[Stage]] = {"sft": SFT, "grpo": GRPO}
"""Name of a stage -> its settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecipe:
    """One arm of an experiment: SFT, GRPO, or one after the other."""

    about: str
    """What this is, in a line."""
    model: str
    """Name, folder or hub id of the model to start from."""
    sft: SFT | None = None
    """The first stage."""
    grpo: GRPO | None = None
    """The second stage."""
    disjoint: Literal["clip", "item"] = "clip"
    """What GRPO may not share with SFT: recordings, or only questions."""

    def __post_init__(self) -> None:
        if self.sft is None and self.grpo is None:
            raise UsageError("give sft, grpo or both")

    def stage(self, name: str) -> SFT | GRPO:
        """The stage ``sft`` or ``grpo``. UsageError if the recipe has none."""
        found: SFT | GRPO | None = {"sft": self.sft, "grpo": self.grpo}[name]
        if found is None:
            raise UsageError(f"the recipe ({self.about}) has no stage {name}")
        return found


def read_training_recipe(path: str | Path) -> TrainingRecipe:
    """The recipe in a YAML file. UsageError in one line, with the field, if it is none."""
    import yaml

    try:
        held = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the recipe cannot be read: {' '.join(str(error).split())}") from error
    return build(TrainingRecipe, held, str(path))
