"""What GRPO samples and maximises: the settings of TRL 1.16 that hold with audio, mostly under its own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import Share, config
from audiocontrib.training.stage_settings import Stage

CLIPPED = ("grpo", "dr_grpo", "dapo", "bnpo", "luspo")
"""Losses that clip the probability ratio on both sides."""
SERVER = (
    "every training here has audio, of which TRL 1.16 gives vLLM nothing: replies would be sampled without; leave it "
    "out, or export the rows for ms-swift, whose own use_vllm hears"
)
SYNC = "the model before training stays the reference here; leave it out, or set beta to 0"
TOKENS_ALONE = "TRL 1.16 gives such sampling the tokens alone, without the audio; leave it out"
PENALTY = "it would count the tokens that stand for sound, and the loss knows nothing of it; leave it out"


@config
class Objective(Stage):
    """Sampling, advantages and loss."""

    REFUSED: ClassVar[Mapping[str, str]] = {
        "use_vllm": SERVER,
        "vllm": SERVER,
        "use_transformers_paged": TOKENS_ALONE,
        "use_transformers_continuous_batching": TOKENS_ALONE,
        "sync_ref_model": SYNC,
        "repetition_penalty": PENALTY,
    }
    """Settings of TRL's that do not go with audio -> why, and what does."""

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
    min_p: Share | None = None
    """Sample among tokens of at least this share of the likeliest one's probability; null: all."""
    beta: NonNegativeFloat = 0.001
    """Weight of the divergence from the model as it was before; 0: none, and no second model in memory."""
    use_bias_correction_kl: bool = True
    """Multiply the divergence by the probability ratio (DeepSeek-V3.2, arXiv 2512.02556): its gradient is then that of
    the reverse KL. Off: as in the first GRPO, and in ms-swift."""
    scale_rewards: Literal["group", "batch", "none"] | None = None
    """Divide advantages by the deviation of their group, of all replies of a step, or not; null: `none` for `dr_grpo`,
    as its paper has it (arXiv 2503.20783), else `group`."""
    multi_objective_aggregation: Literal["sum_then_normalize", "normalize_then_sum"] = "sum_then_normalize"
    """Rewards are summed, then scaled; or each is scaled in its group before (GDPO, arXiv 2601.05242)."""
    mask_truncated_completions: bool = False
    """Replies that were cut off teach nothing (DAPO, arXiv 2503.14476)."""
    epsilon: PositiveFloat = 0.2
    """Clipping of the probability ratio, below 1."""
    epsilon_high: PositiveFloat | None = None
    """Clipping above 1 (DAPO's clip-higher: 0.28); null: as below. For `cispo` the highest ratio itself (5.0)."""
    delta: PositiveFloat | None = None
    """Highest ratio where the advantage is negative (two-sided clipping, arXiv 2505.07291); null: none."""
    importance_sampling_level: Literal["token", "sequence"] = "token"
    """Ratios of tokens, or of whole replies by their mean log-ratio (GSPO, arXiv 2507.18071)."""
    loss: Literal["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"] = "grpo"
    """TRL's `loss_type`. How tokens are averaged: `grpo` per reply, then over replies; `bnpo` over all tokens of a
    forward; `dapo` over those of a step; `dr_grpo` by `new_tokens`; `luspo` sums each reply. `cispo` clips the weight
    alone (arXiv 2506.13585), `sapo` (2511.20347) and `vespo` (2602.10693) have soft bounds."""
    off_policy_mask_threshold: PositiveFloat | None = None
    """Leave out replies with a negative advantage that have become less likely than this, in nats a token
    (arXiv 2512.02556); null: none. Only where `iterations` is above 1."""
    top_entropy_quantile: Share = 1.0
    """Share of the tokens, the least certain ones, that the reward moves (arXiv 2506.01939: 0.2)."""
    entropy_coef: NonNegativeFloat = 0.0
    """Weight of the mean entropy of the next token, which is added to what is maximised."""
    use_adaptive_entropy: bool = False
    """Raise `entropy_coef` by a step while the entropy is below its target, and lower it above (arXiv 2505.22312)."""
    entropy_target: NonNegativeFloat = 0.2
    """In nats a token; for `use_adaptive_entropy`, as the next three."""
    entropy_coef_delta: PositiveFloat = 0.005
    """The step."""
    entropy_coef_min: NonNegativeFloat = 0.0
    """Never below."""
    entropy_coef_max: PositiveFloat = 1.0
    """Never above."""
    sapo_temperature_pos: PositiveFloat = 1.0
    """Of `sapo`, for advantages above 0."""
    sapo_temperature_neg: PositiveFloat = 1.05
    """Of `sapo`, for the others."""
    vespo_k_pos: NonNegativeFloat = 2.0
    """Of `vespo`: the weight is e^lambda w^k e^(-lambda w) at a ratio w; from advantages of 0 on."""
    vespo_lambda_pos: NonNegativeFloat = 3.0
    """The same."""
    vespo_k_neg: NonNegativeFloat = 3.0
    """Of `vespo`, for negative advantages."""
    vespo_lambda_neg: NonNegativeFloat = 2.0
    """The same."""

    def __post_init__(self) -> None:
        Stage.__post_init__(self)
        if fault := next(filter(None, (self._group_fault(), self._loss_fault(), self._unread())), None):
            raise ValueError(fault)

    @property
    def scaling(self) -> str:
        """``scale_rewards``, as it is meant."""
        return self.scale_rewards or ("none" if self.loss == "dr_grpo" else "group")

    def _group_fault(self) -> str | None:
        if self.batch * self.accumulate % self.generations:
            return (
                f"batch x accumulate is {self.batch * self.accumulate}, but must be a multiple of "
                f"generations ({self.generations}), so that groups are whole"
            )
        if self.multi_objective_aggregation == "normalize_then_sum" and self.scale_rewards:
            return "scale_rewards has no part in normalize_then_sum; leave it out"
        return None

    def _loss_fault(self) -> str | None:
        """What the loss does not go with; TRL would warn, or compute something else."""
        sequence = self.importance_sampling_level == "sequence"
        if self.loss == "cispo" and self.epsilon_high is None:
            return "loss cispo needs epsilon_high, the highest weight (its paper's is 5.0)"
        if self.loss == "luspo" and not sequence:
            return "loss luspo needs importance_sampling_level: sequence"
        if sequence and self.loss not in ("grpo", "luspo", "sapo"):
            return f"importance_sampling_level: sequence goes with loss grpo, luspo or sapo, not with {self.loss}"
        for name in ("epsilon_high", "delta"):
            if getattr(self, name) is not None and self.loss not in (*CLIPPED, *(["cispo"] * (name == "epsilon_high"))):
                return f"loss {self.loss} does not clip: leave {name} out"
        if self.delta is not None and self.delta <= 1 + (self.epsilon_high or self.epsilon):
            return f"delta is {self.delta:g}, but must be above 1 + epsilon_high, where ratios are clipped already"
        if self.off_policy_mask_threshold is not None and self.iterations == 1:
            return "off_policy_mask_threshold leaves nothing out where iterations is 1: leave it out"
        if self.entropy_coef_min > self.entropy_coef_max:
            return f"entropy_coef_min is {self.entropy_coef_min:g}, above entropy_coef_max ({self.entropy_coef_max:g})"
        return None

    def _unread(self) -> str | None:
        """A setting that would not be read."""
        owners = {"sapo_": self.loss == "sapo", "vespo_": self.loss == "vespo"}
        owners |= dict.fromkeys(("entropy_target", "entropy_coef_"), self.use_adaptive_entropy)
        for one in type(self).__dataclass_fields__.values():
            for start, read in owners.items():
                if one.name.startswith(start) and not read and getattr(self, one.name) != one.default:
                    owner = f"loss {start[:-1]}" if start in ("sapo_", "vespo_") else "use_adaptive_entropy"
                    return f"{one.name} is of {owner}; leave it out, or choose that"
        return None
