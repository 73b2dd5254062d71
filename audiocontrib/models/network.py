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


def stop_tokens(net: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a reply: those of the checkpoint's generation config, else the tokenizer's; empty if none.

    Raises:
        ValueError: one of them is no token of the network's, and would never come.
    """
    told = net.generation_config.eos_token_id
    found = [told] if isinstance(told, int | str) else list(told or [])
    if not found and tokenizer.eos_token_id is not None:
        found = [tokenizer.eos_token_id]
    rows = net.get_input_embeddings().weight.shape[0]
    ends = [one for one in found if type(one) is int and 0 <= one < rows]
    if bad := [one for one in found if one not in ends or type(one) is not int]:
        raise ValueError(f"its replies would not end: eos_token_id {bad[0]!r} is none of its {rows} tokens")
    return frozenset(ends)


def check_audio_token(config: Any, token: int) -> None:
    """ValueError if the tokenizer's token of audio is not the one that the network hears in its place."""
    holders = (config, getattr(config, "audio_config", None))
    names = ("audio_token_id", "audio_token_index")
    found = {told for one in holders for name in names if (told := getattr(one, name, None)) is not None}
    if found and token not in found:
        raise ValueError(
            f"its tokenizer has {token} as the token of audio, and its config {min(found)}: it would hear nothing"
        )
