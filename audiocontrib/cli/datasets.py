"""`audiocontrib datasets`: what can be scored by name, and what a file of one's own holds."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from audiocontrib.cli.data import pair
from audiocontrib.cli.output import emit, format_option, say
from audiocontrib.cli.printed import put
from audiocontrib.errors import AudiocontribError
from audiocontrib.items.gold import WAYS


@click.group(invoke_without_command=True)
@format_option
@click.pass_context
def command(context: click.Context, form: str) -> None:
    """List the data sets that are known by name; `describe` looks at one of your own.

    \b
    Examples:
      audiocontrib datasets
      audiocontrib datasets describe my.csv
      audiocontrib score --dataset mmau --data mmau-test-mini.json --audio-root audio/ --model ./my-model
    """
    if context.invoked_subcommand is not None:
        return
    from audiocontrib.api.listings import list_datasets

    emit(list_datasets(), form)


@command.command("describe")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--map", "mapping", multiple=True, metavar="FIELD=COLUMN", help="What you know of the columns already; repeatable."
)
@click.option(
    "--answer-as",
    type=click.Choice(WAYS),
    help="How the gold is given, where its rows leave it open; number is from 1.",
)
@click.option("--encoding", help="What files of text are written in.  [default: as they say themselves, or UTF-8]")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True,
    help="yaml: the proposed mapping alone, as a file for --map-file.",
)  # fmt: skip
def describe_command(
    path: Path, mapping: tuple[str, ...], answer_as: str | None, encoding: str | None, form: str
) -> None:
    """Look at the file or folder PATH: its columns, and how they can be read as questions.

    A mapping is proposed, with reasons, and tried on the first rows; three of them are shown as they will be asked.
    A column counts as the gold only by its name (answer, gold, label, target, …) or by --map; how it is meant is
    decided by all rows. What cannot be told, or read in one way only, is refused in a line, and the exit code is 1.

    \b
    Examples:
      audiocontrib datasets describe my.csv
      audiocontrib datasets describe my.csv --format yaml > mapping.yaml
      audiocontrib datasets describe my.csv --map answer=reply_2 --answer-as number
      audiocontrib validate --dataset my.csv --map-file mapping.yaml
    """
    from audiocontrib.sources.describe import describe

    found = describe(
        path, mapping=dict(pair(text) for text in mapping), answer_as=answer_as, encoding=encoding, progress=True
    )
    for line in ["as they will be asked:", *found.asked] if form != "json" else []:
        say(line)
    for remark in found.proposal.remarks:
        say(remark)
    say(f"{found.items} of the first {found.rows} rows become items so")
    for problem, count in found.problems.items():
        say(f"  {count} do not: {problem}")
    if sys.stdin.isatty() and not click.confirm("Are they read as they are meant?", default=True, err=True):
        raise AudiocontribError("say what is meant otherwise", argument="mapping")
    if form == "json":
        put(found.to_json())
    elif form == "yaml":
        put(found.yaml, nl=False)
    else:
        for table in (found.columns, found.fields):
            emit(table, "table")
            click.echo()
        put(f"{found.yaml}\n{found.command}")
