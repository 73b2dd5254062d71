"""NVIDIA NeMo RL: general conversations for SFT, rows as its AudioMCQ class has them for GRPO."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from audiocontrib.export.base import SOUND_TOKENS, Launch, Stage, TrainingExample, export_format, underscored
from audiocontrib.export.launch import as_yaml, clips_line, unsaid
from audiocontrib.export.trainer_files import trainer_file
from audiocontrib.training.recipe import GRPO, SFT

NAMES = ("sound", "speech", "speeches", "audio", "audios", "image", "images", "video", "videos", "video-audio")
TAGS = (*(f"<{name}>" for name in NAMES), *SOUND_TOKENS)


GPUS = 8
"""As in its own recipes."""
CARRIED = {
    *("steps", "epochs", "learning_rate", "weight_decay", "betas", "clip", "batch", "accumulate", "save_every"),
    *("generations", "new_tokens", "temperature", "top_k", "top_p", "beta", "scale_rewards", "epsilon", "epsilon_high"),
    *("accuracy", "format", "use_bias_correction_kl"),
}
"""Settings that its configuration has; its divergence is the plain one."""
RECIPES = "${oc.env:NEMO_RL}/examples/configs"
HERE = "${oc.env:EXPORTED}"
HEAD = """{what} with NeMo RL. NEMO_RL names its source tree: NEMO_RL=/opt/nemo-rl bash {stage}.sh [KEY=VALUE …]
What is not said here is as in its own recipe ({base}), parallelism and memory too."""
RUN = """#!/bin/bash
# NEMO_RL=/opt/nemo-rl bash {stage}.sh [KEY=VALUE …]
set -euo pipefail
export EXPORTED=$(cd "$(dirname "$0")" && pwd)
: "${{NEMO_RL:?name the source tree of NeMo RL}}"
export NEMO_RL
{root}export PYTHONPATH=$EXPORTED${{PYTHONPATH:+:$PYTHONPATH}}
cd "$NEMO_RL"
uv run {program} --config "$EXPORTED/{stage}.yaml" "$@"
"""


def nemo_rl_files(told: Launch) -> Mapping[str, str]:
    """A recipe that builds on NeMo RL's own, the class that reads the folder, and a script that starts both."""
    said = told.settings
    grpo = isinstance(said, GRPO)
    base = "recipes/vlm/vlm_grpo-qwen2.5-omni-7b-audiomcq-1n8g-megatron.v1.yaml" if grpo else "sft_avlm.yaml"
    # run_sft.py loads no processor, and hears nothing
    program = "examples/run_vlm_grpo.py" if grpo else "examples/run_vlm_sft.py"
    values = {
        "defaults": f"{RECIPES}/{base}",
        **(_grpo(said, told) if isinstance(said, GRPO) else _sft(said, told)),
        "checkpointing": {"checkpoint_dir": f"{HERE}/trained", "save_period": said.save_every},
    }
    head = HEAD.format(what="GRPO" if grpo else "SFT", stage=told.stage, base=base) + unsaid(said, CARRIED)
    made = {
        f"{told.stage}.yaml": as_yaml(head, values),
        f"{told.stage}.sh": RUN.format(stage=told.stage, program=program, root=clips_line(told.media)),
        **{name: trainer_file(name) for name in ("nemo_audio.py", "exported_audio.py")},
    }
    return made if grpo else made | {"system.txt": told.system}


def _data(told: Launch, **train: Any) -> dict[str, Any]:
    where = {"data_path": f"{HERE}/{told.file}", "split_validation_size": 0, "seed": told.settings.seed}
    default: dict[str, Any] = {"prompt_file": None}
    if told.stage == "grpo":
        default |= {"processor": "vlm_hf_data_processor", "env_name": "vlm"}
    return {"train": train | where, "validation": None, "default": default}


def _length(said: SFT | GRPO) -> dict[str, int]:
    """It ends with whichever comes first."""
    epochs = 1000 if said.epochs is None else ceil(said.epochs)
    return {"max_num_steps": said.steps or 1_000_000, "max_num_epochs": epochs}


def _literal(text: str) -> str:
    """A text in which OmegaConf finds no variables."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _sft(said: SFT, told: Launch) -> dict[str, Any]:
    adamw = {"lr": said.learning_rate, "weight_decay": said.weight_decay, "betas": [*said.betas], "eps": 1e-8}
    return {
        "sft": {**_length(said), "seed": said.seed, "val_period": 0, "val_at_start": False},
        "policy": {
            "model_name": _literal(told.model),
            "train_global_batch_size": GPUS * said.batch * said.accumulate,
            "optimizer": {"kwargs": adamw},
        },
        "data": {"add_generation_prompt": True}  # or the head of the reply would be learned too
        | _data(told, dataset_name="nemo_audio.ExportedConversations"),
    }


def _grpo(said: GRPO, told: Launch) -> dict[str, Any]:
    whole = said.accuracy + said.format
    adam = {"lr": said.learning_rate, "weight_decay": said.weight_decay, "clip_grad": said.clip}
    return {
        "grpo": {
            "num_prompts_per_step": GPUS * said.batch * said.accumulate // said.generations,
            "num_generations_per_prompt": said.generations,
            **_length(said),
            "normalize_rewards": said.scaling != "none",
            "seed": said.seed,
            "val_period": 0,
            "val_at_start": False,
        },
        "loss_fn": {
            "reference_policy_kl_penalty": said.beta,
            "ratio_clip_min": said.epsilon,
            "ratio_clip_max": said.epsilon_high or said.epsilon,
            "token_level_loss": said.loss != "grpo",
        },
        "policy": {
            "model_name": _literal(told.model),
            "train_global_batch_size": GPUS * said.batch * said.accumulate,
            "generation": {
                "max_new_tokens": said.new_tokens,
                "temperature": said.temperature,
                "top_k": said.top_k or None,
                "top_p": said.top_p,
            },
            "megatron_cfg": {
                "optimizer": adam | {"adam_beta1": said.betas[0], "adam_beta2": said.betas[1]},
            },
        },
        "data": _data(told, dataset_name="nemo_audio.ExportedAudio"),
        "env": {
            "vlm": {
                "reward_functions": [
                    {"name": "format", "weight": said.format / whole},
                    {"name": "exact_alnum", "weight": said.accuracy / whole},
                ]
            }
        },
    }


def same_letters(one: str, other: str) -> bool:
    """Whether its reward `exact_alnum` takes one option for the other."""
    return [c for c in one.lower() if c.isalnum()] == [c for c in other.lower() if c.isalnum()]


@export_format(
    "nemo-rl",
    tags=TAGS,
    same=same_letters,
    file="data.jsonl",
    launch=nemo_rl_files,
)
def nemo_rl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """NeMo RL takes no system turn from rows, and writes the user's text from question and choices itself."""
    row = example.row
    # its AudioMCQ class drops rows whose audio-contribution is not "strong", whatever the split says of them
    extra = underscored(example.extra)
    if stage == "sft":
        turns = [
            {"from": "user", "value": f"<sound>{row.prompt.user}"},
            {"from": "assistant", "value": row.target},
        ]
        return {"sound": [example.audio], "conversations": turns} | extra
    options = list(row.prompt.options)
    return {
        "source_dataset": row.item.source_dataset or row.item.dataset,
        "id": example.name,
        "question_type": row.item.question_type,
        "audio_path": example.audio,
        "prompt": row.prompt.user,
        "question": row.prompt.question,
        "choices": options,
        "answer": options[row.gold],
    } | extra
