"""Making configurations: the decorator, and values from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from functools import cache, wraps
from inspect import get_annotations
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from audiocontrib.config.fields import as_written
from audiocontrib.config.messages import error_line
from audiocontrib.config.words import allowed, given_words
from audiocontrib.errors import UsageError

C = TypeVar("C")


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def config(cls: type[C]) -> type[C]:
    """Make a class of annotated fields a configuration: a frozen dataclass, each field held against its type.

    ``Annotated[int, Field(ge=1)]`` and the like say what else is asked of a field; ``__post_init__`` may raise
    ValueError for what concerns several. Numbers may be texts, as in files; a truth value is no number, and a
    number with a fraction is not cut. :func:`dataclasses.replace` checks again.

    Example:
        >>> @config
        ... class Draw:
        ...     items: int
        ...     seed: int = 0
        >>> Draw(items="1e3")
        Draw(items=1000, seed=0)
    """
    hints = get_type_hints(cls, include_extras=True)
    cls.__annotations__ = {name: as_written(hints[name]) for name in get_annotations(cls)}
    made: Any = dataclass(frozen=True, slots=True, kw_only=True, config=ConfigDict(extra="forbid"))(cls)
    made.__init__ = _told(made, made.__init__)
    return made


def build(cls: type[C], values: Any, where: str, *, secret: bool = False) -> C:
    """A configuration from values by field.

    Args:
        where: what the values come from, for messages.
        secret: messages do not repeat what was given.

    Raises:
        UsageError: in one line, the first field that is unknown, missing or wrong.
    """
    kind: Any = cls
    if values is None:
        raise UsageError(f"{where}: it is empty, but must be {allowed(cls)}")
    if not isinstance(values, Mapping):
        raise UsageError(f"{where}: it is {given_words(values)}, but must be {allowed(cls)}")
    try:
        return _adapter(kind).validate_python(dict(values))
    except ValidationError as error:
        raise UsageError(error_line(cls, values, error, where, secret=secret)) from None


def changed(made: C, values: Mapping[str, Any], where: str) -> C:
    """A configuration with other values in some fields. UsageError as :func:`build`."""
    held = {one.name: getattr(made, one.name) for one in fields(made)}  # type: ignore[arg-type]
    return build(type(made), held | dict(values), where)


def stated(cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a configuration's fields without those that would be taken anyway."""
    usual = {one.name: one.default for one in fields(cls) if one.default is not MISSING}
    return {name: value for name, value in values.items() if name not in usual or usual[name] != value}


@cache
def _adapter(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _told(cls: type[Any], init: Callable[..., None]) -> Callable[..., None]:
    """The initialiser, its errors in one line."""

    @wraps(init)
    def checked(self: Any, /, *args: Any, **values: Any) -> None:
        if args:
            raise UsageError(f"{cls.__name__}: give its fields by name: {', '.join(one.name for one in fields(cls))}")
        try:
            init(self, **values)
        except ValidationError as error:
            raise UsageError(error_line(cls, values, error, cls.__name__)) from None

    return checked
