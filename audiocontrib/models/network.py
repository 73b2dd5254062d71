"""What has to be known of a network, its tokenizer and its device to run it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def logits_head(net: Any) -> Callable[[Tensor], Tensor]:
    """Hidden states -> logits. Gemma's soft cap and Granite's scale stand between the two, unseen by a probe."""
    linear: Callable[[Tensor], Tensor] = net.get_output_embeddings()
    config = net.config.get_text_config()
    cap, scale = getattr(config, "final_logit_softcapping", None), getattr(config, "logits_scaling", None)
    if scale and scale != 1:
        return lambda hidden: linear(hidden) / scale
    return (lambda hidden: cap * torch.tanh(linear(hidden) / cap)) if cap else linear


def pad_id(tokenizer: Any) -> int:
    """Any token for padded places, which are masked out."""
    pad = tokenizer.pad_token_id
    return int(pad if pad is not None else tokenizer.eos_token_id)


def cache_memory(device: torch.device) -> int:
    """Bytes that keys and values may take: a fifth of a GPU's memory, or 1 GiB."""
    if device.type != "cuda":
        return 1 << 30
    return int(torch.cuda.get_device_properties(device).total_memory) // 5


def is_out_of_memory(error: Exception) -> bool:
    """Whether less at once would help."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or "not enough memory" in str(error)
