"""The replies that are still to be learned from when a checkpoint falls between two generations."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

FOLDER = "generation"
"""Below a checkpoint: beside the weights a file of tensors would be taken for some."""

Batches = list[dict[str, Tensor | None]]
"""What each forward of a generation is given."""


def save_replies(checkpoint: Path, rank: int, batches: Batches, step: int) -> None:
    """Keep the replies at hand of one process, and how many forwards it has done."""
    (checkpoint / FOLDER).mkdir(exist_ok=True)
    tensors, none = dict[str, Tensor](), []
    for place, batch in enumerate(batches):
        for name, value in batch.items():
            if value is None:
                none.append(f"{place} {name}")
            else:
                tensors[f"{place} {name}"] = value.detach().cpu().clone()  # several share their memory
    told = {"step": str(step), "batches": str(len(batches)), "none": "\n".join(none)}
    save_file(tensors, _file(checkpoint, rank), metadata=told)


def load_replies(checkpoint: Path, rank: int, device: torch.device) -> tuple[Batches, int] | None:
    """What :func:`save_replies` kept; None where there was nothing to keep."""
    path = _file(checkpoint, rank)
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        told, names = file.metadata(), file.keys()
        batches: Batches = [{} for _ in range(int(told["batches"]))]
        kept: dict[str, Tensor | None] = {key: file.get_tensor(key).to(device) for key in names}
        for key, value in (kept | dict.fromkeys(filter(None, told["none"].split("\n")))).items():
            place, name = key.split(" ", 1)
            batches[int(place)][name] = value
    return batches, int(told["step"])


def _file(checkpoint: Path, rank: int) -> Path:
    return checkpoint / FOLDER / f"process-{rank}.safetensors"
