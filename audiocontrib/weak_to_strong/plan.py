"""Plan: what is trained on what, and what it is measured on; read from YAML and checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from audiocontrib.conditions import condition, is_null
from audiocontrib.config import Name, Share, accepted_by, config, read_config
from audiocontrib.prompts import DEFAULT_PROMPT, find_prompt


def _source(name: str) -> str:
    """A data set's name; a file, folder or hub id is looked for when it is read."""
    if not (Path(name).exists() or "/" in name or "." in name):
        from audiocontrib.sources import SOURCES

        SOURCES.find(name)
    return name


def _model(name: str) -> str:
    """A model's name; a folder or hub id is looked for when it is loaded."""
    from audiocontrib.models import MODELS
    from audiocontrib.models.endpoint.address import Address
    from audiocontrib.models.mock import mock_model
    from audiocontrib.models.own import refuse_own

    refuse_own([name], "it")
    known, colon, rest = name.partition(":")
    if known == "mock":
        mock_model(rest)
    elif known == "endpoint" and colon:
        Address.parse(rest)
    elif known not in MODELS and "/" not in name and not Path(name).exists():
        MODELS.find(name)
    return name


def _orders(name: str) -> str:
    from audiocontrib.scoring.plan import ORDERS

    ORDERS.find(name)
    return name


def _rule(name: str) -> str:
    from audiocontrib.splits import RULES

    RULES.find(name)
    return name


def _condition(spec: str) -> str:
    return condition(spec).spec


def _prompt(name: str) -> str:
    return find_prompt(name).name


_Rule = Annotated[str, Field(description="a split rule"), accepted_by(_rule)]
_Condition = Annotated[str, Field(description="a condition, such as silence"), accepted_by(_condition)]


@config
class DataConfig:
    """A data set, as :func:`audiocontrib.load_items` takes it."""

    dataset: Annotated[Name, accepted_by(_source)]
    """Name, file, folder or hub id."""
    data: Name | None = None
    """File or folder to read, in place of the hub."""
    audio_root: Name | None = None
    """Where the clips are."""
    revision: Name | None = None
    """Of the data set."""
    split: Name | None = None
    """Only this split."""
    limit: PositiveInt | None = None
    """Only so many items."""
    seed: NonNegativeInt = 0
    """For sets that are made on the spot."""
    mapping: Mapping[Name, Name | tuple[Name, ...]] | None = None
    """Field of an item -> column, or several, of a set of your own."""
    answer_as: Literal["text", "letter", "index", "number"] = "text"
    """How such a set names the right option."""


@config
class WeakToStrongPlan:
    """What is trained on what, and what it is measured on; read from YAML."""

    about: Name
    """What this is, in a line."""
    training: Name
    """The recipe of the training (recipes/training/…), relative to this file."""
    data: DataConfig
    """What is split and trained on."""
    held_out: DataConfig
    """What base and trained model are compared on; may share no recording with ``data``, whatever its
    files are called."""
    raters: Annotated[tuple[Annotated[Name, accepted_by(_model)], ...], Field(min_length=1)]
    """Models whose answers make the split."""
    rule: _Rule = "votes"
    """Of the split."""
    threshold: Share | None = None
    """Of the split; null: the rule's own."""
    condition: _Condition = "silence"
    """Without the audio: what the split rests on."""
    conditions: tuple[_Condition, ...] = ("audio", "silence", "text")
    """All that is asked."""
    method: Literal["likelihood", "generate"] = "likelihood"
    """How all is asked."""
    orders: Annotated[Name, accepted_by(_orders)] = "cyclic"
    """Of the options."""
    prompt: Annotated[Name, accepted_by(_prompt)] = DEFAULT_PROMPT
    """With which all is asked and trained."""
    seeds: Annotated[int, Field(ge=1, le=100)] = 1
    """The training is done with so many seeds, the recipe's own and those that follow it."""
    trainer: Literal["ours", "ms-swift"] = "ours"
    """Who trains; ``ms-swift``: rows are written for it, and the same command goes on with its checkpoint."""

    def __post_init__(self) -> None:
        if missing := [name for name in ("audio", self.condition) if name not in self.conditions]:
            raise ValueError(f"conditions has no {missing[0]!r}, which the split and the comparison rest on")
        if not is_null(self.condition):
            raise ValueError(f"condition is {self.condition}, which does not hide the item's own clip; take silence")
        if len(set(self.raters)) < len(self.raters):
            raise ValueError("raters names a model twice")


def read_plan(path: str | Path) -> tuple[WeakToStrongPlan, Path]:
    """The plan in a YAML file, and where its training recipe is. UsageError in one line if it is none."""
    plan = read_config(WeakToStrongPlan, path, "plan")
    return plan, Path(path).parent / plan.training
