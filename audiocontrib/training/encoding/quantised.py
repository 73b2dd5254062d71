"""QLoRA (arXiv 2305.14314): the language model's linear layers in 4 bits, below adapters that stay as they are."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from audiocontrib.errors import UsageError

TOWERS = ("audio", "visual", "vision", "projector")
"""In the names of parts that are left as they are: what hears is small, and nothing was measured of it in 4 bits."""
BITS = 4.127
"""Of a weight: 4, an 8-bit constant for 64 of them, and a 32-bit one for 256 of these."""


def check_bitsandbytes() -> None:
    """UsageError, in one line and before anything is loaded, if nothing here can quantise."""
    if find_spec("bitsandbytes") is None:
        raise UsageError("tune: qlora needs a package; run: pip install bitsandbytes, or take tune: lora")


def quantise(net: Any, device: str) -> None:
    """Put the linear layers of a network's language model into 4 bits (NF4, double quantisation), in place.

    Args:
        net: on the CPU, so that a GPU never holds the whole of it.
        device: where all of it is brought to.

    Raises:
        UsageError: there is no such layer.
    """
    import bitsandbytes

    places = [name for name, module in net.named_modules() if _is_quantised(net, name, module)]
    if not places:
        raise UsageError("tune: qlora finds no linear layer of a language model in this one; take tune: lora")
    for name in places:
        usual = net.get_submodule(name)
        packed = bitsandbytes.nn.Linear4bit(
            usual.in_features,
            usual.out_features,
            bias=usual.bias is not None,
            compute_dtype=usual.weight.dtype,
            quant_type="nf4",
            device="meta",
        )
        packed.weight = bitsandbytes.nn.Params4bit(usual.weight.data, requires_grad=False, quant_type="nf4")
        packed.bias = usual.bias
        net.set_submodule(name, packed.to(device))
    net.to(device)
    net.is_loaded_in_4bit = True  # peft and TRL ask


def _is_quantised(net: Any, name: str, module: torch.nn.Module) -> bool:
    towers = any(tower in part for part in name.split(".") for tower in TOWERS)
    return isinstance(module, torch.nn.Linear) and not towers and module is not net.get_output_embeddings()


def numbers_in(weight: torch.nn.Parameter) -> int:
    """Numbers that a weight holds; two of them are packed into one byte where it is in 4 bits."""
    state = getattr(weight, "quant_state", None)
    return int(torch.Size(state.shape).numel()) if state is not None else weight.numel()


def held_bytes(weight: torch.nn.Parameter) -> float:
    """What it takes in the memory of a GPU, in bytes: in bfloat16 where it is not in 4 bits."""
    return numbers_in(weight) * (BITS / 8 if getattr(weight, "quant_state", None) is not None else 2)
