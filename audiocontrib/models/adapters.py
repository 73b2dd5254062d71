"""LoRA adapters that somebody trained: merged into the weights at loading, so that they are on under every condition.

The speech adapters that belong to a family (Granite Speech, Phi-4) are another matter: see ``Family.adapter``.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from safetensors import safe_open

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def has_adapter(folder: Path) -> bool:
    """Whether an adapter lies in a folder, alone or beside base weights."""
    return (folder / CONFIG).is_file() or (folder / WEIGHTS).is_file()


def base_of(folder: Path) -> str:
    """What an adapter's config names as the model that it was trained on. ValueError if it names none."""
    try:
        base = json.loads((folder / CONFIG).read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError) as error:
        raise ValueError(f"{CONFIG} of the adapter is missing or is no JSON object") from error
    if not isinstance(base, str) or not base:
        raise ValueError(f"{CONFIG} names no base model; write BASE+ADAPTER")
    return base


def merge_adapter(net: Any, folder: Path) -> Any:
    """The network with an adapter merged into its weights.

    Raises:
        ValueError: peft is not installed, the adapter is a pickle or of a kind that cannot be merged, or its weights
            are not those that its config asks for: peft itself only warns, and the base model would answer.
    """
    if not (folder / WEIGHTS).is_file():
        raise ValueError(f"its adapter is missing: {folder.name}/{WEIGHTS}")
    base_of(folder)
    if find_spec("peft") is None:
        raise ValueError("its adapter needs a package; run: pip install peft")
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict

    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    try:
        adapted = PeftModel.from_pretrained(net, str(folder), config=config, local_files_only=True)
    except RuntimeError as error:  # shapes that do not fit
        raise ValueError(f"its adapter does not fit the base model: {error}") from error
    wanted = set(get_peft_model_state_dict(adapted))
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        there = set(file.keys())
    for names, fault in ((wanted - there, "lacks"), (there - wanted, "has, for parts that the base model has not,")):
        if names:
            raise ValueError(f"its adapter {fault} {len(names)} weights, e.g. {min(names)}")
    if not hasattr(adapted.base_model, "merge_and_unload"):
        raise ValueError(f"its adapter is of the kind {config.peft_type.value}, which cannot be merged into weights")
    return adapted.merge_and_unload()
