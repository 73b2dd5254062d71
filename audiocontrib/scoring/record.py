"""What is written down of how a run was asked: the step that made it, and its run.json."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from audiocontrib.items import Items
from audiocontrib.models import Model
from audiocontrib.plugins import loaded_plugins
from audiocontrib.prompts import PROMPTS, PromptFormat, prompt_record
from audiocontrib.provenance import DataSource, ScoreStep, to_json
from audiocontrib.scoring.plan import RequestConfig

USUAL_TOKENS = Model.max_new_tokens
"""Tokens that a reply may have where neither the user nor the model says so."""
Chosen = Sequence[tuple[Model | str, str | None]]
"""Models, or what is loaded as one; each with the name under which its answers are stored, None: its own."""


def _prompt_word(prompt: str | Path | PromptFormat) -> str:
    """A prompt as one would type it: a name or a file; a template of Python is written as a file of its name."""
    if isinstance(prompt, str | Path):
        return str(prompt)
    return prompt.name if prompt.name in PROMPTS else f"{prompt.name}.yaml"


def score_step(
    items: Items, chosen: Chosen, asking: RequestConfig, prompt: str | Path | PromptFormat, options: Mapping[str, Any]
) -> ScoreStep:
    """What is asked for, by names."""
    return ScoreStep(
        data=DataSource.of(items.origin),
        models=tuple(entry if isinstance(entry, str) else name or entry.name for entry, name in chosen),
        names=tuple(name for _, name in chosen if name),
        made_in_python=tuple(name or entry.name for entry, name in chosen if isinstance(entry, Model)),
        conditions=tuple(c.spec for c in asking.conditions),
        method=asking.method,
        orders=asking.orders,
        prompt=_prompt_word(prompt),
        repeats=asking.sampling.repeats,
        sampling=asking.sampling.identity,
        max_new_tokens=asking.sampling.max_new_tokens,
        think_tokens=asking.sampling.think_tokens,
        run="",
        plugins=tuple(loaded_plugins()),
        model_options={
            key: value if isinstance(value, bool | int | float | str) else str(value)
            for key, value in options.items()
            if value
        },
    )


def run_manifest(items: Items, asking: RequestConfig, model: Model, step: ScoreStep) -> dict[str, Any]:
    """What run.json says of a model's part in a run: ``identity`` fixes the answers, the rest informs."""
    return {
        "identity": {
            "dataset": {k: items.origin[k] for k in ("name", "revision", "mapping", "seed") if k in items.origin},
            "models": {model.name: model.identity() | _own_length(asking, model)},
            "conditions": [c.spec for c in asking.conditions],
            "method": asking.method,
            "orders": asking.orders,
            "max_new_tokens": None if asking.method == "likelihood" else asking.sampling.max_new_tokens or USUAL_TOKENS,
            "prompt": prompt_record(asking.prompt),
            **({"sampling": drawn} if (drawn := asking.sampling.identity) else {}),
        },
        "origin": items.origin,
        "versions": dict(_versions()),
        "step": to_json(step),
    }


@cache
def _versions() -> dict[str, str]:
    """Of Python and what answers hang on; reading a package's metadata takes as long as asking a small question."""
    packages = ("audiocontrib", "torch", "transformers", "numpy", "soundfile", "librosa")
    return {p: version(p) for p in packages} | {"python": platform.python_version()}


def _own_length(asking: RequestConfig, model: Model) -> dict[str, int]:
    """How long replies may be where the model itself says so, and says otherwise than most."""
    own = asking.method != "likelihood" and asking.sampling.max_new_tokens is None
    return {"max_new_tokens": model.max_new_tokens} if own and model.max_new_tokens != USUAL_TOKENS else {}
