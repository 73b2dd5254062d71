"""Types of fields: numbers as people write them, and what many fields may hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from audiocontrib.errors import UsageError

T = TypeVar("T")

Name = Annotated[str, Field(pattern=r"\S", description="a text that is not blank")]
"""A text that says something."""
Share = Annotated[float, Field(ge=0, le=1)]
"""A number between 0 and 1."""

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
LARGEST = 2**63
"""Whole numbers reach other libraries in 64 bits."""
TOO_LARGE = "too_large"
"""Kind of error: a whole number of more bits."""


def accepted_by(check: Callable[[Any], Any]) -> AfterValidator:
    """For Annotated: the field holds what ``check`` makes of the value; its UsageError is the reason against it."""

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except UsageError as error:
            raise ValueError(str(error)) from None

    return AfterValidator(checked)


one_or_several = BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
"""For an Annotated tuple: one text stands for a list of it."""


def as_written(hint: Any) -> Any:
    """A type whose numbers and truth values are read as people write them, and never one for the other."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Annotated[(as_written(inner[0]), *inner[1:])]
    if origin in (Union, UnionType):
        return Union[tuple(map(as_written, inner))]  # noqa: UP007
    if isinstance(origin, type):
        return origin[tuple(one if one is Ellipsis else as_written(one) for one in inner)]  # type: ignore[index]
    reader = READERS.get(hint) if isinstance(hint, type) else None
    return Annotated[hint, BeforeValidator(reader)] if reader else hint


def _whole(value: Any) -> int:
    number = _plain(value)
    if isinstance(number, str) and number.lstrip("+-")[:2].lower() in ("0x", "0o", "0b"):
        exact: Fraction | int = _made(lambda text: int(text, 0), number)
    else:
        _number(number)  # first: a power of ten may be larger than the memory
        exact = _made(Fraction, number)
    if exact.denominator != 1:
        raise _refused()
    if not -LARGEST <= exact < LARGEST:
        raise PydanticCustomError(TOO_LARGE, "more than 64 bits")
    return int(exact)


def _number(value: Any) -> float:
    number = _plain(value)
    made = _made(float, _made(Fraction, number) if isinstance(number, str) and "/" in number else number)
    if not math.isfinite(made):
        raise _refused()
    return made


def _truth(value: Any) -> bool:
    value = value.item() if hasattr(value, "item") else value  # numpy's
    if isinstance(value, str):
        value = TRUTHS.get(value.strip().lower())
    if not isinstance(value, bool):
        raise _refused()
    return value


def _plain(value: Any) -> Any:
    """Without blanks around it; no number where it is a truth value, which Python counts among the whole numbers."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        raise _refused()
    return value.strip() if isinstance(value, str) else value


def _made(read: Callable[[Any], T], value: Any) -> T:
    try:
        return read(value)
    except (ValueError, TypeError, ArithmeticError):
        raise _refused() from None


def _refused() -> PydanticCustomError:
    return PydanticCustomError("not_of_its_type", "the field's type says what is allowed")


READERS: dict[Any, Callable[[Any], Any]] = {int: _whole, float: _number, bool: _truth}
