"""ms-swift's launch script, with the settings of a recipe, and the plugin that it needs."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from typing import Any

from audiocontrib.export.base import Launch
from audiocontrib.export.launch import unsaid
from audiocontrib.export.trainer_files import trainer_file
from audiocontrib.training.optimiser import optimiser_of
from audiocontrib.training.recipe import GRPO, SFT

LOSSES = ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo")
"""That ms-swift 4.6 and a recipe both have."""
REWARDS = {
    "published": "external_audio_choice_accuracy external_format",
    "audiocontrib": "audiocontrib_accuracy audiocontrib_format",
}
TYPES = {"qwen2.5-omni": "qwen2_5_omni", "qwen3-omni": "qwen3_omni", "qwen2-audio": "qwen2_audio"}
"""Part of a model's name -> what ms-swift calls its kind; it finds others out by itself, or asks for --model_type."""
TOKEN_SECONDS = 0.04
"""Of sound, in the models that ms-swift trains here."""
TEXT_TOKENS = 274
"""Room for the rest of a row: 1,024 tokens in all for 30 s, as published."""
CARRIED = {
    *("learning_rate", "schedule", "warmup", "schedule_steps", "schedule_epochs", "weight_decay", "betas", "clip"),
    *("batch", "accumulate", "epochs", "steps", "tune", "rank", "alpha", "checkpointing", "seconds", "save_every"),
    *("generations", "iterations", "new_tokens", "temperature", "top_k", "top_p", "min_p", "beta", "scale_rewards"),
    *("multi_objective_aggregation", "mask_truncated_completions", "epsilon", "epsilon_high", "delta"),
    *("importance_sampling_level", "top_entropy_quantile", "sapo_temperature_pos", "sapo_temperature_neg"),
    *("accuracy", "format", "rewards", "use_bias_correction_kl"),
}
"""Settings that ms-swift has; its divergence is the plain one."""
HEAD = """{stage} with ms-swift 4: bash {script}. MODEL names another model, OUT another folder, NPROC_PER_NODE how many
GPUs there are. What follows the script's name goes to swift as it is, comes last and wins: --max_steps 2.
The model to take is OUT/last, which is there once all is done. ms-swift leaves out rows of more than max_length tokens,
where audiocontrib cuts the clip."""
LONGER = "\nThe schedule is longer than the training; the callback of swift_plugin.py stops it, and saves."
MIN_P = "\nmin_p is read by its vLLM alone (--use_vllm true)."
WEIGHTS = """\
# small steps are lost in bfloat16 weights: DeepSpeed keeps float32 copies of them; without it (DEEPSPEED= bash …)
# the weights themselves are float32 under bfloat16 arithmetic
if [ -n "${DEEPSPEED-zero2}" ]; then
    export NPROC_PER_NODE=${NPROC_PER_NODE:-1}
    WEIGHTS=(--torch_dtype bfloat16 --deepspeed "${DEEPSPEED-zero2}")
else
    WEIGHTS=(--torch_dtype float32 --bf16 true --fp16 false)
fi
"""
MERGE = """swift export --adapters "$OUT/$LAST" --merge_lora true --exist_ok true --output_dir "$OUT/merged"
LAST=merged
"""


def swift_files(told: Launch) -> Mapping[str, str]:
    """Script, plugin and published rewards; needs no editing."""
    return {
        f"{told.stage}.sh": _script(told),
        "swift_plugin.py": trainer_file("swift_plugin.py"),
        "exported_rewards.py": trainer_file("exported_rewards.py"),
    }


