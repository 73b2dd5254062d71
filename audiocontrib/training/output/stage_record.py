"""Stage records: what made a model, stage by stage, as ``training.json`` keeps it beside the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from audiocontrib.prompts import prompt_record
from audiocontrib.provenance import Provenance
from audiocontrib.training.recipe import GRPO, SFT, TrainingRecipe
from audiocontrib.training.reward_files import RewardSource, reward_sources
from audiocontrib.training.watch.record import WatchedCurve

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel
    from audiocontrib.training.rows.base import TrainingRows


@dataclass(frozen=True, slots=True, kw_only=True)
class StartModel:
    """The model from which a stage started, as it says of itself."""

    model_type: str
    model_class: str
    weights_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """One stage of a training."""

    stage: Literal["sft", "grpo"]
    start: str
    """Name, folder or hub id of the model from which it started."""
    model: StartModel
    settings: SFT | GRPO
    """SFT for ``sft``, GRPO for ``grpo``."""
    items: int
    rows: int
    copies: int
    prompt: Mapping[str, Any] | None = None
    """How its questions were put, as :func:`audiocontrib.prompts.prompt_record` has it; None: the published prompt."""
    notes: tuple[str, ...] = ()
    """What was left out, and why, in sentences."""
    rewards: tuple[RewardSource, ...] = ()
    """Whose code the rewards are that are none of the package's own."""
    provenance: Provenance | None = None
    """Where the rows come from; None where they were made in Python."""
    recipe: TrainingRecipe | None = None
    """The recipe that makes this stage again; None where the rows or the settings were not its own."""
    devices: int | None = None
    """None until it begins."""
    steps: int | None = None
    """How many it took; None until it is done."""
    checkpoint: bool = False
    """What was taken from it is one of its checkpoints, after ``steps`` steps."""
    watched: WatchedCurve | None = None
    """What was watched while it trained; None until it is done, and where nothing was."""

    @property
    def part(self) -> str:
        """The part of the split that it was trained on: ``weak``, ``strong`` or ``all``."""
        return self.provenance.part if self.provenance else "all"


def new_stage(settings: SFT | GRPO, rows: TrainingRows, start: str, model: AudioLanguageModel) -> StageRecord:
    """What is known of a stage before it begins."""
    told = model.fingerprint()
    stage: Literal["sft", "grpo"] = "grpo" if isinstance(settings, GRPO) else "sft"
    # trained otherwise than the recipe says, it would not make this model again
    own = rows.recipe is not None and getattr(rows.recipe, stage) == settings
    return StageRecord(
        stage=stage,
        start=start,
        model=StartModel(
            model_type=told["model_type"], model_class=told["class"], weights_sha256=told["weights_sha256"]
        ),
        settings=settings,
        items=len(rows.items),
        rows=len(rows),
        copies=rows.copies,
        prompt=prompt_record(rows.prompt),
        notes=rows.notes,
        rewards=reward_sources(getattr(settings, "own_rewards", None) or ()),
        provenance=rows.provenance,
        recipe=rows.recipe if own else None,
    )
