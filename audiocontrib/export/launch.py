"""With what a trainer is started: the settings of the recipe, or the published ones where none was given."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from audiocontrib.config import stated
from audiocontrib.export.base import Launch, Stage
from audiocontrib.export.choice import CHOOSING
from audiocontrib.training.recipe import GRPO, SFT, TrainingRecipe

NONE = "none"
"""Model of a recipe that only options stand for."""
PUBLISHED_MODEL = "Qwen/Qwen2.5-Omni-7B"
_SHARED: dict[str, Any] = {"learning_rate": 1e-6, "weight_decay": 0.1, "betas": (0.9, 0.95), "seed": 42}
PUBLISHED: Mapping[Stage, SFT | GRPO] = {
    "sft": SFT(part="weak", batch=20, steps=750, schedule_epochs=2.0, workers=4, save_every=250, **_SHARED),
    "grpo": GRPO(
        part="strong", batch=8, steps=100, schedule_steps=1000, save_every=100, top_p=0.9, use_bias_correction_kl=False,
        scale_rewards="group", rewards="published", **_SHARED,
    ),
}  # fmt: skip
"""As recipes/training/omni/paper.yaml, which has the sources."""
ZERO2 = {
    "bf16": {"enabled": "auto"},
    "zero_optimization": {"stage": 2, "overlap_comm": False, "contiguous_gradients": True},
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
    "train_batch_size": "auto",
    "train_micro_batch_size_per_gpu": "auto",
}
"""DeepSpeed's stage 2, which keeps float32 copies of bfloat16 weights."""


def launch_of(recipe: TrainingRecipe, stage: Stage, file: str, system: str, media: str = "") -> Launch:
    """What a configuration is made of. A model's folder is named by its whole path: a trainer starts elsewhere."""
    if recipe.model == NONE:
        return Launch(stage, file, PUBLISHED[stage], PUBLISHED_MODEL, system, media)
    model = str(Path(recipe.model).absolute()) if Path(recipe.model).is_dir() else recipe.model
    return Launch(stage, file, recipe.stage(stage), model, system, media)


def unsaid(settings: SFT | GRPO, carried: Collection[str]) -> str:
    """A line with the settings that are not as usual and that a trainer's configuration does not carry over."""
    usual = stated(type(settings), asdict(settings))
    left = [f"{name} {value}" for name, value in usual.items() if name not in {*carried, *CHOOSING, "workers", "keep"}]
    return f"\nOf the recipe this is not carried over: {', '.join(left)}." if left else ""


def as_yaml(head: str, values: Mapping[str, Any]) -> str:
    """A configuration as YAML below lines of comment."""
    told = "".join(f"# {line}\n" for line in head.splitlines())
    return told + yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=120)


def clips_line(media: str) -> str:
    """A line of a script that says where exported_audio.py looks relative paths up; "" where that is beside it."""
    return f"export AUDIO_ROOT=${{AUDIO_ROOT:-{shlex.quote(media)}}}\n" if media else ""


def as_script(head: str, variables: str, command: str, words: Mapping[str, Any]) -> str:
    """A shell script: ``command`` with ``key=value`` words, and what follows the script's name after them."""
    told = "".join(f"# {line}\n" for line in head.splitlines())
    lines = [
        f"    {name}={json.dumps(value) if isinstance(value, bool) else value} \\" for name, value in words.items()
    ]
    body = "\n".join([f"{command} \\", *lines, '    "$@"'])
    return f'#!/bin/bash\n{told}set -euo pipefail\nHERE=$(cd "$(dirname "$0")" && pwd)\n{variables}{body}\n'
