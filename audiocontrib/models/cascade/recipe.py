"""Recipe: which parts a cascade is made of and how they work together, as YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import PositiveFloat, PositiveInt

from audiocontrib.config import Name, Share, config, read_config
from audiocontrib.errors import UsageError
from audiocontrib.models.cascade.parts import Part


@config
class RecogniserConfig(Part):
    """A Whisper checkpoint of transformers."""


@config
class TaggerConfig(Part):
    """What names sounds: an audio-classification checkpoint of transformers, or YAMNet as ONNX."""

    kind: Literal["transformers", "yamnet"] = "transformers"
    """``transformers`` or ``yamnet``."""
    window: PositiveFloat = 0.96
    """Seconds that are heard at once (YAMNet: always 0.96)."""
    hop: PositiveFloat = 0.48
    """Seconds from one window to the next (YAMNet: always 0.48)."""
    top: PositiveInt = 5
    """At most so many sounds are named."""
    least: Share = 0.1
    """… with at least this probability."""
    ignore: tuple[str, ...] = ()
    """Labels that are never named: they tell nothing, or stand beside a more exact one."""
    input: tuple[()] | tuple[float, float] = ()
    """Scale and zero point of a quantised ONNX model's input; empty: floats."""
    output: tuple[()] | tuple[float, float] = ()
    """The same of its output."""

    def __post_init__(self) -> None:
        if self.kind == "yamnet" and (self.window, self.hop) != (0.96, 0.48):
            raise ValueError(f"YAMNet hears 0.96 s every 0.48 s; leave out window ({self.window}) and hop ({self.hop})")


@config
class Gate:
    """When the recogniser is asked at all. Left alone, it makes words up where nobody speaks."""

    quiet: float = -50.0
    """Sounds whose peak is below this (dBFS) hold nothing: no part is asked."""
    voices: tuple[str, ...] = ()
    """Classes of the tagger that mean a voice; empty: the recogniser decides by itself."""
    least: Share = 0.2
    """… and the probability that one of them must reach somewhere in the sound."""
    doubt: Share = 0.6
    """Words are dropped where the recogniser's own probability that nobody speaks is above this."""


@config
class FewShotExample:
    """A question with its answer, that the reader sees before each question."""

    evidence: str
    question: Name
    answer: Name


@config
class ReaderConfig(Part):
    """A causal language model, and how it is asked by likelihood."""

    phrasing: Literal["chat", "plain"] = "chat"
    """``chat``: the run's own prompt by the chat template, the evidence before it; ``plain``: examples, evidence
    and question as plain text, the options not listed, so that their order cannot matter."""
    score: Literal["sum", "token"] = "sum"
    """``sum`` of an option's log-probabilities, or ``token``: their mean."""
    examples: tuple[FewShotExample, ...] = ()
    """For ``plain``."""


@config
class CascadeRecipe:
    """A whole cascade."""

    name: Name
    reader: ReaderConfig
    recogniser: RecogniserConfig | None = None
    tagger: TaggerConfig | None = None
    gate: Gate = Gate()
    max_seconds: PositiveFloat = 300.0
    """What is beyond is not heard."""


def read_cascade_recipe(path: Path) -> CascadeRecipe:
    """The recipe in a YAML file. UsageError in one line, with the field, if it is none."""
    recipe = read_config(CascadeRecipe, path)
    if recipe.recogniser is None and recipe.tagger is None:
        raise UsageError(f"{path}: a cascade must hear: name a recogniser, a tagger or both")
    if recipe.gate.voices and recipe.tagger is None:
        raise UsageError(f"{path}: gate.voices are sounds of the tagger, and there is none; leave them out")
    return recipe
