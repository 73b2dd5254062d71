"""What a recipe may say of listening, in SFT and in GRPO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import Share, config
from audiocontrib.training.objective import Objective
from audiocontrib.training.stage_settings import Stage

Percent = Annotated[float, Field(ge=1, le=99)]
Rates = tuple[Share, Share]


@config
class Distilled(Stage):
    """SFT with a teacher whose audio contrast is amplified: RT-OPD (github.com/KaiyangLi1992/RT-OPD)."""

    distil: NonNegativeFloat = 0.0
    """Weight of KL(student || teacher) in nats a token, beside the cross-entropy of the gold reply (RT-OPD: 0.25). The
    teacher is log q = log p + alpha (log p - log p without the audio), renormalised; 0: no teacher."""
    distil_alpha: NonNegativeFloat = 1.0
    """How far the teacher's audio contrast is amplified; 0: not at all."""
    distil_without: Literal["text", "silence"] = "text"
    """What the teacher is given instead of the audio: no audio part at all, or silence of the clip's length."""
    distil_teacher: Literal["start", "now"] = "start"
    """The model as it was before this stage, frozen (RT-OPD: frozen, and larger); or as it is now, without gradient."""
    distil_on: Literal["reply", "gold"] = "reply"
    """Tokens on which they are compared: of a reply that the student samples, or of the gold reply (no sampling)."""
    distil_gate: Literal["right", "all"] = "right"
    """Rows on which they are compared: those to which the teacher's greedy reply is right, or all."""
    distil_tokens: PositiveInt = 96
    """A sampled reply is cut here, and the teacher's greedy one."""
    distil_temperature: PositiveFloat = 1.0
    """Of the sampling."""
    distil_top_k: NonNegativeInt = 64
    """Sample among so many tokens; 0: all."""
    distil_top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    """Sample among the likeliest tokens of this mass."""

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        sampled = ("distil_on: reply", self.distil_on == "reply")
        owners = {
            "distil_": ("distil, which is 0", self.distil > 0),
            "distil_temperature": sampled,
            "distil_top": sampled,
            "distil_tokens": ("distil_on: reply, or distil_gate: right", sampled[1] or self.distil_gate == "right"),
        }
        if fault := unread(self, owners):
            raise ValueError(fault)


@config
class Listening(Objective):
    """GRPO that is moved away from what it would say to a masked clip, and that draws its questions itself."""

    masked_kl: NonNegativeFloat = 0.0
    """Weight of the divergence from the replies' probabilities under a masked clip, which is maximised (PAPO, arXiv
    2507.06448: 0.02, as DAPO 0.01), in nats a token by the estimator k3; 0: none."""
    masked_percent: Percent = 60.0
    """How much of the clip is silenced, in per cent: the condition `mask:P`, seeded by item (PAPO: 60 of a picture)."""
    masked_most: PositiveFloat = 10.0
    """A token's divergence counts up to here, in nats (10 in PAPO's program); beyond, nothing is gained by more."""
    masked_entropy: NonNegativeFloat = 0.0
    """Weight of -log p of the replies' tokens, with the clip and with it masked, kept low: PAPO's guard against
    a divergence that is won by saying anything (0.05, as DAPO 0.03)."""
    masked_gradient: bool = False
    """Let the gradient through what is said to the masked clip too, as in PAPO's formula; off: as in its program."""
    redraws: NonNegativeInt = 0
    """Groups of equal rewards teach nothing: up to so many times a step, other questions are asked in their place
    (dynamic sampling, DAPO, arXiv 2503.14476; verl's bound is 10)."""
    curriculum: NonNegativeInt = 0
    """Draw the questions of a step by their pass rates p, which are renewed every so many steps from the rewards of
    the model's own replies; 0: in the order of the epoch."""
    curriculum_between: Rates | None = None
    """Draw only questions with a pass rate strictly between these, all alike; null: with probabilities as p(1-p)."""

    def __post_init__(self) -> None:
        Objective.__post_init__(self)
        owners = {
            "masked_": ("masked_kl, which is 0", self.masked_kl > 0),
            "curriculum_": ("curriculum, which is 0", self.curriculum > 0),
        }
        if fault := unread(self, owners) or self._drawing_fault():
            raise ValueError(fault)

    def _drawing_fault(self) -> str | None:
        between = self.curriculum_between
        if between and not between[0] < between[1]:
            return f"curriculum_between is {list(between)}, but the first number must be below the second"
        together = self.multi_objective_aggregation == "normalize_then_sum" or self.scale_rewards == "batch"
        if self.redraws and together:
            return "redraws replaces single groups, but the advantages are scaled over all of a step: leave one out"
        return None


def unread(settings: Stage, owners: Mapping[str, tuple[str, bool]]) -> str | None:
    """A line on the first setting that would not be read: the start of its name -> whose it is, and if that is on."""
    for one in type(settings).__dataclass_fields__.values():
        for start, (owner, is_on) in owners.items():
            if not is_on and one.name.startswith(start) and getattr(settings, one.name) != one.default:
                return f"{one.name} is of {owner}; leave it out, or set that"
    return None
