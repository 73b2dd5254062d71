"""Training: SFT and GRPO on TRL, with the audio where it belongs.

``recipe`` what is asked for · ``rows`` what is read · ``encoding`` rows as tensors · ``rewards`` of replies ·
``trainers`` SFT and GRPO · ``output`` what a training leaves in its folder · ``model_card`` · ``estimate``

>>> chosen = training_rows(run, "votes-0.5", part="weak")
>>> recipe = read_training_recipe("recipes/training/tiny/weak_to_strong.yaml")
>>> trained = train_sft(recipe.sft, chosen, recipe.model, "trained/sft")
>>> train_grpo(recipe.grpo, training_rows(run, "votes-0.5", part="strong"), trained.model, "trained/grpo").model
"""

from __future__ import annotations

from pathlib import Path

from audiocontrib.training.output.folder import TrainingOutput
from audiocontrib.training.recipe import GRPO, SFT, TrainingRecipe, read_training_recipe
from audiocontrib.training.reward_functions import reward
from audiocontrib.training.reward_input import RewardInput
from audiocontrib.training.rows import TrainingRow, TrainingRows, stage_rows, training_rows

__all__ = [
    "GRPO",
    "SFT",
    "RewardInput",
    "TrainingOutput",
    "TrainingRecipe",
    "TrainingRow",
    "TrainingRows",
    "read_training_recipe",
    "reward",
    "stage_rows",
    "train_grpo",
    "train_sft",
    "training_rows",
]


def train_sft(
    settings: SFT, rows: TrainingRows, model: str | Path, out: str | Path, *, progress: bool = True
) -> TrainingOutput:
    """Fine-tune a model on the answers of ``rows``; the same call goes on where a kill stopped it.

    Args:
        settings: the ``sft`` part of a recipe.
        model: name, folder or hub id of an audio-language model.
        out: folder for checkpoints, metrics and the trained model.

    Raises:
        UsageError: the model hears nothing, or ``out`` holds another training.
        AudiocontribError: a clip is gone, the loss is no number, the disk is full; checkpoints are kept.
    """
    from audiocontrib.training.trainers.sft import run_sft

    return run_sft(settings, rows, model, out, progress=progress)


def train_grpo(
    settings: GRPO, rows: TrainingRows, model: str | Path, out: str | Path, *, progress: bool = True
) -> TrainingOutput:
    """Reinforce right answers to ``rows`` (GRPO). Arguments and errors are those of :func:`train_sft`."""
    from audiocontrib.training.trainers.grpo import run_grpo

    return run_grpo(settings, rows, model, out, progress=progress)
