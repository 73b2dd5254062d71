"""TRL: conversational rows; for SFT with a script whose collator gives the clip to the model, as TRL 1.16 does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiocontrib.export.base import SOUND_TOKENS, Launch, Stage, TrainingExample, export_format, for_rewards
from audiocontrib.export.launch import as_yaml, unsaid
from audiocontrib.export.trainer_files import trainer_file
from audiocontrib.training.optimiser import optimiser_of
from audiocontrib.training.recipe import GRPO, SFT

CARRIED = {
    *("learning_rate", "schedule", "warmup", "schedule_steps", "schedule_epochs", "weight_decay", "betas", "clip"),
    *("batch", "accumulate", "steps", "epochs", "tune", "rank", "alpha", "checkpointing", "seconds", "save_every"),
    "report_to",
}
"""Settings that its configuration has."""
HEAD = """SFT with TRL 1.16: python sft.py --config sft.yaml [--max_steps 2 ...]
Weights are float32; bf16 is the arithmetic, for GPUs that have it (bf16: false and use_cpu: true for a processor)."""


def trl_files(told: Launch) -> Mapping[str, str]:
    """The script and its settings. None for GRPO: TRL's trainer scores replies without the audio."""
    if told.stage == "grpo":
        return {}
    said = told.settings
    longer = bool(said.steps and (said.schedule_steps or said.schedule_epochs))
    head = HEAD + unsaid(said, CARRIED - {"tune"} if said.tune == "qlora" else CARRIED)
    if longer:
        head += f"\nThe schedule is longer than the training: checkpoint-{said.steps} is the one that is wanted."
    return {
        "sft.yaml": as_yaml(head, _settings(told, said)),
        "sft.py": trainer_file("trl_sft.py"),
        "exported_audio.py": trainer_file("exported_audio.py"),
    }


def _settings(told: Launch, said: SFT | GRPO) -> dict[str, Any]:
    epochs = said.schedule_epochs or said.epochs
    length: dict[str, Any] = {"max_steps": said.schedule_steps or said.steps}
    if epochs and not said.schedule_steps:
        length = {"num_train_epochs": float(epochs)}
    return {
        "model_name_or_path": told.model,
        **_tuned(said),
        "rows": told.file,
        "seconds": said.seconds,
        **({"audio_root": told.media} if told.media else {}),
        "dataset_kwargs": {"skip_prepare_dataset": True},
        "max_length": None,
        "remove_unused_columns": False,
        **optimiser_of(said),
        "warmup_steps": said.warmup,
        **length,
        "activation_checkpointing": said.checkpointing,
        "activation_checkpointing_kwargs": {"use_reentrant": False},
        "bf16": True,
        "ddp_find_unused_parameters": True,
        "logging_steps": 1,
        "report_to": list(said.report_to) or "none",
        "output_dir": "trained",
    }


def _tuned(said: SFT | GRPO) -> dict[str, Any]:
    if said.tune == "full":
        return {}
    return {"use_peft": True, "lora_r": said.rank, "lora_alpha": said.alpha, "lora_target_modules": "all-linear"}


@export_format("trl", tags=SOUND_TOKENS, launch=trl_files)
def trl(example: TrainingExample, stage: Stage) -> dict[str, Any]:
    """A part of a message has only the keys of its type: some templates take any key for what it names."""
    prompt = example.row.prompt
    heard = [{"type": "audio", "audio": example.audio}, _text(prompt.user)]
    turns = [{"role": "system", "content": [_text(prompt.system)]}, {"role": "user", "content": heard}]
    if stage == "sft":
        wanted: dict[str, Any] = {"completion": [{"role": "assistant", "content": [_text(example.row.target)]}]}
    else:
        wanted = for_rewards(example)
    return {"prompt": turns} | wanted | dict(example.extra)


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
