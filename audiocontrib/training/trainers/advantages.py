"""Advantages of GRPO where some replies of a group hear silence: two baselines, since two things are asked."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

EPSILON = 1e-4
"""Added to the standard deviation, as TRL does."""


def two_baselines(
    rewards: Tensor, generations: int, silent: int, scale: Literal["group", "batch", "none"]
) -> tuple[Tensor, Tensor]:
    """Advantages, each reply held against those that hear the same; and whether these have equal rewards.

    One baseline for all would reward every right reply that hears for the silent ones, which cannot be right, and
    punish silence itself: no reply to it could do better.

    Args:
        rewards: shape (replies,), whole groups one after the other.
        generations: replies of a group.
        silent: how many of them, the last ones, hear silence.
        scale: by which standard deviation advantages are divided: that of the replies of the group that hear the same,
            that of all such replies, or none.

    Returns:
        Shape (replies,) both.
    """
    groups = rewards.view(-1, generations)
    parts = groups.split([generations - silent, silent], dim=1)
    spreads = [part.std(dim=1, keepdim=True).expand_as(part) for part in parts]
    scales = [part.std().expand_as(part) for part in parts] if scale == "batch" else spreads
    centred = [part - part.mean(dim=1, keepdim=True) for part in parts]
    if scale != "none":
        centred = [one / (spread + EPSILON) for one, spread in zip(centred, scales, strict=True)]
    equal = torch.cat(spreads, dim=1)
    return torch.cat(centred, dim=1).flatten(), torch.isclose(equal, torch.zeros_like(equal)).flatten()
