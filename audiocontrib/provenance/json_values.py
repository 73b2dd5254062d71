"""Frozen values as JSON and back; what does not fit is one line that names the field."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from audiocontrib.errors import AudiocontribError

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """A frozen value (or a tuple of them) as JSON values."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def from_json(kind: Any, held: Any, file: str | Path, field: str = "") -> Any:
    """A value of the type ``kind`` from JSON values.

    Args:
        file: where they were read, and ``field`` the place in it.

    Raises:
        AudiocontribError: it does not fit; in one line: file, field, what is there, and what belongs there.
    """
    try:
        return _adapter(kind).validate_python(held)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(name) for name in (field, *first["loc"]) if name != "")
        given = "" if first["type"] == "missing" else f" (it holds {shorten(repr(first['input']), 60)})"
        raise AudiocontribError(f"{file}: {path}{': ' if path else ''}{first['msg']}{given}") from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
