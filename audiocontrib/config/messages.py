"""What is wrong with a configuration, in one line: where, which field, what was given, what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from audiocontrib.config.fields import TOO_LARGE
from audiocontrib.config.words import allowed, given_words, near, near_words

UNKNOWN = ("unexpected_keyword_argument", "dataclass_invalid_key", "invalid_key")
FIRST = (*UNKNOWN, "missing")
"""Kinds of error that are told before others: a misspelt field is unknown and missing at once."""


class Place(NamedTuple):
    """A field somewhere in a configuration."""

    name: str
    """Dotted."""
    hint: Any
    """Its type."""
    given: Any
    """Its value; None where there is none."""


def error_line(cls: type, values: Any, error: ValidationError, where: str, *, secret: bool = False) -> str:
    """The first of the errors, in words.

    Args:
        cls: the configuration.
        values: what was given for it.
        where: the file, or what else the values come from.
        secret: do not repeat what was given.
    """
    found = error.errors(include_url=False)
    first = min(found, key=lambda one: FIRST.index(one["type"]) if one["type"] in FIRST else len(FIRST))
    loc = first["loc"]
    if first["type"] in UNKNOWN:
        inside = _place(cls, values, loc[:-1])
        name = f"{inside.name}.{loc[-1]}" if inside.name else str(loc[-1])
        names = [field.name for field in fields(_dataclass(inside.hint))]
        if why := refused(_dataclass(inside.hint), str(loc[-1])):
            return f"{where}: {name}: {why}"
        return f"{where}: there is no field {name!r}; {near(str(loc[-1]), names)}"
    place = _place(cls, values, loc)
    start = f"{where}: {place.name}" if place.name else where
    if first["type"] == "missing" and isinstance(loc[-1], str):
        return f"{where}: the field {place.name!r} is missing; it must be {allowed(place.hint)}"
    if first["type"] == "value_error":
        return f"{start}: {first['ctx']['error']}"
    if secret:
        return f"{start} must be {allowed(place.hint)}"
    if first["type"] == TOO_LARGE:
        return f"{start} is {given_words(place.given)}, but must be below 2**63 in size"
    given = f"{start} is" if place.name else f"{where}: it is"
    return f"{given} {given_words(place.given)}, but must be {allowed(place.hint)}{near_words(place.given, place.hint)}"


def refused(cls: type, name: str) -> str | None:
    """Why a configuration has no such field, where it says so in ``REFUSED``: by the name, or by how it begins."""
    said: Mapping[str, str] = getattr(cls, "REFUSED", {})
    return said.get(name) or said.get(name.partition("_")[0])


def _place(cls: Any, values: Any, loc: Sequence[int | str]) -> Place:
    """The field at a location of pydantic's, as far as it is one: of a union it goes on with the branch's name."""
    place = Place("", cls, values)
    for step in loc:
        hint = _inner(place.hint, step)
        if hint is None or (isinstance(step, int) and step >= len(_listed(place.given))):
            break
        name = f"{place.name}[{step}]" if isinstance(step, int) else f"{place.name}.{step}".lstrip(".")
        place = Place(name, hint, _value(place.given, step))
    return place


def _inner(hint: Any, step: int | str) -> Any:
    """The type of a part of a value of the type; None if it has no such part."""
    hint = _bare(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return get_type_hints(hint, include_extras=True).get(str(step))
    if origin is tuple and inner and isinstance(step, int):
        return inner[0] if inner[-1] is Ellipsis else inner[min(step, len(inner) - 1)]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return inner[1]
    return inner[0] if isinstance(origin, type) and isinstance(step, int) else None


def _bare(hint: Any) -> Any:
    """A type without its notes, and without null."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        kinds = [one for one in get_args(hint) if one is not NoneType]
        return _bare(kinds[0]) if len(kinds) == 1 else None
    return hint


def _listed(values: Any) -> Sequence[Any]:
    return values if isinstance(values, list | tuple) else ()


def _dataclass(hint: Any) -> type:
    made: type = _bare(hint)
    return made


def _value(values: Any, step: int | str) -> Any:
    if isinstance(values, Mapping):
        return values.get(step)
    if isinstance(step, int):
        return _listed(values)[step]
    return getattr(values, step, None)
