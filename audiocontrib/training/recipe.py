"""Recipe: what is trained on what, and how; read from YAML and checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt

from audiocontrib.config import Name, accepted_by, config, read_config
from audiocontrib.errors import UsageError
from audiocontrib.training.listening.settings import Distilled, Listening
from audiocontrib.training.reward_functions import reward_name
from audiocontrib.training.stage_settings import Stage

RewardName = Annotated[str, Field(description="a reward's name"), accepted_by(reward_name)]
HEAVIEST = 1_000_000
"""Beyond it, weights and rewards together would leave float32."""
Weight = Annotated[float, Field(allow_inf_nan=False, ge=-HEAVIEST, le=HEAVIEST)]
OwnRewards = Annotated[Mapping[RewardName, Weight] | None, accepted_by(lambda given: given or None)]
PassRate = Annotated[float, Field(ge=-1, le=2)]
Between = tuple[PassRate, PassRate]
"""Two pass rates; below 0 and above 1 they leave nothing out."""


@config
class SFT(Distilled):
    """Supervised fine-tuning on the target, ``<answer>gold</answer>``; the loss is on these tokens alone."""


@config
class GRPO(Listening):
    """Group-relative policy optimisation: several replies to a question, rewarded, held against each other."""

    accuracy: Annotated[float, Field(gt=0, le=HEAVIEST)] = 2.0
    """Weight of the reward for the right option."""
    format: Annotated[float, Field(ge=0, le=HEAVIEST)] = 0.5
    """Weight of the reward for a reply in the form of the target: one ``<answer>…</answer>`` and nothing else."""
    rewards: Literal["audiocontrib", "published"] = "audiocontrib"
    """How replies are read for these two: as in evaluation, or as strings, as the authors of AudioMCQ do."""
    own_rewards: OwnRewards = None
    """Rewards of your own: name -> weight. Their code is loaded by whoever trains, never by the recipe."""
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

    completions: NonNegativeInt = 20
    """Steps whose replies are kept in `completions.parquet`, the last ones, and shown to trackers; 0: none."""

    def __post_init__(self) -> None:
        Listening.__post_init__(self)
        for name in ("pass_audio", "pass_silent"):
            between = getattr(self, name)
            if between and not between[0] < between[1]:
                raise ValueError(f"{name} is {list(between)}, but the first number must be below the second")
        if self.rewards == "published" and self.target:
            raise ValueError("the published rewards know no target but the answer alone; leave one of them out")
        if self.rewards == "published" and self.credit_abstaining:
            raise ValueError("credit_abstaining is no part of the published rewards; leave one of them out")
        if self.silent_replies and self.multi_objective_aggregation == "normalize_then_sum":
            raise ValueError("silent_replies have rewards of their own, which normalize_then_sum cannot weigh up")
        if self.silent_replies and self.masked_kl:
            raise ValueError("silent_replies hear nothing that could be masked: leave them or masked_kl out")
        if self.silent_replies >= self.generations:
            raise ValueError(f"silent_replies is {self.silent_replies}: some of {self.generations} replies must hear")


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
