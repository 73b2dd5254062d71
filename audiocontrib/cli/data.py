"""Which data set is meant: the options that every command has that reads one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.output import WITHOUT_GOLD, Decorator, say
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from audiocontrib.items import Items

SHOWN = 20
"""Quarantined rows that are told one by one."""

dataset_option: Decorator = click.option(
    "--dataset",
    required=True,
    help="Name of a data set (`audiocontrib datasets`); or a file, folder or hub id of your own.",
)
_OPTIONS: tuple[Decorator, ...] = (
    click.option("--data", type=click.Path(path_type=Path), help="File or folder where the data set lies."),
    click.option(
        "--audio-root", type=click.Path(path_type=Path),
        help="Folder, .zip or .tar of the audio.  [default: beside the data]",
    ),
    click.option("--encoding", help="What files of text are written in.  [default: as they say themselves, or UTF-8]"),
    click.option("--revision", help="Revision of a data set on the hub."),
    click.option(
        "--subset", "split", cls=RenamedOption, old="--split", help="Subset of the data set: train, test, …"
    ),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of the demo data, and of what is drawn."),
    click.option("--limit", type=click.IntRange(min=1), help="Only the first so many items."),
    click.option(
        "--map", "mapping", multiple=True, metavar="FIELD=COLUMN",
        help="Column of a field in your own data; repeatable. `audiocontrib datasets describe` proposes them.",
    ),
    click.option("--map-file", type=click.Path(path_type=Path), help="YAML file with the columns of your own data."),
    click.option(
        "--answer-as", type=click.Choice(["text", "letter", "index", "number"]),
        help="How your own data gives the gold; index counts from 0, number from 1.  "
        "[default: what the map file says, or text]",
    ),
)  # fmt: skip


def data_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which a data set is read; it hands them all on to :func:`load`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def load_dataset(dataset: str, **options: Any) -> Items:
    """The items of a data set, by the values of ``data_options``; what did not become one is told on stderr."""
    items = load_silently(dataset, **options)
    for bad in items.quarantined[:SHOWN]:
        say(f"quarantined: {bad}")
    if len(items.quarantined) > SHOWN:
        more = len(items.quarantined) - SHOWN
        say(f"… and {more:,} more; `audiocontrib validate` with the same options sums them up")
    if len(items) and items.table["answer"].null_count == len(items):
        say(f"{items.origin.get('name', dataset)}: {WITHOUT_GOLD}")
    for reason, count in items.origin.get("left_out", {}).items():
        say(f"left out: {count:,} rows: {reason}")
    return items


def load_silently(
    dataset: str,
    *,
    mapping: tuple[str, ...] = (),
    map_file: Path | None = None,
    answer_as: str | None = None,
    progress: bool = False,
    **options: Any,
) -> Items:
    """The same, without a word."""
    from audiocontrib.sources import load_items
    from audiocontrib.sources.mappings import read_mapping

    columns, said = read_mapping(map_file) if map_file else ({}, None)
    columns |= dict(pair(text) for text in mapping)
    how = answer_as or said or "text"
    return load_items(dataset, mapping=columns or None, answer_as=how, progress=progress, **options)


def pair(text: str) -> tuple[str, str]:
    """The two sides of ``FIELD=COLUMN``. UsageError if it is not of that form."""
    field, equals, column = text.partition("=")
    if not (field and equals and column):
        raise UsageError(f"{text!r}: it is FIELD=COLUMN, e.g. --map question=prompt")
    return field.strip(), column.strip()
