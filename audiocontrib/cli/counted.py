"""Which of several replies to a question counts: options of every command that measures."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

METHODS = ("likelihood", "generate", "think-likelihood")
"""Those of :mod:`audiocontrib.responses`, whose import is too slow for a help text."""


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


class BoundType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number, or ``free``."""

    name = "N|free"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str | int:
        """The value as :class:`audiocontrib.Scope` takes it."""
        if isinstance(value, int) or value == "free":
            return value
        if not str(value).isdecimal():
            self.fail(f"{value!r} is neither a number of tokens nor free", param, ctx)
        return int(value)


def counted_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --repeat and --think-tokens; it gets ``counted``, fields of a scope, without those not given."""

    @functools.wraps(command)
    def with_counted(repeat: str | int | None, think_tokens: str | int | None, **options: Any) -> Any:
        given = {"repeat": repeat, "think_tokens": think_tokens}
        return command(counted={name: value for name, value in given.items() if value is not None}, **options)

    for option in (
        click.option(
            "--think-tokens", type=BoundType(),
            help="Which bound of thoughts counts, where there are several.  [default: the largest]",
        ),
        click.option(
            "--repeat", type=RepeatType(), help="Which of several replies to a question counts.  [default: the first]"
        ),
    ):  # fmt: skip
        with_counted = option(with_counted)
    return with_counted