def _script(told: Launch) -> str:
    said = told.settings
    script, longer = f"{told.stage}.sh", bool(said.schedule_steps or said.schedule_epochs)
    known = CARRIED | ({"loss"} if isinstance(said, GRPO) and said.loss in LOSSES else set())
    head = HEAD.format(stage=told.stage.upper(), script=script) + (LONGER if longer else "")
    head += (MIN_P if isinstance(said, GRPO) and said.min_p else "") + unsaid(said, known)
    options = {
        "model": '"$MODEL"',
        **({"model_type": kind} if (kind := _type(told.model)) else {}),
        **_tuned(said),
        "freeze_llm": False,
        "freeze_vit": False,
        "freeze_aligner": False,
        "dataset": f'"$HERE/{told.file}"',
        "split_dataset_ratio": 0,
        "external_plugins": '"$HERE/swift_plugin.py"',
        "callbacks": "stop_at",
        **_trained(said),
        **(_grpo(said) if isinstance(said, GRPO) else {"padding_side": "left"}),
        "logging_steps": 1,
        "report_to": "none",
        "add_version": False,
        "output_dir": '"$OUT"',
    }
    words = [f"    --{name} {_word(value)} \\" for name, value in options.items()]
    command = "swift rlhf --rlhf_type grpo" if told.stage == "grpo" else "swift sft"
    lines = [
        "#!/bin/bash",
        *(f"# {line}" for line in head.splitlines()),
        "set -euo pipefail",
        'HERE=$(cd "$(dirname "$0")" && pwd)',
        f"MODEL=${{MODEL:-{shlex.quote(told.model)}}} OUT=${{OUT:-$HERE/trained}}",
        "# relative paths in the rows are looked up here, clips as well as images",
        f"export ROOT_IMAGE_DIR=${{ROOT_IMAGE_DIR:-{shlex.quote(told.media) if told.media else '$HERE'}}}",
        *_stops(said),
        WEIGHTS + 'rm -f "$OUT/last"',
        f"{command} \\",
        *words,
        '    "${WEIGHTS[@]}" \\',
        '    "$@"',
        "# a checkpoint of this training: the newest",
        'LAST=$(basename "$(ls -td "$OUT"/checkpoint-*/ | head -n 1)")',
        MERGE * (said.tune != "full") + 'ln -sn "$LAST" "$OUT/last"',
    ]
    return "\n".join(lines) + "\n"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(model: str) -> str | None:
    return next((kind for part, kind in TYPES.items() if part in model.lower()), None)


def _tuned(said: SFT | GRPO) -> dict[str, Any]:
    if said.tune == "full":
        return {"tuner_type": "full"}
    made = {"tuner_type": "lora", "lora_rank": said.rank, "lora_alpha": said.alpha, "target_modules": "all-linear"}
    return made | ({"quant_method": "bnb", "quant_bits": 4} if said.tune == "qlora" else {})


def _stops(said: SFT | GRPO) -> list[str]:
    """What the plugin is told, where the schedule is longer than the training."""
    if not (said.schedule_steps or said.schedule_epochs):
        return []
    name, value = ("STOP_AT", said.steps) if said.steps else ("STOP_EPOCHS", said.epochs)
    return [f"export {name}=${{{name}:-{value}}}"]


def _trained(said: SFT | GRPO) -> dict[str, Any]:
    """Optimiser, schedule and sizes."""
    steps = said.schedule_steps or (None if said.schedule_epochs else said.steps)
    epochs = said.schedule_epochs or said.epochs
    return {
        "max_length": max(1024, math.ceil(said.seconds / TOKEN_SECONDS) + TEXT_TOKENS),
        **optimiser_of(said),
        "warmup_ratio": said.warmup,
        **({"max_steps": steps} if steps else {"num_train_epochs": epochs}),
        "gradient_checkpointing": said.checkpointing,
        "save_total_limit": said.keep,
        "data_seed": said.seed,
        "dataloader_num_workers": said.workers,
    }


def _grpo(said: GRPO) -> dict[str, Any]:
    """What is sampled, rewarded and maximised."""
    gdpo = said.multi_objective_aggregation == "normalize_then_sum"
    maybe = {"epsilon_high": said.epsilon_high, "delta": said.delta, "min_p": said.min_p}
    if said.loss == "sapo":
        maybe |= {"tau_pos": said.sapo_temperature_pos, "tau_neg": said.sapo_temperature_neg}
    return {
        "truncation_strategy": "delete",
        "reward_funcs": REWARDS[said.rewards],
        "reward_weights": f"{said.accuracy} {said.format}",
        "num_generations": said.generations,
        "num_iterations": said.iterations,
        "beta": said.beta,
        "epsilon": said.epsilon,
        **{name: value for name, value in maybe.items() if value is not None},
        **({"loss_type": said.loss} if said.loss in LOSSES else {}),
        "scale_rewards": "gdpo" if gdpo else said.scaling,
        "importance_sampling_level": said.importance_sampling_level,
        "top_entropy_quantile": said.top_entropy_quantile,
        "overlong_filter": said.mask_truncated_completions,
        "temperature": said.temperature,
        "top_k": said.top_k or -1,
        "top_p": said.top_p,
        "max_completion_length": said.new_tokens,
    }
