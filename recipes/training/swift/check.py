"""What ms-swift makes of the script of an export, beside the recipe that it stands for, field by field.

    SWIFT_VENV/bin/python recipes/training/swift/check.py grpo exported/grpo tiny-omni

Run in the environment of ms-swift (docs/ms-swift.md): its own parser reads the options, defaults filled in. Ends with
1 where a field differs. DeepSpeed must be there, as for the training (or set DEEPSPEED= as there).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FIELDS: dict[str, str] = {
    "seed": "seed", "learning_rate": "learning_rate", "schedule": "lr_scheduler_type", "weight_decay": "weight_decay",
    "clip": "max_grad_norm", "batch": "per_device_train_batch_size", "accumulate": "gradient_accumulation_steps",
    "tune": "tuner_type", "save_every": "save_steps", "generations": "num_generations", "iterations": "num_iterations",
    "new_tokens": "max_completion_length", "temperature": "temperature", "top_k": "top_k", "top_p": "top_p",
    "beta": "beta", "epsilon": "epsilon", "epsilon_high": "epsilon_high",
    "delta": "delta", "loss": "loss_type", "importance_sampling_level": "importance_sampling_level",
    "top_entropy_quantile": "top_entropy_quantile", "checkpointing": "gradient_checkpointing",
    "keep": "save_total_limit",
}  # fmt: skip
"""Field of a recipe -> argument of ms-swift."""
REWARDS = {
    "published": "external_audio_choice_accuracy external_format",
    "audiocontrib": "audiocontrib_accuracy audiocontrib_format",
}
AGGREGATION = ("sum_then_normalize", "normalize_then_sum")


def parsed(stage: str, data: Path, model: str) -> Any:
    """The arguments that `swift` would train with, by the script's own options."""
    import torch
    from swift.arguments import RLHFArguments, SftArguments
    from swift.utils import parse_args

    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder) / "swift"
        stand_in.write_text('#!/bin/bash\nprintf "%s\\n" "${STOP_AT:-}" "$@"\n')
        stand_in.chmod(0o755)
        out = Path(folder) / "out"
        (out / "checkpoint-1").mkdir(parents=True)  # as if it had trained
        env = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "MODEL": model, "OUT": str(out)}
        more = [] if torch.cuda.is_available() else ["--use_cpu", "true"]
        command = ["bash", data / f"{stage}.sh", *more]
        told = subprocess.check_output(command, env=env, text=True)
        stop_at, _, *words = told.splitlines()
        os.environ["STOP_AT"] = stop_at
        kind = RLHFArguments if stage == "grpo" else SftArguments
        made, _ = parse_args(kind, words)
    return made


def pairs(settings: Any, made: Any) -> dict[str, tuple[object, object]]:
    """Field -> what the recipe says, what ms-swift has."""
    training = made.training_args
    told = {
        ours: (getattr(settings, ours), getattr(made, theirs, getattr(training, theirs, None)))
        for ours, theirs in FIELDS.items()
        if hasattr(settings, ours)
    }
    told["betas"] = (settings.betas, (training.adam_beta1, training.adam_beta2))
    told["warmup"] = (settings.warmup, training.warmup_steps)
    stop, most = os.environ["STOP_AT"], training.max_steps if training.max_steps > 0 else None
    told["steps"] = (settings.steps, int(stop) if stop else most)
    told["schedule_steps"] = (settings.schedule_steps, most if stop else None)
    epochs = None if most else training.num_train_epochs
    told["schedule_epochs"] = (settings.schedule_epochs, epochs if stop else None)
    if settings.tune == "lora":
        told["rank, alpha"] = ((settings.rank, settings.alpha), (made.lora_rank, made.lora_alpha))
    if hasattr(settings, "accuracy"):
        told["scale_rewards"] = (settings.scaling, made.scale_rewards)
        told["accuracy, format"] = ([settings.accuracy, settings.format], made.reward_weights)
        told["rewards"] = (REWARDS[settings.rewards], " ".join(made.reward_funcs))
        told["aggregation"] = (settings.multi_objective_aggregation, AGGREGATION[made.scale_rewards == "gdpo"])
        told["min_p"] = (settings.min_p or 0.0, made.min_p)  # null: all tokens
        masks = "mask_truncated_completions", "overlong_filter"
        told[masks[0]] = (getattr(settings, masks[0]), getattr(made, masks[1]))
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("sft", "grpo"))
    parser.add_argument("data", type=Path, help="exported folder")
    parser.add_argument("model", help="a checkpoint in the published layout")
    parser.add_argument("--recipe", type=Path, default=HERE.parent / "omni/paper.yaml")
    given = parser.parse_args()
    from audiocontrib.training.recipe import read_training_recipe

    settings = read_training_recipe(given.recipe).stage(given.stage)
    made = parsed(given.stage, given.data, given.model)
    differ = 0
    for name, (ours, theirs) in pairs(settings, made).items():
        same = ours == theirs or str(getattr(theirs, "value", theirs)) == str(ours)
        differ += not same
        print(f"{name:30} {ours!s:34} {getattr(theirs, 'value', theirs)!s:34} {'' if same else 'DIFFERS'}".rstrip())
    kept = "float32 copies (DeepSpeed)" if made.deepspeed else f"weights in {made.torch_dtype}"
    print(f"{'kept by the optimiser':30} {kept}")
    sys.exit(bool(differ))


if __name__ == "__main__":
    main()
