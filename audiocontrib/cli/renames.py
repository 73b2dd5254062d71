"""Old names of options and of environment variables: each goes on for two releases, with one line."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from audiocontrib.deprecation import renamed
from audiocontrib.errors import UsageError

GONE = "0.4"
"""The release in which the old names stop working."""


class RenamedOption(click.Option):
    """An option that also goes by its old name, which no help text shows. Both at once are refused.

    Args:
        old: the old name.
        translate: where one old option has become several: its value -> this option's; None: another is meant.

    Example:
        >>> click.option("--dry-run", cls=RenamedOption, old="--plan", is_flag=True)
    """

    def __init__(self, *names: Any, old: str, translate: Callable[[str], Any] | None = None, **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.old, self.translate = old, translate

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Under both names; what is given by the old one is kept under that name."""
        super().add_to_parser(parser, ctx)
        before = copy.copy(self)
        before.name, before.opts = self.old, [self.old]
        if self.translate is not None:
            before.is_flag = before.multiple = False
        click.Option.add_to_parser(before, parser, ctx)

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> Any:
        """The value that was given by either name."""
        given, value = opts.get(self.old), self._translated(opts.get(self.old))
        if self.old in opts and value is not None:
            if self.name in opts:
                raise UsageError(f"{self.opts[0]} and {self.old}, its old name, are both given; leave {self.old} out")
            behind = ("", "") if self.translate is None else (f" {given}", "" if self.is_flag else f" {value}")
            renamed(self.old + behind[0], self.opts[0] + behind[1], gone=GONE)
            opts = {**opts, str(self.name): value}
        return super().consume_value(ctx, opts)

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """From the variable of the new name, else of the old one."""
        found = super().resolve_envvar_value(ctx)
        if found is None:
            found = self._translated(os.environ.get(f"{ctx.auto_envvar_prefix}_{_variable(self.old)}") or None)
        return found if found is None else str(found)

    def _translated(self, value: Any) -> Any:
        return value if value is None or self.translate is None else self.translate(value)


def name_variables(command: click.Command, prefix: str) -> None:
    """Let every option read the environment variable that is called as it is: ``--dry-run``, ``…_DRY_RUN``."""
    for option, own in _options(command, prefix):
        option.envvar = f"{own}_{_variable(option.opts[0])}"


def check_old_variables(command: click.Command, prefix: str) -> None:
    """Say which environment variables have an old name. UsageError: the new one is set too."""
    for option, own in _options(command, prefix):
        new = str(option.envvar)
        names = {str(option.name).upper()} | ({_variable(option.old)} if isinstance(option, RenamedOption) else set())
        for old in sorted(one for one in {f"{own}_{name}" for name in names} - {new} if os.environ.get(one)):
            if os.environ.get(new):
                raise UsageError(f"{new} and {old}, its old name, are both set; unset {old}")
            renamed(old, new, gone=GONE)


def _options(command: click.Command, prefix: str) -> Iterator[tuple[click.Option, str]]:
    """The options of a command and of those within it, each with what its variable begins with."""
    yield from ((one, prefix) for one in command.params if isinstance(one, click.Option))
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _options(inner, f"{prefix}_{_variable(name)}")


def _variable(name: str) -> str:
    return name.lstrip("-").replace("-", "_").upper()
