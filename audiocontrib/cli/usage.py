"""What is wrong with a command line, in one line: what, where, and what to do. Every command is read by one rule."""

from __future__ import annotations

import copy
import difflib
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from audiocontrib.errors import UsageError, visible

HINT = "{path} --help shows what there is"
NUMBERS = (click.types.IntParamType, click.types.FloatParamType)
LARGEST = 2**63
"""Whole numbers reach other libraries in 64 bits."""
GLOBAL = ("--debug", "--plugin", "--version", "--help", "-h")


class UsageLine(click.ClickException):
    """A usage error that is shown as one line."""

    exit_code = UsageError.exit_code

    def show(self, file: Any = None) -> None:
        """To stderr, as every other error of a command."""
        click.echo(f"error: {self.message}", file=file, err=file is None)


@contextmanager
def usage_in_one_line(ctx: click.Context | None = None) -> Iterator[None]:
    """A block in which click's usage errors become a :class:`UsageLine`."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise  # a command without a word shows its help
    except click.UsageError as error:
        raise UsageLine(visible(" ".join(usage_line(error, error.ctx or ctx).split()))) from error


def usage_line(error: click.UsageError, ctx: click.Context | None) -> str:
    """A usage error in words, with the option or command that is near."""
    path = ctx.command_path if ctx is not None else "audiocontrib"
    if error.ctx is None and ctx is not None and ctx.invoked_subcommand:
        path = f"{path} {ctx.invoked_subcommand}"
    if isinstance(error, click.NoSuchOption):
        word = error.option_name
        if ctx is None or isinstance(ctx.command, click.Group):
            near = _near(word, GLOBAL, cutoff=0.75) or "those of a command stand behind its name"
            return f"{path}: no option is called {word!r} here; {near}"
        return f"{path}: no option is called {word!r}; {_near(word, option_names(ctx)) or HINT.format(path=path)}"
    if isinstance(error, click.exceptions.NoSuchCommand):
        word, names = error.command_name, _commands(ctx)
        return f"{path}: no command is called {word!r}; {_near(word, names) or 'there are: ' + ', '.join(names)}"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        what = "option" if isinstance(error.param, click.Option) else "argument"
        choices = error.param.type.choices if isinstance(error.param.type, click.Choice) else ()
        allowed = f"one of {', '.join(map(str, choices))}" if choices else HINT.format(path=path)
        return f"{path}: the {what} {_name(error.param)} is missing; {allowed}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        said = error.message.rstrip(".")
        return f"{path}: {_name(error.param)}: {said}{_near_choice(error)}"
    said = error.format_message().rstrip(".")
    return f"{path}: {said[:1].lower()}{said[1:]}; {HINT.format(path=path)}"


def option_names(ctx: click.Context | None) -> list[str]:
    """The names of a command's options, without old ones."""
    params = ctx.command.get_params(ctx) if ctx is not None else []
    return [name for one in params for name in one.opts if name.startswith("-")]


def read_strictly(command: click.Command) -> None:
    """Let a command, and those within it, refuse options given twice that are taken once, and numbers that are none."""
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        read_strictly(inner)
    if hasattr(command, "_strict"):  # commands are looked up more than once
        return
    command._strict = True  # type: ignore[attr-defined]
    make_parser = command.make_parser
    command.make_parser = lambda ctx: _checking(make_parser(ctx), ctx)  # type: ignore[method-assign]
    for param in command.params:
        if isinstance(param.type, NUMBERS):
            param.type = _finite(param.type)


def _finite(kind: click.ParamType[Any]) -> click.ParamType[Any]:
    """A type of numbers without those that no work can be done with: NaN passes every range of click's."""
    finite, convert = copy.copy(kind), kind.convert

    def checked(value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        made = convert(value, param, ctx)
        if isinstance(made, float) and not math.isfinite(made):
            kind.fail(f"{value!r} is no finite number", param, ctx)
        if isinstance(made, int) and not -LARGEST <= made < LARGEST:
            kind.fail(f"{str(value)[:20]}… is too large; it must be below 2**63 in size", param, ctx)
        return made

    finite.convert = checked  # type: ignore[method-assign]
    return finite


def _checking(parser: Any, ctx: click.Context) -> Any:
    """The parser, which looks at how often each option was given."""
    parse = parser.parse_args

    def parse_args(args: list[str]) -> Any:
        opts, rest, order = parse(args)
        for one, count in Counter(order).items():
            if isinstance(one, click.Option) and count > 1 and not (one.multiple or one.is_flag or one.count):
                raise click.UsageError(f"{one.opts[0]} is given {count} times, but is taken once", ctx)
        return opts, rest, order

    parser.parse_args = parse_args
    return parser


def _near(word: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """The name that is meant; empty if none is near."""
    names = list(names)
    found = [name for name in names if len(word) > 3 and name.startswith(word)][:1]
    found = found or difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    return f"did you mean {found[0]!r}?" if found else ""


def _near_choice(error: click.BadParameter) -> str:
    """The choice that is meant, where an option has choices; a message of click's own ends with the word's list."""
    kind = error.param.type if error.param is not None else None
    given = error.message.split("'")
    if not isinstance(kind, click.Choice) or len(given) < 3:
        return ""
    near = _near(given[1], map(str, kind.choices))
    return f"; {near}" if near else ""


def _commands(ctx: click.Context | None) -> list[str]:
    held = ctx.command if ctx is not None else None
    return held.list_commands(ctx) if isinstance(held, click.Group) and ctx is not None else []


def _name(param: click.Parameter) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.human_readable_name
