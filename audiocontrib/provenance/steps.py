"""The steps by which runs, splits and models are made."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from audiocontrib.provenance.json_values import from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSource:
    """A data set, as :func:`audiocontrib.load_items` read it."""

    name: str | None = None
    """None: the questions were made in Python."""
    hub: str | None = None
    path: str | None = None
    """File or folder; relative if it lies below the folder in which the step was done."""
    audio_root: str | None = None
    revision: str | None = None
    split: str | None = None
    """Only this split of the data set."""
    seed: int | None = None
    limit: int | None = None
    mapping: Mapping[str, Any] | None = None
    """Field -> column, of a data set of the user's own."""
    answer_as: str | None = None
    """How a data set of the user's own gives the answer; None: it is one that is known by name."""
    encoding: str | None = None
    """What its files are written in; None: as they say themselves."""

    @classmethod
    def of(cls, origin: Mapping[str, Any]) -> Self:
        """From what items say of their origin (:attr:`audiocontrib.items.Items.origin`)."""
        known: dict[str, Any] = {one.name: origin[one.name] for one in fields(cls) if origin.get(one.name) is not None}
        texts = {name: str(value) for name, value in known.items() if name not in ("seed", "limit", "mapping")}
        known |= texts | {name: _from_here(texts[name]) for name in ("path", "audio_root") if name in texts}
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreStep:
    """Models were asked."""

    data: DataSource
    models: tuple[str, ...]
    """As they were named; of those that were made in Python, as they call themselves."""
    names: tuple[str, ...] = ()
    """Under which their answers are stored; none: their own."""
    made_in_python: tuple[str, ...] = ()
    """Those of the models that no command can name."""
    conditions: tuple[str, ...]
    method: str
    orders: str
    prompt: str | None = None
    """Name of the prompt; None: not known."""
    repeats: int = 1
    """How often each question was asked."""
    sampling: Mapping[str, int | float] = field(default_factory=dict)
    """temperature, top_p and seed of the replies; none: they are greedy."""
    max_new_tokens: int | None = None
    """Tokens of a reply; None: the models' own default."""
    think_tokens: tuple[int, ...] = ()
    """Bounds of the thoughts; none: they had none of their own."""
    run: str
    shard: str = "1/1"
    """Part of the recordings, ``i/n``."""
    engine: str = "local"
    devices: tuple[str, ...] = ()
    actors: int = 1
    plugins: tuple[str, ...] = ()
    """Files and names of those that were loaded."""
    model_options: Mapping[str, Any] = field(default_factory=dict)
    """Of :func:`audiocontrib.load_model`."""
    step: Literal["score"] = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStep:
    """Answers of another tool were taken into a run."""

    answers: str | None
    """File or folder; None: not known."""
    data: DataSource
    run: str
    model: str | None = None
    """Of all rows."""
    condition: str | None = None
    """Of all rows."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of the file that are called otherwise."""
    tool: str | None = None
    """Whose log it is; None: of no tool that is known."""
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Condition in the file -> ours."""
    choice_as: str | None = None
    """What the choices were said to be."""
    empty_as: str | None = None
    """What an empty choice is: ``refused`` or ``unparsed``."""
    repeated: bool = False
    step: Literal["import"] = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStep:
    """A run's texts were read without any audio model."""

    run: str
    step: Literal["audit"] = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """What a split was asked for: the arguments of :func:`audiocontrib.split`."""

    rule: str
    threshold: float | None = None
    condition: str | None = None
    method: str | None = None
    models: tuple[str, ...] = ()
    """Whose answers count; none: all of the run."""
    repeat: str | int | None = None
    """Which of several replies to a question counts; None: each has one, or the first."""
    think_tokens: str | int | None = None
    """Which bound of thoughts counts; None: all have one, or the largest."""
    leave_out: tuple[str, ...] = ()
    without_marked: tuple[str, ...] = ()
    """Kinds of marks whose items are left out."""
    corrected_keys: bool = False
    """Whether corrected keys of marks take the place of the gold."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the rule alone, and others that are not as usual."""

    @classmethod
    def of(cls, settings: Mapping[str, Any], file: str | Path, field: str = "") -> Self:
        """From the settings that a split keeps; AudiocontribError that names the file if one is of another type."""
        asked = {key: value for key, value in settings.items() if value is not None}
        own = {one.name for one in fields(cls)}
        more = {key: value for key, value in asked.items() if key not in own and (key, value) != ("audio", "audio")}
        held = {key: value for key, value in asked.items() if key in own} | {"more": more}
        made: Self = from_json(cls, held, file, field)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitStep:
    """A run was split."""

    run: str
    name: str
    settings: SplitSettings
    step: Literal["split"] = "split"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifyStep:
    """The strong part of a split was held against models that had no vote."""

    run: str
    split: str
    model: str | None
    """None: each of the split's own models, left out in turn."""
    condition: str
    step: Literal["certify"] = "certify"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainStep:
    """A model was trained."""

    stage: str
    """``sft`` or ``grpo``."""
    recipe: str
    """File of the recipe."""
    run: str
    split: str | None
    start: str
    """The model from which it started."""
    out: str
    prompt: str | None = None
    """Name or file of another prompt than the run was asked with."""
    devices: int = 1
    rewards: tuple[str, ...] = ()
    """``my.py:function`` of the user's own; their weights are in the recipe."""
    plugins: tuple[str, ...] = ()
    """Those that have its other rewards."""
    step: Literal["train"] = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakToStrongStep:
    """A whole plan was carried out."""

    plan: str
    """File of the plan."""
    plugins: tuple[str, ...] = ()
    """Those that have rewards of its recipe."""
    step: Literal["weak-to-strong"] = "weak-to-strong"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStep:
    """What audiocontrib 0.1 kept of a step: the words of its command, without the program's name."""

    words: tuple[str, ...]
    step: Literal["command"] = "command"


Step = Annotated[
    ScoreStep | ImportStep | AuditStep | SplitStep | CertifyStep | TrainStep | WeakToStrongStep | CommandStep,
    Field(discriminator="step"),
]


def _from_here(path: str) -> str:
    """A path as one would type it: relative, if it lies below the working directory."""
    whole = Path(path)
    return os.path.relpath(whole) if whole.is_absolute() and whole.is_relative_to(Path.cwd()) else str(path)
