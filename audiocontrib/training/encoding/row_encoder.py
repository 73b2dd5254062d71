"""RowEncoder: how a row becomes what the network takes. The same tokens and features as in scoring."""

from __future__ import annotations

import copy
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiocontrib.audio import RATE, Sound, decode, make_sound, silence
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import load_model
from audiocontrib.models.families import FAMILIES
from audiocontrib.models.lalm import AudioLanguageModel
from audiocontrib.models.own import is_own
from audiocontrib.training.encoding.kept_tower import keep_features
from audiocontrib.training.encoding.quantised import check_bitsandbytes, quantise
from audiocontrib.training.rows.base import TrainingRow
from audiocontrib.training.stage_settings import Stage


def load_for_training(name: str, settings: Stage) -> AudioLanguageModel:
    """The model to train, its image tower frozen.

    All weights are trained in float32, with bfloat16 arithmetic on a GPU: steps of 1e-6 are lost when they are added
    to bfloat16 weights. Under DeepSpeed, which keeps float32 copies itself, and below adapters, they are bfloat16.

    Raises:
        UsageError: it hears nothing, or is code of the user's own; or it is to be quantised, and nothing here can.
    """
    known = f"an audio-language model, of: {', '.join(sorted(FAMILIES))}"
    if is_own(name):
        raise UsageError(f"{name} is code, which cannot be trained here: name a checkpoint of {known}")
    quantised = settings.tune == "qlora"
    if quantised:
        check_bitsandbytes()
    gpu = torch.cuda.is_available()
    device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}" if gpu else "cpu"
    whole = settings.tune == "full" and os.environ.get("ACCELERATE_USE_DEEPSPEED") != "true"
    dtype = "bfloat16" if reads_bfloat16(settings) and not whole else "float32"
    model = load_model(name, device="cpu" if quantised else device, dtype=dtype)
    if not isinstance(model, AudioLanguageModel) or model.adapted:
        raise UsageError(f"{name} cannot be trained here: it takes {known}")
    for path, parameter in model.net.named_parameters():
        parts = path.split(".")
        still = any(part.startswith(("visual", "vision")) for part in parts) or bool(set(parts) & set(settings.freeze))
        parameter.requires_grad_(not still)
    modules = {part for name, _ in model.net.named_modules() for part in name.split(".")}
    for field in ("freeze", "also"):
        if unknown := sorted(set(getattr(settings, field)) - modules):
            raise UsageError(f"{field}: {name} has no part {unknown[0]}; its audio parts are {_audio_parts(model.net)}")
    if settings.tune == "full" and not any(one.requires_grad for one in model.net.parameters()):
        raise UsageError(f"freeze: nothing of {name} is left to train; leave a part out")
    if quantised:
        quantise(model.net, device)
    if settings.keep_features:
        keep_features(model.net, Path(settings.keep_features))
    return model


def reads_bfloat16(settings: Stage) -> bool:
    """Whether a stage's arithmetic is bfloat16."""
    return torch.cuda.is_available() if settings.precision is None else settings.precision == "bfloat16"


def _audio_parts(net: Any) -> str:
    found = {
        part for name, _ in net.named_modules() for part in name.split(".") if "audio" in part or "project" in part
    }
    return ", ".join(sorted(found)) or "not known"


class RowEncoder:
    """What makes tokens and features of rows. Holds no weights, so that other processes can have a copy.

    Args:
        model: whose prompts are written; its features are made on the CPU.
        seconds: where clips are cut, if the model does not cut them earlier.
    """

    def __init__(self, model: AudioLanguageModel, seconds: float) -> None:
        self.prompt_encoder = replace(model.encoder, device=torch.device("cpu"))
        self.seconds = min(seconds, model.max_seconds or seconds)
        self.dtype = model.net.dtype
        """Of weights that are not quantised."""
        self.generation = copy.deepcopy(model.net.generation_config)
        """As the checkpoint has it; trainers change it."""
        self.ending = self.prompt_encoder.ending()
        """What ends a reply; it ends what is generated, so it is learned too."""

    @property
    def tokenizer(self) -> Any:
        """The model's."""
        return self.prompt_encoder.tokenizer

    @property
    def names(self) -> tuple[str, ...]:
        """Of the features."""
        return self.prompt_encoder.family.features

    def hear(self, row: TrainingRow, silent: bool = False) -> Sound:
        """The row's clip, cut; or silence of its length. AudiocontribError with the item's id if it is not there."""
        try:
            if row.item.audio is None:
                raise AudiocontribError("the row names no audio")
            sound = decode(row.item.audio)
        except AudiocontribError as error:
            raise AudiocontribError(
                f"{row.item.id}: {error}; bring the clip back and give the same command again"
            ) from error
        if sound.seconds > self.seconds:
            sound = make_sound(sound.samples[: round(self.seconds * RATE)])
        return silence(sound.seconds) if silent else sound

    def prompt(self, row: TrainingRow, silent: bool = False) -> tuple[list[int], dict[str, Tensor]]:
        """Tokens of the prompt, and the features of the clip with one row, shape (1, windows, …) each."""
        sound = self.hear(row, silent)
        ids, _ = self.prompt_encoder.encode(row.prompt, sound)
        return ids, {name: value[None] for name, value in self.prompt_encoder.features(row.prompt, sound).items()}

    def placeholders(self) -> list[int]:
        """Tokens that stand for sounds and images: one in a reply would have nothing to stand for."""
        names = (getattr(self.prompt_encoder.processor, f"{kind}_token", None) for kind in ("audio", "image", "video"))
        known = self.tokenizer.get_vocab()
        return [known[name] for name in names if name in known]

    def target(self, row: TrainingRow) -> list[int]:
        """Tokens of the wanted reply, with its end."""
        return self.prompt_encoder.tokens(row.target + self.ending)

    def describe(self, folder: Path) -> None:
        """Write beside weights what else is needed to load them: processor and generation settings."""
        self.prompt_encoder.processor.save_pretrained(folder)
        self.generation.save_pretrained(folder)
