"""Training from a notebook: a stage of a recipe on a part of a run's split."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from audiocontrib.errors import UsageError
from audiocontrib.store.runs import as_run

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.prompts import PromptFormat
    from audiocontrib.store import Run
    from audiocontrib.training import GRPO, SFT, TrainingOutput, TrainingRecipe, TrainingRows

Stage = Literal["sft", "grpo"]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What is about to be trained, on what; nothing is loaded yet."""

    about: str
    """In a line."""
    settings: SFT | GRPO
    rows: TrainingRows = field(repr=False)
    model: str
    """Where it starts from."""
    out: Path

    def estimate(self) -> pa.Table:
        """What it would take: rows, steps, tokens, memory."""
        from audiocontrib.training.estimate import estimate_training

        return estimate_training(self.settings, self.rows, self.model)

    def train(self, *, progress: bool = True) -> TrainingOutput:
        """Train. The same call goes on where a kill stopped it."""
        from audiocontrib.training import GRPO, train_grpo, train_sft

        if isinstance(self.settings, GRPO):
            return train_grpo(self.settings, self.rows, self.model, self.out, progress=progress)
        return train_sft(self.settings, self.rows, self.model, self.out, progress=progress)


def train(
    run: Run,
    /,
    stage: Stage,
    *,
    recipe: str | os.PathLike[str] | TrainingRecipe,
    split: str | Path | None = None,
    model: str | None = None,
    out: str | os.PathLike[str] | None = None,
    changes: Mapping[str, Any] | None = None,
    prompt: str | Path | PromptFormat | None = None,
    rewards: Sequence[str] = (),
    progress: bool = True,
) -> TrainingOutput:
    """Train a model on the weak or strong part of a split, with its audio; it goes on where a kill stopped it.

    Args:
        run: the run that holds the split.
        stage: ``sft`` or ``grpo``.
        recipe: a YAML file (recipes/training/ has some; docs/training.md describes the fields), or what was read of it.
        split: name of a split in the run, or its folder; None: the only one.
        model: where to start from; None: the recipe's; for grpo after sft, what sft has made.
        out: folder to fill; None: trained/RECIPE/STAGE.
        changes: other values of fields of the stage.
        prompt: another one than the run was asked with; None: the recipe's, or the run's own.
        rewards: of your own, for grpo: ``my.py:function`` or ``my.py:function=0.5`` with a weight, which run the file;
            or the name of one that a loaded plugin has (:func:`audiocontrib.training.reward`).
        progress: show a bar.

    Raises:
        UsageError: a word or value that there is not, no split, or ``out`` holds another training.
        AudiocontribError: a clip is gone, the loss is no number, the disk is full; checkpoints are kept.

    Example:
        >>> made = ac.train(run, "sft", recipe="recipes/training/tiny/weak_to_strong.yaml", changes={"steps": 20})
        >>> ac.load_model(made.model)
    """
    given: dict[str, Any] = {"split": split, "model": model, "out": out, "changes": changes, "prompt": prompt}
    given["rewards"] = rewards
    planned = plan_training(run, stage, recipe=recipe, **given)
    return planned.train(progress=progress)


def plan_training(
    run: Run,
    /,
    stage: Stage,
    *,
    recipe: str | os.PathLike[str] | TrainingRecipe,
    split: str | Path | None = None,
    model: str | None = None,
    out: str | os.PathLike[str] | None = None,
    changes: Mapping[str, Any] | None = None,
    prompt: str | Path | PromptFormat | None = None,
    rewards: Sequence[str] = (),
) -> TrainingPlan:
    """What :func:`train` would do with the same arguments; ``estimate()`` says what it would take.

    Example:
        >>> ac.plan_training(run, "sft", recipe="recipes/training/omni/sft_all.yaml").estimate().to_pandas()
    """
    from audiocontrib.training import TrainingRecipe, read_training_recipe, stage_rows

    as_run(run)
    if stage not in ("sft", "grpo"):
        raise UsageError(f"there is no stage {stage!r}; there are: sft, grpo")
    if isinstance(recipe, TrainingRecipe):
        asked, made = recipe, None
    else:
        asked, made = read_training_recipe(Path(recipe)), Path("trained") / Path(recipe).stem
    if made is None and out is None:
        raise UsageError("name the folder to fill (out): a recipe that is no file has no name of its own")
    asked = changed_recipe(asked, stage, changes or {}, rewards=rewards)
    start = model or _start(asked, stage, made)
    if split is None and (only := run.only_split()):
        split = only.name
    rows = stage_rows(asked, stage, run, split, prompt=prompt)
    into = Path(out) if out is not None else cast("Path", made) / stage
    about = f"{asked.about}: {stage} of {start} on {len(rows.items):,} items, {len(rows):,} rows"
    return TrainingPlan(about, asked.stage(stage), rows, str(start), into)


def changed_recipe(
    recipe: TrainingRecipe,
    stage: Stage,
    changes: Mapping[str, Any],
    where: str = "changes",
    rewards: Sequence[str] = (),
) -> TrainingRecipe:
    """The recipe with other values in the stage and with own rewards; ``where`` they come from, for messages.

    Raises:
        UsageError: a value does not fit, or a reward that is named is not known.
    """
    from audiocontrib.config import changed
    from audiocontrib.training import GRPO
    from audiocontrib.training.reward_files import load_rewards
    from audiocontrib.training.reward_functions import find_rewards

    if not isinstance(changes, Mapping):
        raise UsageError(f"changes is {changes!r}, but is a mapping from a field of the stage to its value")
    given = dict(changes)
    for one, other in (("steps", "epochs"), ("epochs", "steps")):  # to give one is to take the other back
        if one in given and other not in given:
            given[other] = None
    settings: Any = changed(recipe.stage(stage), given, where) if given else recipe.stage(stage)
    rewards = [rewards] if isinstance(rewards, str) else rewards
    if rewards and not isinstance(settings, GRPO):
        raise UsageError("rewards are of grpo: sft learns from the wanted replies alone")
    if rewards:
        told = settings.own_rewards or {}
        own = {
            name: told.get(name, 1.0) if weight is None else weight for name, weight in load_rewards(rewards).items()
        }
        settings = replace(settings, own_rewards={**told, **own})
    find_rewards(getattr(settings, "own_rewards", None) or ())
    return replace(recipe, sft=settings) if stage == "sft" else replace(recipe, grpo=settings)


def _start(recipe: TrainingRecipe, stage: Stage, made: Path | None) -> str:
    if stage == "sft" or recipe.sft is None:
        return recipe.model
    before = None if made is None else made / "sft" / "model"
    if before is None or not before.exists():
        where = f"{before} is not there" if before else "the recipe has a stage sft"
        raise UsageError(f"{where}: train sft first, or name the model to start from")
    return str(before)
