"""The adapter of `smol-audio` as peft stores one: low-rank matrices, and the projector whole. bfloat16, safetensors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from quick import QuickDecoder
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.hashing import file_sha256

LAYERS = "base_model.model.model.language_model.layers"
PROJECTOR = "base_model.model.model.multi_modal_projector"
TARGETS = r".*language_model\.layers\.\d+\.(self_attn|mlp)\.(q|k|v|o|gate|up|down)_proj"


def base_folder() -> Path:
    """The assembled base. AudiocontribError, with what to do, if it is not there."""
    from audiocontrib.models.cascade.parts import Part, weights_folder

    return Part(weights="smol-audio-base").find(weights_folder())


def names(net: QuickDecoder) -> Iterator[tuple[str, Tensor]]:
    """peft's name of each trained tensor, and the tensor."""
    for name, value in net.adapters.items():
        number, layer, side = name.split(".")
        block = "self_attn" if re.match("[qkvo]_", layer) else "mlp"
        yield f"{LAYERS}.{number}.{block}.{layer}.lora_{side}.weight", value
    for name, value in net.projector.items():
        yield f"{PROJECTOR}.linear.{name}", value


def export(net: QuickDecoder, folder: Path, base: Path) -> None:
    """Write an adapter that `--model BASE+FOLDER` takes, and the hashes that `--model smol-audio` holds it to."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "smol-audio-base",
        "r": net.rank,
        "lora_alpha": net.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": TARGETS,
        "modules_to_save": ["multi_modal_projector"],
        "inference_mode": True,
    }
    tensors = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in names(net)}
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps(told, indent=1) + "\n")
    held = {
        "base": {"model.safetensors": file_sha256(base / "model.safetensors")},
        "adapter": {name: file_sha256(folder / name) for name in ("adapter_config.json", "adapter_model.safetensors")},
    }
    (folder / "held.json").write_text(json.dumps(held, indent=1) + "\n")


def take(net: QuickDecoder, folder: Path) -> None:
    """Start from an exported adapter. AudiocontribError if it is none of this rank and base."""
    try:
        held = load_file(folder / "adapter_model.safetensors")
    except (OSError, SafetensorError) as error:
        raise AudiocontribError(f"{folder}: no adapter can be read there ({one_line(error)})") from error
    for name, value in names(net):
        if name not in held or held[name].shape != value.shape:
            raise AudiocontribError(f"{folder}: its adapter is of another base or rank, see {name}")
    with torch.no_grad():
        for name, value in names(net):
            value.copy_(held[name])
    net.merge()
