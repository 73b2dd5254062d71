"""Which of several replies to a question counts: an option of every command that measures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


class RepeatType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # newer click: generic
    """``first``, ``majority`` or a number."""

    name = "first|majority|N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """The value as :class:`audiocontrib.Scope` takes it."""
        if isinstance(value, int) or value in ("first", "majority"):
            return value
        if not str(value).isdecimal():
            self.fail(f"{value!r} is neither first nor majority, nor the number of a repeat", param, ctx)
        return int(value)


def counted_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --repeat; it gets ``counted``, fields of a scope, without those not given."""

    @functools.wraps(command)
    def with_counted(repeat: str | int | None, **options: Any) -> Any:
        return command(counted={} if repeat is None else {"repeat": repeat}, **options)

    return click.option(
        "--repeat", type=RepeatType(), help="Which of several replies to a question counts.  [default: the first]"
    )(with_counted)
