"""What a frozen audio tower makes of each clip, kept on disk: computed once, read by every later epoch and training."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.store.files import make_folder

NAME = "heard"
"""Of the tensor in a file."""
TOWERS = ("Qwen2AudioEncoder",)
"""Classes of towers whose output is one row a clip, of which a mask says how much is real."""


def keep_features(net: Any, folder: Path) -> None:
    """Let the network's frozen audio tower look up in ``folder`` what it made of a clip before.

    Files are named by a hash of the features that go in, of the tower's weights and of the arithmetic, so that
    trainings with other clips, towers or precisions can share a folder. Names of the network stay as they are.

    Raises:
        UsageError: it has no tower whose output can be kept, or ``folder`` is a file.
    """
    tower: Any = next((module for name, module in net.named_modules() if name.split(".")[-1] == "audio_tower"), None)
    if type(tower).__name__ not in TOWERS:
        raise UsageError(
            f"keep_features: the output of {type(tower).__name__ if tower else 'this network'} cannot be kept, only "
            f"that of {', '.join(TOWERS)}; leave it out"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"keep_features: {folder} is a file; name a folder")
    tower.forward = _Kept(tower, folder)


class _Kept:
    """Stands before the tower's own forward."""

    def __init__(self, tower: Any, folder: Path) -> None:
        self.forward: Callable[..., Any] = tower.forward
        self.folder, self.weights = folder, _weights_sha256(tower)

    def __call__(self, input_features: Tensor, attention_mask: Tensor | None = None, **given: Any) -> Any:
        from transformers.modeling_outputs import BaseModelOutput

        sizes = _sizes(attention_mask, input_features)
        precision = torch.get_autocast_dtype(input_features.device.type) if _autocasts(input_features) else "own"
        places = [self._place(one, f"{size} {precision}") for one, size in zip(input_features, sizes, strict=True)]
        unknown = [at for at, place in enumerate(places) if not place.exists()]
        if unknown:
            with torch.no_grad():
                mask = attention_mask[unknown] if attention_mask is not None else None
                made = self.forward(input_features[unknown], attention_mask=mask, **given).last_hidden_state
            for at, one in zip(unknown, made, strict=True):
                _write(places[at], one[: sizes[at]])
        held = [_read(place).to(input_features.device) for place in places]
        whole = held[0].new_zeros((len(held), input_features.shape[-1] // 4, held[0].shape[-1]))
        for row, one in zip(whole, held, strict=True):
            row[: len(one)] = one
        return BaseModelOutput(last_hidden_state=whole)

    def _place(self, features: Tensor, how: str) -> Path:
        told = hashlib.sha256(f"{self.weights} {how} {features.dtype} ".encode())
        told.update(features.detach().contiguous().view(torch.uint8).cpu().numpy().tobytes())
        name = told.hexdigest()
        return self.folder / name[:2] / f"{name}.safetensors"


def _sizes(mask: Tensor | None, features: Tensor) -> list[int]:
    """Vectors of each clip that are real: the mask is over positions before they are pooled by two."""
    if mask is None:
        return [features.shape[-1] // 4] * len(features)
    row = mask[:, 0, 0]
    seen = row if row.dtype == torch.bool else row >= 0
    return [max(1, int(count) // 2) for count in seen.sum(-1)]


def _autocasts(features: Tensor) -> bool:
    return torch.is_autocast_enabled(features.device.type)


def _weights_sha256(tower: Any) -> str:
    told = hashlib.sha256()
    for name, value in sorted(tower.state_dict().items()):
        told.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        told.update(value.detach().contiguous().view(torch.uint8).cpu().numpy().tobytes())
    return told.hexdigest()


def _write(place: Path, value: Tensor) -> None:
    """Whole or not at all, several processes beside each other."""
    make_folder(place.parent)
    half = place.with_name(f".{os.getpid()}-{place.name}")
    save_file({NAME: value.detach().cpu().contiguous()}, half)
    os.replace(half, place)


def _read(place: Path) -> Tensor:
    try:
        return load_file(place)[NAME]
    except (SafetensorError, KeyError, OSError) as error:
        raise AudiocontribError(f"{place}: kept features cannot be read ({error}); delete the file") from error
