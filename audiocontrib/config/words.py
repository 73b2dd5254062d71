"""Words: what a field may hold, what was given, and which name is near."""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from audiocontrib.config.fields import one_or_several

TYPES = {Any: "any", bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "null"}
PLAIN = re.compile(r"[-+]?\d[\d_]{,20}(\.\d{,20})?([eE][-+]?\d{,9})?|[-+]?\.?(inf|nan)|true|false")
"""Texts that files write without quotes."""
LONGEST = 60
"""Characters of a value that are repeated."""
MOST_NAMES = 16
"""Of those that there are."""


def allowed(hint: Any) -> str:
    """What a field of this type may hold."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _annotated(inner[0], inner[1:])
    if origin in (Union, UnionType, Literal):
        return _or(_choices(hint))
    if origin is tuple and not inner:
        return "an empty list"
    if origin is tuple and inner[-1] is not Ellipsis:
        return f"a list of {len(inner)} (each {_or([allowed(one) for one in inner])})"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"names and values (each {allowed(inner[1])})"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"a list (each {allowed(inner[0])})"
    if is_dataclass(hint):
        return f"fields and values (such as {fields(hint)[0].name}: …)"
    return TYPES.get(hint, getattr(hint, "__name__", str(hint)))


def given_words(value: Any) -> str:
    """A value as people write it, cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    short = reprlib.Repr()
    short.maxstring = short.maxother = short.maxlong = LONGEST
    return " ".join(short.repr(value).split())


def near(name: str, names: Sequence[str]) -> str:
    """The name that is meant, or those that there are."""
    if found := difflib.get_close_matches(name, names, n=1):
        return f"did you mean {found[0]!r}?"
    more = f", … ({len(names)} in all)" if len(names) > MOST_NAMES else ""
    return f"there are: {', '.join(names[:MOST_NAMES])}{more}" if names else "it has none"


def near_words(value: Any, hint: Any) -> str:
    """The word that is meant, among those that the type names; empty if none is near."""
    found = difflib.get_close_matches(value, list(_literals(hint)), n=1) if isinstance(value, str) else []
    return f"; did you mean {found[0]!r}?" if found else ""


def _annotated(base: Any, notes: Iterable[Any]) -> str:
    notes = [one for note in notes for one in (note, *(note.metadata if isinstance(note, FieldInfo) else ()))]
    for note in notes:
        if isinstance(note, FieldInfo) and note.description:
            return note.description
    said = f"{allowed(get_args(base)[0])}, or a list of these" if one_or_several in notes else allowed(base)
    bounds = {
        name: getattr(note, name)
        for note in notes
        if isinstance(note, annotated_types.BaseMetadata)
        for name in ("gt", "ge", "lt", "le")
        if hasattr(note, name)
    }
    if {"ge", "le"} <= bounds.keys():
        return f"{said} between {bounds['ge']} and {bounds['le']}"
    words = {"gt": "above", "ge": "of at least", "lt": "below", "le": "up to"}
    return said + " and".join(f" {words[name]} {bounds[name]}" for name in words if name in bounds)


def _literals(hint: Any) -> Iterator[str]:
    """The words in a type, however deep."""
    if get_origin(hint) is Literal:
        yield from (one for one in get_args(hint) if isinstance(one, str))
    else:
        for inner in get_args(hint):
            yield from _literals(inner)


def _choices(hint: Any) -> Iterator[str]:
    """What a type allows, one by one."""
    if get_origin(hint) is Literal:
        yield from map(repr, get_args(hint))
    elif get_origin(hint) in (Union, UnionType):
        for inner in get_args(hint):
            yield from _choices(inner)
    else:
        yield allowed(hint)


def _or(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}" if most else last
