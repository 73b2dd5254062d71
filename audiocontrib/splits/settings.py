"""The settings of the rules: a rule's own arguments, held against their types; and which models they name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, get_type_hints

from pydantic import Field

from audiocontrib.conditions import condition
from audiocontrib.config import accepted_by, build, config
from audiocontrib.errors import UsageError
from audiocontrib.splits.base import RULES


def _rule(name: str) -> str:
    RULES.find(name)
    return name


RuleName = Annotated[str, Field(description="a split rule"), accepted_by(_rule)]
"""A name in RULES."""
ConditionName = Annotated[
    str, Field(description="a condition, such as silence"), accepted_by(lambda c: condition(c).spec)
]
"""A condition, as it is written in a run."""


def settings_of(rule: str) -> dict[str, Any]:
    """The settings of a rule and their defaults."""
    return {field.name: field.default for field in fields(settings_class(rule))}


def check_settings(rule: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the rule takes them: ``"10"`` is a number where it wants one.

    Raises:
        UsageError: no such rule or setting, or a value that it cannot have.
    """
    made = build(settings_class(rule), settings, f"rule {rule}")
    return {name: getattr(made, name) for name in settings}


def listed(value: str | Sequence[str] | None) -> list[str]:
    """One name, or several, or none, as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def judges(settings: Mapping[str, Any]) -> list[str]:
    """The models that a rule's own settings name, beside those whose votes count.

    Args:
        settings: ``rule`` and its settings, as in ``settings.json``.
    """
    return [name for key in RULES.find(settings["rule"]).judges for name in listed(settings.get(key))]


def settings_class(rule: str) -> type[Any]:
    """The arguments of a rule's function after the first, as a configuration."""
    return _arguments(rule, RULES.find(rule).decide)


@cache
def _arguments(name: str, decide: Callable[..., Any]) -> type[Any]:
    try:
        hints = get_type_hints(decide, include_extras=True)
    except NameError as error:
        raise UsageError(f"rule {name}: the types of its settings cannot be read: {error}") from None
    own = [p for p in list(inspect.signature(decide).parameters.values())[1:] if p.kind not in OPEN]
    kinds = {p.name: hints.get(p.name, Any if p.default in (None, p.empty) else type(p.default)) for p in own}
    usual = {p.name: p.default for p in own if p.default is not p.empty}
    return config(type(f"{name} settings", (), {"__annotations__": kinds, "__module__": decide.__module__, **usual}))


OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
