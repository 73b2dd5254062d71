"""The settings of the rules: which there are, whether a value will do, and which models they name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from audiocontrib.errors import UsageError
from audiocontrib.splits.base import RULES

WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def settings_of(rule: str) -> dict[str, Any]:
    """The settings of a rule and their defaults."""
    parameters = list(inspect.signature(RULES.find(rule).decide).parameters.values())[1:]
    return {p.name: None if p.default is p.empty else p.default for p in parameters}


def check_settings(rule: str, settings: Mapping[str, Any]) -> None:
    """UsageError if the rule has no such setting, or a value is not of its type: settings come from people."""
    known = settings_of(rule)
    if unknown := settings.keys() - known.keys():
        there = f"its settings are: {', '.join(known)}" if known else "it has none"
        raise UsageError(f"rule {rule} has no setting {min(unknown)!r}; {there}")
    hints = get_type_hints(RULES.find(rule).decide)
    for name, value in settings.items():
        if not fits(value, hints.get(name, object)):
            raise UsageError(f"rule {rule}: {name} is {value!r}, but must be {in_words(hints[name])}")


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type: a class, a sequence or a union; another kind of hint is not checked."""
    if isinstance(hint, UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Sequence:
        return isinstance(value, list | tuple) and all(fits(one, get_args(hint)[0]) for one in value)
    if isinstance(value, bool) and hint in (int, float):  # Python counts truth values among the whole numbers
        return False
    if hint is float:
        return isinstance(value, int | float)
    return isinstance(value, hint) if isinstance(hint, type) else True


def in_words(hint: Any) -> str:
    """A type as a person would say it."""
    if isinstance(hint, UnionType):
        return " or ".join(in_words(one) for one in get_args(hint) if one is not type(None))
    if get_origin(hint) is Sequence:
        return "a list of these"
    return WORDS.get(hint, str(hint))


def listed(value: str | Sequence[str] | None) -> list[str]:
    """One name, or several, or none, as a list."""
    return [value] if isinstance(value, str) else list(value or ())


def judges(settings: Mapping[str, Any]) -> list[str]:
    """The models that a rule's own settings name, beside those whose votes count.

    Args:
        settings: ``rule`` and its settings, as in ``settings.json``.
    """
    return [name for key in RULES.find(settings["rule"]).judges for name in listed(settings.get(key))]
