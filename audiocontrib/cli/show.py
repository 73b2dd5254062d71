"""`audiocontrib show`: a run in one screen, or one item with all its answers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiocontrib.store import Run


@click.command()
@click.argument("item", required=False)
@click.option(
    "--by", multiple=True, help="Break accuracy down: question_type, source_dataset, extra.FIELD; repeatable."
)
@run_option
@format_option
def command(item: str | None, by: tuple[str, ...], folder: Path | None, form: str) -> None:
    """Sum up a run; with ITEM (an id, or its end), show that item and what every model answered.

    The run may also be named in place of the item, by its folder.

    A run is summed up in one screen: what was asked of whom, what is answered, failed, set aside and left, accuracy
    by condition, the splits, and what may come next.

    \b
    Examples:
      audiocontrib show
      audiocontrib show runs/demo
      audiocontrib show --by question_type
      audiocontrib show --by extra.family --format csv
      audiocontrib show demo/sound/0-17
    """
    from audiocontrib.report.overview import show
    from audiocontrib.store.manifest import MANIFEST

    if item is not None and (Path(item) / MANIFEST).is_file():
        if folder is not None:
            raise UsageError(f"two runs are named: {item} and, with --run, {folder}; leave one out")
        folder, item = Path(item), None
    run = chosen_run(folder)
    if item is not None:
        one = show(run, item)
        say(str(one))
        emit(one.answers, form, "answers")
        return
    seen = show(run, by=by)
    for line in seen.asked:
        say(line)
    emit(seen.accuracy, form, "accuracy", groups=by)
    for line in (*seen.made, *_next(run, seen.left)):
        say(line)


def _next(run: Run, left: int) -> Iterator[str]:
    """One or two commands that may come next: what is left to ask, a split, its card, a report."""
    from audiocontrib.arrow import texts
    from audiocontrib.provenance import ScoreStep, run_steps
    from audiocontrib.report.overview import REPORT
    from audiocontrib.shell import command_words
    from audiocontrib.store.queries import own_query

    here = ["--run", str(run.path)]
    commands: list[list[str]] = []
    last = run_steps(run)[-1]
    words = command_words(last)
    # the same command goes on; that of one shard would find nothing to do, and what Python made no command can ask
    whole = words[0] == "score" and not any(word.startswith("--shard") for word in words)
    if left and whole and not (isinstance(last, ScoreStep) and last.made_in_python):
        commands.append(words)
    splits = texts(own_query(run.path, "select distinct name from splits order by 1").column("name"))
    commands.append(["card", *here, "--split", splits[0]] if splits else ["split", *here, "--threshold", "0.5"])
    if not (run.path / REPORT).exists():
        commands.append(["report", *here])
    for place, words in enumerate(commands[:2]):
        yield f"{'      ' if place else 'next: '}{shlex.join(['audiocontrib', *words])}"
