"""Attention to a prefix that several rows share: its keys and values are held once, and read once for all of them.

A row attends to the prefix and to its own tokens apart; the log-sum-exp of the scores of each joins the two exactly
(cascade attention; Juravsky et al., "Hydragen", arXiv 2402.05099). It stands in the place of transformers' ``sdpa``
while :func:`shared` lasts, and only where the attention is the plain one: scaled scores, a softmax, nothing added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

NAME = "audiocontrib_shared_prefix"
CHUNK = 16
"""Rows whose own tokens are attended to at once: the longest of them is the width of all."""
EXTRAS = ("softcap", "position_bias", "s_aux")
"""What changes the scores of an attention beyond what is computed here. (Windows are in the mask.)"""


class NotShared(Exception):
    """The network's attention is not the plain one, or is not asked by its name."""


@dataclass(frozen=True, slots=True)
class SharedRows:
    """A prefix, and the rows of a batch that continue it."""

    cache: Any
    """What the network keeps of the prefix, batch 1."""
    rows: Tensor | None
    """Indexes; None: all."""


@dataclass(slots=True)
class _Sharing:
    parts: Sequence[SharedRows]
    widths: Sequence[int]
    layers: set[int] = field(default_factory=set)
    """Those that asked."""


_NOW: ContextVar[_Sharing] = ContextVar("sharing")


@contextmanager
def shared(config: Any, layers: int, parts: Sequence[SharedRows], widths: Sequence[int] = ()) -> Iterator[None]:
    """Within it, a network's attention is also to the prefixes of its rows, of which its own cache holds nothing.

    Args:
        config: of the language model; names the attention.
        layers: how many must ask.
        widths: keys of each row's own, from the first on; what stands behind them is not read. Empty: all are.

    Raises:
        NotShared: fewer did, so that what was computed knew nothing of the prefix.
    """
    before, sharing = config._attn_implementation, _Sharing(parts, widths)
    token = _NOW.set(sharing)
    config._attn_implementation = NAME
    try:
        yield
    finally:
        config._attn_implementation = before
        _NOW.reset(token)
    if len(sharing.layers) != layers:
        raise NotShared(f"{len(sharing.layers)} of {layers} layers asked for attention")


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> tuple[Tensor, Tensor]:
    """Attention, and the log-sum-exp of its scores.

    Args:
        query: (B, H, n, d); H may be larger than the heads of ``key``.
        key: (B, h, m, d).
        mask: (B, 1, n, m), true where a token is seen; at least one is.

    Returns:
        (B, H, n, d), and (B, H, n, 1) in float32.
    """
    batch, heads, n, width = query.shape
    packed = query.reshape(batch, key.shape[1], -1, width)
    if mask is not None:
        mask = mask.expand(batch, 1, n, -1).repeat(1, 1, heads // key.shape[1], 1)
    found = _kernel(packed, key, value, mask, scale)
    if found is None:
        scores = (packed @ key.transpose(-1, -2)).float().mul_(scale)
        if mask is not None:
            scores.masked_fill_(~mask, -torch.inf)
        total = scores.logsumexp(-1)
        found = scores.sub_(total[..., None]).exp_().to(value.dtype) @ value, total
    out, total = found
    return out.reshape(batch, heads, n, -1), total.float().reshape(batch, heads, n, 1)


def _kernel(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float) -> Any:
    """The same in one pass, where torch has it with the sum; None elsewhere."""
    if query.device.type != "cpu" or query.shape[-1] != value.shape[-1]:
        return None
    added = mask if mask is None else torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, -torch.inf)
    return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, attn_mask=added, scale=scale)


def attend_once(query: Tensor, key: Tensor, value: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """As :func:`attend`, of rows to the one prefix of all: its keys and values are (1, h, m, d)."""
    batch, heads, n, width = query.shape
    side_by_side = query.reshape(batch, key.shape[1], -1, width).transpose(0, 1).reshape(1, key.shape[1], -1, width)
    found = attend(side_by_side, key, value, None, scale)
    out, total = (one.reshape(key.shape[1], batch, -1, one.shape[-1]).transpose(0, 1) for one in found)
    return out.reshape(batch, heads, n, -1), total.reshape(batch, heads, n, 1)


def shared_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float | None = None,
    **given: Any,
) -> tuple[Tensor, None]:
    """What a layer of the network calls, see :class:`transformers.AttentionInterface`."""
    if odd := [name for name in EXTRAS if given.get(name) is not None]:
        raise NotShared(f"its attention has {odd[0]}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    sharing = _NOW.get()
    sharing.layers.add(module.layer_idx)
    if attention_mask is None and query.shape[2] > 1:  # which says: causal
        seen = torch.ones(query.shape[2], key.shape[2], dtype=torch.bool, device=query.device)
        attention_mask = seen.tril(key.shape[2] - query.shape[2])[None, None].expand(len(query), -1, -1, -1)
    own = [
        attend(
            query[first:last],
            key[first:last, :, :width],
            value[first:last, :, :width],
            None if attention_mask is None else attention_mask[first:last, ..., :width],
            scale,
        )
        for first, last, width in _chunks(sharing.widths, len(query), key.shape[2])
    ]
    out, total = (torch.cat(both) if len(both) > 1 else both[0] for both in zip(*own, strict=True))
    for part in sharing.parts:
        layer = part.cache.layers[module.layer_idx]
        rows = part.rows
        asked = query if rows is None else query[rows]
        other, other_total = attend_once(asked, layer.keys, layer.values, scale)
        if rows is None:
            out = _joined(out, total, other, other_total)
        else:
            out[rows] = _joined(out[rows], total[rows], other, other_total)
    return out.transpose(1, 2).contiguous(), None


def _chunks(widths: Sequence[int], rows: int, most: int) -> Iterator[tuple[int, int, int]]:
    """First and last row and width of rows that are attended to at once: those of like width stand together."""
    for first in range(0, rows, CHUNK if widths else rows):
        held = widths[first : first + CHUNK]
        yield first, first + len(held) if held else rows, max(held, default=most)


def _joined(a: Tensor, total_a: Tensor, b: Tensor, total_b: Tensor) -> Tensor:
    return torch.lerp(a, b, torch.sigmoid(total_b - total_a).to(a.dtype))


AttentionInterface.register(NAME, shared_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
