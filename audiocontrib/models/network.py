"""What has to be known of a network, its tokenizer and its device to run it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor


class Headless:
    """The backbone of a class that has none of its own: the class, asked with its head taken off.

    What such a class did to logits after the head would be done to hidden states; the self-check would see it.
    """

    def __init__(self, net: Any, head: Any) -> None:
        self.net, self.head, self.parameters = net, head, net.parameters

    def __call__(self, **given: Any) -> SimpleNamespace:
        """As the network, but for ``last_hidden_state`` (B, n, H) instead of logits."""
        self.head.forward = lambda hidden: hidden
        try:
            out = self.net(**given)
        finally:
            del self.head.forward
        return SimpleNamespace(last_hidden_state=out.logits.to(self.head.weight.dtype))


def backbone(net: Any) -> Any:
    """What gives a network's hidden states, called with keyword arguments."""
    return Headless(net, _head(net)) if net.base_model is net else net.base_model


def cache_name(backbone: Any) -> str:
    """The name under which a class takes its cache: ``cache`` in transformers 5.24, where most have been renamed."""
    net = backbone.net if isinstance(backbone, Headless) else backbone
    return "cache" if "cache" in inspect.signature(net.forward).parameters else "past_key_values"


def logits_head(net: Any) -> Callable[[Tensor], Tensor]:
    """Hidden states -> logits. Soft caps, scales and padded vocabularies stand between the two, unseen by a probe."""
    linear: Callable[[Tensor], Tensor] = _head(net)
    config = net.config.get_text_config()
    cap, scale = getattr(config, "final_logit_softcapping", None), getattr(config, "logits_scaling", None)
    width, words = getattr(config, "logits_mup_width_multiplier", None), getattr(config, "unpadded_vocab_size", None)
    if width:  # Inkling
        return lambda hidden: linear(hidden / width)[..., :words]
    if scale and scale != 1:
        return lambda hidden: linear(hidden) / scale
    return (lambda hidden: cap * torch.tanh(linear(hidden) / cap)) if cap else linear


def _head(net: Any) -> Any:
    """The network's linear head, or that of the language model in it."""
    head = net.get_output_embeddings()
    return head if head is not None else net.language_model.get_output_embeddings()


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
