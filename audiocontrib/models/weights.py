"""A checkpoint's weights as a network: all of them, each of the shape that its config asks for, or a ValueError."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from audiocontrib.models.families import Family

LOG = logging.getLogger(__name__)
WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
FLOATS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"})
"""Kinds of numbers, as safetensors calls them, that are weights as they stand."""
OF_QUANTISED = re.compile(r"(scale|scales|scale_inv|zero_point|qweight|qzeros|g_idx|absmax|quant_map|SCB)$")
"""Endings of tensors without which quantised weights are other numbers."""


def load_network(folder: Path, family: Family | None, dtype: torch.dtype, given: dict[str, Any]) -> Any:
    """The network.

    Args:
        given: what transformers is told besides: ``gguf_file``, ``trust_remote_code``, …

    Raises:
        ValueError: the checkpoint lacks weights, which would be random with a mere warning; or it has others than its
            config asks for.
    """
    cls: Any = getattr(transformers, family.model_class) if family else AutoModelForCausalLM
    kind: dict[str, Any] = {} if given["gguf_file"] else {"use_safetensors": True}
    if family and family.audio_only:
        from audiocontrib.models.audio_only import without_tower

        kind["config"] = cls.config_class.from_pretrained(folder, local_files_only=True)
        without_tower(kind["config"])
    if find_spec("peft"):
        # not here, where it would hide what the base weights lack: in a folder that there is not
        kind["adapter_kwargs"] = {"subfolder": "later"}
    integers = [] if given["gguf_file"] else _integer_weights(folder)
    transformers.utils.logging.disable_progress_bar()
    said = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # it lists every weight of the parts that are left out
    try:
        net, info = cls.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True, **kind, **given
        )
    finally:
        transformers.utils.logging.set_verbosity(said)
    if info["missing_keys"]:
        names = sorted(info["missing_keys"])
        raise ValueError(f"it lacks {len(names)} weights of {cls.__name__}, e.g. {names[0]}")
    if info["mismatched_keys"]:
        name, held, asked = min(info["mismatched_keys"])
        raise ValueError(
            f"{len(info['mismatched_keys'])} of its weights have another shape than its config asks for, e.g. {name}: "
            f"{tuple(held)}, not {tuple(asked)}"
        )
    _check_unused(net, info["unexpected_keys"], integers)
    return net


def complete_network(net: Any, folder: Path, family: Family) -> None:
    """What else belongs to the network. ValueError if its adapter is not there: it would answer without, silently."""
    if family.mend:
        family.mend()(net)
    if family.adapter is None or not getattr(net.config, "has_lora_adapter", True):
        return
    place = folder / family.adapter
    if not (place / "adapter_model.safetensors").is_file():
        raise ValueError(f"its adapter is missing: {family.adapter or '.'}/adapter_model.safetensors")
    if find_spec("peft") is None:
        raise ValueError("its adapter needs a package; run: pip install peft")
    lacking = net.load_adapter(str(folder), adapter_kwargs={"subfolder": family.adapter}).missing_keys
    if lacking:
        raise ValueError(f"its adapter lacks {len(lacking)} weights, e.g. {min(lacking)}")


def _integer_weights(folder: Path) -> list[str]:
    """Names of weights that are stored as whole numbers.

    Raises:
        ValueError: a weight stands in two files, or files outside the folder, which no hash would cover, are named.
    """
    places: dict[str, str] = {}
    found = []
    for file in _files(folder):
        with safe_open(folder / file, framework="pt") as held:
            for name in held.keys():  # noqa: SIM118, it is no dictionary
                if name in places:
                    raise ValueError(f"the weight {name} stands in two files, {places[name]} and {file}")
                places[name] = file
                if name.endswith("weight") and held.get_slice(name).get_dtype() not in FLOATS:
                    found.append(name)
    return found


def _files(folder: Path) -> list[str]:
    """The files that transformers takes weights from."""
    if (folder / WHOLE).is_file() or not (folder / INDEX).is_file():
        return [WHOLE] if (folder / WHOLE).is_file() else []
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    files = sorted(set(index["weight_map"].values()))
    outside = [file for file in files if Path(file).name != file]
    if outside:
        raise ValueError(f"{INDEX} names a file that is not in its folder: {outside[0]}")
    return files


def _check_unused(net: Any, unused: Iterable[str], integers: list[str]) -> None:
    """ValueError if weights are quantised and nothing here reads them so; a line of what a part of the network leaves.

    Whole parts of a checkpoint that the class does not have (a talker, an image tower) are left out, as they should be.
    """
    unused = sorted(unused)
    quantised = [name for name in unused if OF_QUANTISED.search(name)]
    if getattr(net, "hf_quantizer", None) is None and (quantised or integers):
        raise ValueError(
            f"its weights are quantised (e.g. {min(quantised or integers)}), and its config names no way that "
            "transformers knows"
        )
    modules = dict(net.named_modules())
    left = [name for name in unused if _is_within(name, modules)]
    if left:
        LOG.warning(
            "%d weights of %s are not used, e.g. %s: does its config fit?", len(left), type(net).__name__, left[0]
        )


def _is_within(name: str, modules: dict[str, Any]) -> bool:
    """Whether a weight belongs to a list of layers, or a layer, that the network has."""
    parts = name.split(".")
    longest = next((place for end in range(len(parts) - 1, 0, -1) if (place := ".".join(parts[:end])) in modules), "")
    holder = modules.get(longest) if longest else None
    return holder is not None and (isinstance(holder, torch.nn.ModuleList) or not any(holder.children()))
