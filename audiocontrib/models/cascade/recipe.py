"""Recipe: which parts a cascade is made of and how they work together, as YAML."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from audiocontrib.errors import UsageError
from audiocontrib.models.cascade.parts import Part

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecogniserConfig(Part):
    """A Whisper checkpoint of transformers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerConfig(Part):
    """What names sounds: an audio-classification checkpoint of transformers, or YAMNet as ONNX."""

    kind: str = "transformers"
    """``transformers`` or ``yamnet``."""
    window: float = 0.96
    """Seconds that are heard at once (YAMNet: always 0.96)."""
    hop: float = 0.48
    """Seconds from one window to the next (YAMNet: always 0.48)."""
    top: int = 5
    """At most so many sounds are named."""
    least: float = 0.1
    """… with at least this probability."""
    ignore: tuple[str, ...] = ()
    """Labels that are never named: they tell nothing, or stand beside a more exact one."""
    input: tuple[float, ...] = ()
    """Scale and zero point of a quantised ONNX model's input; empty: floats."""
    output: tuple[float, ...] = ()
    """The same of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When the recogniser is asked at all. Left alone, it makes words up where nobody speaks."""

    quiet: float = -50.0
    """Sounds whose peak is below this (dBFS) hold nothing: no part is asked."""
    voices: tuple[str, ...] = ()
    """Classes of the tagger that mean a voice; empty: the recogniser decides by itself."""
    least: float = 0.2
    """… and the probability that one of them must reach somewhere in the sound."""
    doubt: float = 0.6
    """Words are dropped where the recogniser's own probability that nobody speaks is above this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShotExample:
    """A question with its answer, that the reader sees before each question."""

    evidence: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderConfig(Part):
    """A causal language model, and how it is asked by likelihood."""

    phrasing: str = "chat"
    """``chat``: the run's own prompt by the chat template, the evidence before it; ``plain``: examples, evidence
    and question as plain text, the options not listed, so that their order cannot matter."""
    score: str = "sum"
    """``sum`` of an option's log-probabilities, or ``token``: their mean."""
    examples: tuple[FewShotExample, ...] = ()
    """For ``plain``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeRecipe:
    """A whole cascade."""

    name: str
    reader: ReaderConfig
    recogniser: RecogniserConfig | None = None
    tagger: TaggerConfig | None = None
    gate: Gate = Gate()
    max_seconds: float = 300.0
    """What is beyond is not heard."""


CHOICES = {"kind": ("transformers", "yamnet"), "phrasing": ("plain", "chat"), "score": ("sum", "token")}


def read_cascade_recipe(path: Path) -> CascadeRecipe:
    """The recipe in a YAML file.

    Raises:
        UsageError: the file cannot be read, or holds something else than a recipe.
    """
    import yaml

    try:
        held = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: the recipe cannot be read: {' '.join(str(error).split())}") from error
    try:
        recipe = _build(CascadeRecipe, held, "recipe")
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from error
    if recipe.recogniser is None and recipe.tagger is None:
        raise UsageError(f"{path}: a cascade must hear: name a recogniser, a tagger or both")
    return recipe


def _build(kind: type[T], held: Any, where: str) -> T:
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(held, Mapping):
        raise ValueError(f"{where} is not a list of names and values")
    if unknown := [name for name in held if name not in known]:
        raise ValueError(f"{where} has no field {unknown[0]!r}; there are: {', '.join(known)}")
    needed = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    if missing := [name for name in needed if name not in held]:
        raise ValueError(f"{where} lacks the field {missing[0]!r}")
    hints = typing.get_type_hints(kind)
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in held.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    """``value`` as ``hint`` has it; ValueError if it cannot be."""
    if isinstance(hint, types.UnionType):
        [kind] = [one for one in typing.get_args(hint) if one is not types.NoneType]
        return None if value is None else _value(kind, value, where)
    if is_dataclass(hint):
        return _build(hint, value, where)  # type: ignore[arg-type]
    if typing.get_origin(hint) is tuple and isinstance(value, list):
        return tuple(_value(typing.get_args(hint)[0], one, f"{where}[{i}]") for i, one in enumerate(value))
    if typing.get_origin(hint) is Mapping and isinstance(value, dict):
        return {str(k): str(v) for k, v in value.items()}
    choices = CHOICES.get(where.rsplit(".", 1)[-1])
    if choices and value not in choices:
        raise ValueError(f"{where} is {value!r}, but must be one of: {', '.join(choices)}")
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise ValueError(f"{where} is {value!r}, which is not {getattr(hint, '__name__', hint)}")
