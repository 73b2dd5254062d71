"""The command line: parse, call one function, print. One file per command, imported when it is used."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from audiocontrib.cli.messages import messages_in_lines
from audiocontrib.cli.renames import check_old_variables, name_variables
from audiocontrib.cli.usage import read_strictly, usage_in_one_line
from audiocontrib.errors import AudiocontribError, Stopped, one_line
from audiocontrib.stopping import stopping

COMMANDS = {
    "demo": "Score the embedded demo with three tiny models, offline, in minutes.",
    "score": "Ask models every question with and without the audio.",
    "import": "Take answers of another tool into a run.",
    "contribution": "Measure what the audio contributes, per item and summed up.",
    "split": "Split a run's items into weak and strong audio contribution.",
    "certify": "Bound what is left in a strong set, by a model that took no part.",
    "export": "Write the weak or strong part as files that other trainers read.",
    "train": "Train a model on the weak or strong part: SFT, GRPO.",
    "evaluate": "Accuracy of a run, by our exact or an official matching rule.",
    "weak-to-strong": "The whole loop: score, split, train, score again, compare.",
    "results": "Write a model's answers as a file to hand in, or for the hub.",
    "push": "Publish a split or a trained model on the hub, after a look.",
    "reread": "Read the stored replies of a run again, by today's reader.",
    "report": "Write a run as one HTML page.",
    "plot": "Write one figure of a run's report as PDF, SVG or PNG.",
    "view": "Look at runs on a live page: items filtered, heard, compared and marked.",
    "card": "Print a data card of a split.",
    "query": "Run SQL on a run.",
    "show": "Sum up a run, or show one item with all its answers.",
    "marks": "What people say of a run's items: print, add, write, read back.",
    "verify": "Check the files of a run against their hashes, and repair it.",
    "validate": "Count what a data set holds, and find what is wrong with it.",
    "audit": "Look for shortcuts and duplicates in a data set, without any audio model.",
    "datasets": "List the data sets that are known by name, or describe your own.",
    "models": "List the models that are known by name.",
    "doctor": "Look a model over: what loads, what it hears, whether its fast paths are right.",
    "plugins": "List the plugins that are installed or loaded.",
}
"""Name -> one line for `--help`; each lives in the module of the same name (``import_`` for ``import``)."""


class Lazy(click.Group):
    """Commands are imported when they are called, so that `--help` is quick."""

    def make_context(self, *words: Any, **more: Any) -> click.Context:
        """A word that is no option or command is one line."""
        with usage_in_one_line():
            return super().make_context(*words, **more)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """`--plugin` may stand anywhere, and is looked at first: what plugins add is known to every command."""
        from audiocontrib.cli.plugin_options import without_plugins

        ctx.meta["audiocontrib.plugins"], rest = without_plugins(args)
        ctx.meta["audiocontrib.words"] = list(rest)
        return super().parse_args(ctx, rest)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a new user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command from its module."""
        if cmd_name not in COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = import_module(f"audiocontrib.cli.{module}").command
        command.name, command.short_help = cmd_name, COMMANDS[cmd_name]
        name_variables(command, _prefix(cmd_name))
        read_strictly(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is meant, after a word on environment variables whose names are old."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and command is not None:
            check_old_variables(command, _prefix(name))
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def _option(self, ctx: click.Context, error: AudiocontribError) -> str:
        """The option by which the command takes what an error asks for, in brackets."""
        command = self.get_command(ctx, ctx.invoked_subcommand or "")
        for one in command.params if command is not None and error.argument else ():
            if error.argument in (one.name, one.opts[0].lstrip("-").replace("-", "_")) and one.opts[0].startswith("-"):
                return f" ({one.opts[0]})"
        return ""

    def invoke(self, ctx: click.Context) -> Any:
        """Errors that a user can act on are one line; `--debug` adds the traceback."""
        try:
            with stopping(), messages_in_lines(), usage_in_one_line(ctx):
                _load_plugins(ctx.meta["audiocontrib.plugins"], ctx.meta["audiocontrib.words"])
                return super().invoke(ctx)
        except AudiocontribError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"error: {error}{self._option(ctx, error)}", err=True)
            ctx.exit(error.exit_code)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except KeyboardInterrupt as error:
            number = error.number if isinstance(error, Stopped) else signal.SIGINT
            by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
            click.echo(f"stopped{by}; what was answered is kept, the same command goes on from there", err=True)
            ctx.exit(128 + number)
        except BrokenPipeError:
            # the reader of a pipe has seen enough; Python would complain when it closes stdout
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(0)
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"error: {one_line(error)} (unexpected; --debug before the command shows where)", err=True)
            ctx.exit(1)


@click.group(
    cls=Lazy,
    context_settings={
        "auto_envvar_prefix": "AUDIOCONTRIB",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
    epilog="Start with: audiocontrib demo",
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.option(
    "--plugin",
    metavar="FILE.py|NAME",
    multiple=True,
    expose_value=False,
    help="Load a plugin: parts of your own (docs/plugins.md); repeatable, anywhere in the line.",
)
@click.version_option(package_name="audiocontrib")
def main(debug: bool) -> None:
    """Did the model have to listen? Audio contribution of audio question answering, item by item."""


def _prefix(name: str) -> str:
    return f"AUDIOCONTRIB_{name.replace('-', '_').upper()}"


def _load_plugins(named: list[str], words: list[str]) -> None:
    """Those of the environment, those of the line, and those whose part the line names."""
    from audiocontrib.cli.plugin_options import plugins_by_part
    from audiocontrib.plugins import load_plugins, plugins_of_environment

    load_plugins([*plugins_of_environment(), *named])
    load_plugins(plugins_by_part(words))
