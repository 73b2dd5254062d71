"""LLaMA-Factory: chat messages in the sharegpt style, with the dataset_info.json that names their columns. SFT only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from audiocontrib.export.base import Launch, Stage, TrainingExample, export_format
from audiocontrib.export.formats.swift import TAGS, messages
from audiocontrib.export.launch import ZERO2, as_yaml, unsaid
from audiocontrib.training.optimiser import optimiser_of
from audiocontrib.training.recipe import GRPO, SFT

TEMPLATES = {
    "qwen3-omni-30b-a3b-thinking": "qwen3_omni",
    "qwen3-omni": "qwen3_omni_nothink",
    "qwen2-audio": "qwen2_audio",
    "qwen2.5-omni": "qwen2_omni",
}
"""Part of a model's name -> what LLaMA-Factory calls its template, clips included; the first that fits."""
USUAL = "qwen2_omni"
CUTOFF = 8192
"""Tokens of a row. LLaMA-Factory pads to the longest of a batch, and cuts the end of a longer question off unsaid: the
options, and with a long clip its tokens too."""
NAME = "audiocontrib"
"""What `dataset:` in a training configuration names."""


def dataset_info(stage: Stage, file: str) -> Mapping[str, str]:
    """The file by which LLaMA-Factory finds the rows (`dataset_dir:` is the exported folder)."""
    about = {
        "file_name": file,
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "audios": "audios"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }
    return {"dataset_info.json": json.dumps({NAME: about}, indent=2) + "\n"}


CARRIED = {
    *("learning_rate", "schedule", "warmup", "schedule_steps", "schedule_epochs", "weight_decay", "betas", "clip"),
    *("batch", "accumulate", "steps", "epochs", "tune", "rank", "alpha", "save_every"),
}
"""Settings that its configuration has."""
HEAD = """SFT with LLaMA-Factory 0.9, from this folder: llamafactory-cli train train.yaml [KEY=VALUE …]
Weights are bfloat16 under DeepSpeed, which keeps float32 copies (deepspeed=null: LLaMA-Factory trains in float32).
The audio tower counts as a vision tower there, and is frozen unless that is said."""


UNKNOWN = f"""
The name of the model does not tell its template; {USUAL} (Qwen2.5-Omni) is a guess: template=NAME."""


def _template(model: str) -> str | None:
    return next((template for part, template in TEMPLATES.items() if part in model.lower()), None)


def _tuned(said: SFT | GRPO) -> dict[str, Any]:
    if said.tune == "full":
        return {"finetuning_type": "full"}
    made = {"finetuning_type": "lora", "lora_rank": said.rank, "lora_alpha": said.alpha, "lora_target": "all"}
    return made | ({"quantization_bit": 4, "quantization_method": "bnb"} if said.tune == "qlora" else {})


def llamafactory_files(told: Launch) -> Mapping[str, str]:
    """The configuration, and DeepSpeed's."""
    said = told.settings
    steps: dict[str, Any] = {"max_steps": said.schedule_steps} if said.schedule_steps else {}
    epochs = said.schedule_epochs or said.epochs
    if not steps:
        steps = {"num_train_epochs": float(epochs)} if epochs else {"max_steps": said.steps}
    values: dict[str, Any] = {
        "model_name_or_path": told.model,
        "stage": "sft",
        "do_train": True,
        **_tuned(said),
        "freeze_vision_tower": False,
        "freeze_multi_modal_projector": False,
        "dataset_dir": ".",
        "dataset": NAME,
        "media_dir": told.media or ".",
        "template": _template(told.model) or USUAL,
        "cutoff_len": CUTOFF,
        "output_dir": "trained",
        **optimiser_of(said),
        "warmup_ratio": said.warmup,
        **steps,
        "logging_steps": 1,
        "bf16": True,
        "deepspeed": "ds_z2.json",
        "report_to": "none",
    }
    head = HEAD if _template(told.model) else HEAD + UNKNOWN
    if said.steps and (said.schedule_steps or said.schedule_epochs):
        head += f"\nThe schedule is longer than the training: checkpoint-{said.steps} is the one that is wanted."
    head += unsaid(said, CARRIED)
    return {"train.yaml": as_yaml(head, values), "ds_z2.json": json.dumps(ZERO2, indent=2) + "\n"}


@export_format(
    "llamafactory",
    stages=("sft",),
    tags=TAGS,
    beside=dataset_info,
    launch=llamafactory_files,
)
def llamafactory(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """Messages and clips; other columns are not looked at."""
    return {"messages": messages(example, stage), "audios": [example.audio]} | dict(example.extra)
