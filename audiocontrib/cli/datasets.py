"""`audiocontrib datasets`: what can be scored by name, and what a file of one's own holds."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, format_option, put, say


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
    "--format", "form", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True,
    help="yaml: the proposed mapping alone, as a file for --map-file.",
)  # fmt: skip
def describe_command(path: Path, form: str) -> None:
    """Look at the first rows of the file or folder PATH: its columns, and how they can be read as questions.

    A mapping is proposed, with reasons, and tried on these rows; look at it before you use it.

    \b
    Examples:
      audiocontrib datasets describe my.csv
      audiocontrib datasets describe my.csv --format yaml > mapping.yaml
      audiocontrib validate --dataset my.csv --map-file mapping.yaml
    """
    from audiocontrib.sources.describe import describe

    found = describe(path)
    if form == "json":
        put(found.to_json())
    elif form == "yaml":
        put(found.yaml, nl=False)
    else:
        for table in (found.columns, found.fields):
            emit(table, "table")
            click.echo()
        put(f"{found.yaml}\n{found.command}")
    say(f"{found.items} of the first {found.rows} rows become items so")
    for problem, count in found.problems.items():
        say(f"  {count} do not: {problem}")
