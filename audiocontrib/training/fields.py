"""Dataclasses from what YAML holds, each field held against its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from audiocontrib.errors import UsageError

S = TypeVar("S")
WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "null"}


def build(cls: type[S], held: Any, where: str) -> S:
    """A dataclass from YAML values, each held against its type. UsageError that says which field, and why not."""
    if not isinstance(held, dict):
        raise UsageError(f"{where}: it must hold fields and values, such as {fields(cls)[0].name}: …")  # type: ignore[arg-type]
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    if unknown := [key for key in held if key not in known]:
        raise UsageError(f"{where}: there is no field {unknown[0]!r}; there are: {', '.join(known)}")
    if missing := [name for name, field in known.items() if field.default is MISSING and name not in held]:
        raise UsageError(f"{where}: the field {missing[0]!r} is missing")
    values: dict[str, Any] = {}
    for name, value in held.items():
        inner: Any = next((kind for kind in (hints[name], *get_args(hints[name])) if is_dataclass(kind)), None)
        if inner is not None and value is not None:
            values[name] = build(inner, value, f"{where}: {name}")
        elif not _fits(value, hints[name]):
            raise UsageError(f"{where}: {name} is {value!r}, but must be {_in_words(hints[name])}")
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    try:
        return cls(**values)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def _fits(value: object, hint: Any) -> bool:
    if isinstance(hint, UnionType) or (get_origin(hint) is not None and NoneType in get_args(hint)):
        return any(_fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        kinds = get_args(hint)
        if kinds[-1] is Ellipsis:  # as many as one likes
            return isinstance(value, list | tuple) and all(_fits(one, kinds[0]) for one in value)
        return isinstance(value, list | tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    if isinstance(value, bool):  # Python counts truth values among the whole numbers
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if get_origin(hint) is tuple and get_args(hint)[-1] is Ellipsis:
        return "a list"
    if get_origin(hint) is tuple:
        return f"a list of {len(get_args(hint))} numbers"
    return " or ".join(map(_in_words, get_args(hint))) or WORDS[hint]


def stated(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a dataclass's fields without those that would be taken anyway."""
    usual = {one.name: one.default for one in fields(cls)}
    return {name: value for name, value in values.items() if usual[name] is MISSING or usual[name] != value}
