"""A split written down as YAML, so that it can be made again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import field, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, ValidationInfo, field_validator

from audiocontrib.conditions import condition
from audiocontrib.config import Name, Share, accepted_by, build, changed, config, one_or_several, read_fields
from audiocontrib.errors import UsageError
from audiocontrib.log import tell
from audiocontrib.splits.base import RULES
from audiocontrib.splits.settings import ConditionName, RuleName, check_settings
from audiocontrib.store.mark_lines import MarkKind

LOG = logging.getLogger("audiocontrib.splits")


def _with_audio(spec: str) -> str:
    kind = condition(spec)
    if not kind.hears_own_clip:
        raise UsageError(f"under {spec!r} the item's own clip is not heard; name a condition with the audio")
    return kind.spec


@config
class SplitRecipe:
    """What a split is made by: the arguments of :func:`audiocontrib.splits.split`."""

    rule: RuleName = "votes"
    """A name in RULES."""
    threshold: Share | None = None
    """A score that reaches it is strong; None: the rule's own."""
    condition: ConditionName = "silence"
    """The condition without the audio whose answers are judged."""
    audio: Annotated[str, Field(description="a condition with the audio"), accepted_by(_with_audio)] = "audio"
    """The condition with the audio; it says which items are unsolved."""
    method: Literal["likelihood", "generate", "think-likelihood"] | None = None
    """Needed only where the run holds answers by both."""
    models: Annotated[tuple[Name, ...], one_or_several, Field(min_length=1)] | None = None
    """Whose answers count, one or several; None: all that were asked under the condition."""
    prompt: Name | None = None
    """The prompt that the run was asked with; None: whatever it was."""
    repeat: Literal["first", "majority"] | NonNegativeInt | None = None
    """Which of several replies to a question counts; None: the first."""
    think_tokens: Literal["free"] | NonNegativeInt | None = None
    """Which bound of thoughts counts, where there are several; None: the largest."""
    leave_out: Annotated[tuple[Literal["unsolved"], ...], one_or_several] = ()
    """Kinds of items that are left out, one or several."""
    without_marked: Annotated[tuple[MarkKind, ...], one_or_several] = ()
    """Kinds of marks: items that are marked so are left out; one or several."""
    corrected_keys: bool = False
    """Whether corrected keys of marks take the place of the gold."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Those of the rule."""

    @field_validator("settings")
    @classmethod
    def _of_the_rule(cls, settings: Mapping[str, Any], known: ValidationInfo) -> Mapping[str, Any]:
        try:
            return check_settings(known.data["rule"], settings) if "rule" in known.data else settings
        except UsageError as error:
            raise ValueError(str(error)) from None

    def __post_init__(self) -> None:
        if self.condition == self.audio:
            raise ValueError(f"condition and audio are both {self.audio!r}: one of them must be without the audio")

    def arguments(self) -> dict[str, Any]:
        """What :func:`audiocontrib.splits.split` is given, the rule's settings among it."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "settings"}
        return {name: value for name, value in own.items() if value is not None} | dict(self.settings)

    def with_values(self, values: Mapping[str, Any], where: str) -> SplitRecipe:
        """The recipe with other values of its fields and of the rule's settings. UsageError in one line."""
        names = {one.name for one in fields(self)} - {"settings"}
        own = {name: value for name, value in values.items() if name in names}
        settings = {name: value for name, value in values.items() if name not in names}
        made = changed(self, own | {"settings": {}}, where)
        try:
            return replace(made, settings=check_settings(made.rule, {**self.settings, **settings}))
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None


def read_split_recipe(path: str | Path) -> SplitRecipe:
    """The recipe in a YAML file. A field without a value is as if it were not there.

    Raises:
        UsageError: the file cannot be read, or a field is unknown or wrong; in one line that names it.
    """
    held = read_fields(path)
    if isinstance(held, Mapping):
        held = {name: value for name, value in held.items() if value is not None}
        held |= _as_before(held, str(path))
    return build(SplitRecipe, held, str(path))


def _as_before(held: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The settings of a recipe that was written before its rule had some of them; said in a line."""
    rule, settings = held.get("rule"), held.get("settings") or {}
    before = RULES.find(rule).before if isinstance(rule, str) and rule in RULES else {}
    lacking = {name: value for name, value in before.items() if name not in settings}
    if not (lacking and isinstance(settings, Mapping)):
        return {}
    said = ", ".join(f"{name} {value}" for name, value in lacking.items())
    tell(LOG, f"{where} does not say its {', '.join(lacking)}: taken as before there was a choice, {said}")
    return {"settings": {**lacking, **settings}}
