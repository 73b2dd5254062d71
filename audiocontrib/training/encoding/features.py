"""Features of several rows as one tensor each, so that they can be shuffled and cut apart like any other tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def stacked(features: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Features of several rows as one tensor each, shape (rows, windows, …), padded with zeros; and ``windows``:
    how many of them are real, shape (rows,). So rows can be shuffled and cut apart like any other tensor.
    """
    names = list(features[0])
    made = {name: _padded([one[name] for one in features]) for name in names}
    counts = torch.tensor([one[names[0]].shape[1] for one in features])
    return made | {"windows": counts}


def unstacked(features: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse, for the network: windows of all rows below each other."""
    counts = features["windows"]
    values = {name: value for name, value in features.items() if name != "windows"}
    most = next(iter(values.values())).shape[1]
    real = torch.arange(most, device=counts.device)[None] < counts[:, None]
    return {name: value[real] for name, value in values.items()}


def _padded(values: Sequence[Tensor]) -> Tensor:
    shape = [max(sizes) for sizes in zip(*(value.shape[1:] for value in values), strict=True)]
    made = values[0].new_zeros((len(values), *shape))
    for place, value in enumerate(values):
        made[place][tuple(slice(size) for size in value.shape[1:])] = value[0]
    return made
