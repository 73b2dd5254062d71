"""What every trainer is told, from the settings of a stage."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from audiocontrib.config import stated
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.training.encoding.row_encoder import reads_bfloat16
from audiocontrib.training.listening.settings import Distilled, Listening
from audiocontrib.training.optimiser import optimiser_of
from audiocontrib.training.output.folder import CHECKPOINTS
from audiocontrib.training.recipe import GRPO
from audiocontrib.training.reward_files import reward_sources
from audiocontrib.training.rows.base import TrainingRows
from audiocontrib.training.stage_settings import Stage


def arguments(settings: Stage, out: Path) -> dict[str, Any]:
    """Arguments of transformers' trainer. Each is named: TRL's own defaults differ, and change."""
    gpu = torch.cuda.is_available()
    return {
        "output_dir": str(out / CHECKPOINTS),
        **optimiser_of(settings),
        "warmup_steps": settings.warmup,  # a float below 1 is a share
        "num_train_epochs": settings.epochs or 1.0,
        "max_steps": settings.steps or -1,
        "bf16": reads_bfloat16(settings),
        "use_cpu": not gpu,
        "activation_checkpointing": settings.checkpointing and gpu,
        "activation_checkpointing_kwargs": {"use_reentrant": False},
        "dataloader_pin_memory": gpu,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would hide a loss that is no number
        "save_total_limit": None,  # ours removes old ones, once the new one is on disk
        "ddp_find_unused_parameters": True,  # audio towers hold weights that nothing reads
        "log_level": "error",
        "log_level_replica": "error",
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
    }


SAME_NAMES = (
    *("temperature", "top_k", "top_p", "min_p", "use_bias_correction_kl", "multi_objective_aggregation"),
    *("mask_truncated_completions", "epsilon", "epsilon_high", "delta", "importance_sampling_level"),
    *("off_policy_mask_threshold", "top_entropy_quantile", "entropy_coef", "use_adaptive_entropy", "entropy_target"),
    *("entropy_coef_delta", "entropy_coef_min", "entropy_coef_max", "sapo_temperature_pos", "sapo_temperature_neg"),
    *("vespo_k_pos", "vespo_lambda_pos", "vespo_k_neg", "vespo_lambda_neg"),
)
"""Settings of GRPO that TRL calls so too."""


def objective_arguments(settings: GRPO) -> dict[str, Any]:
    """Arguments of TRL's GRPO besides: what is sampled and maximised. ``beta`` is not among them: see grpo.py."""
    return {name: getattr(settings, name) for name in SAME_NAMES} | {
        "num_generations": settings.generations,
        "num_iterations": settings.iterations,
        "steps_per_generation": settings.accumulate,
        "max_completion_length": settings.new_tokens,
        "scale_rewards": settings.scaling,
        "loss_type": settings.loss,
    }


def adapters(settings: Stage) -> Any:
    """PEFT's configuration; None where all weights are trained."""
    if settings.tune == "full":
        return None
    from peft import LoraConfig

    apart = "|".join(map(re.escape, (*settings.freeze, *settings.also)))
    without = rf"|(.*\.)?({apart})(\..*)?" if apart else ""  # whole names of modules on the way to a layer
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        target_modules="all-linear",
        exclude_modules=f".*visual.*{without}",
        modules_to_save=list(settings.also) or None,
    )


LISTENING = frozenset({*Distilled.__annotations__, *Listening.__annotations__})
ADDED_LATER = frozenset(
    {"betas", "schedule_steps", "schedule_epochs", "scale_rewards", "target", "own_rewards", "watch"}
    | {"freeze", "also", "keep_features", "precision"}
    | ({*SAME_NAMES, *LISTENING} - {"temperature", "top_k", "top_p", "epsilon"})
)
"""Settings that trainings of audiocontrib 0.1 did not name."""


NOT_TOLD = ("bad_rows", "prompt", "report_to", "run_name", "completions")
"""Settings that change nothing but the rows, whose hash is in the identity, or what is shown of a training."""


def identity(stage: str, settings: Stage, rows: TrainingRows, model: AudioLanguageModel) -> dict[str, Any]:
    """What fixes the outcome of a training; one that goes on must have the same."""
    told = model.fingerprint()
    asked = asdict(settings) | {"workers": None, "keep": None, "save_every": None, "keep_features": None}
    usual = stated(type(settings), asked)
    own = reward_sources(getattr(settings, "own_rewards", None) or ())
    for name in NOT_TOLD:
        asked.pop(name, None)
    return {
        "stage": stage,
        # what older programs did not know is named where it is not as usual: they did what is usual
        "settings": {name: value for name, value in asked.items() if name in usual or name not in ADDED_LATER},
        "rows": rows.digest,
        **({"rewards": {one.name: one.sha256 for one in own}} if own else {}),
        **({"watched": rows.watched.digest} if settings.watch and rows.watched else {}),
        "model": {name: told[name] for name in ("model_type", "weights_sha256", "tokenizer_sha256")},
    }
