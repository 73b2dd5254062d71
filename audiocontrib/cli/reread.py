"""`audiocontrib reread`: stored replies by today's reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    from audiocontrib.store import Run


@click.command()
@run_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--examples", "shown", default=10, show_default=True, help="Changed replies that are shown.")
@click.option("--judge", metavar="MODEL", help="Let a model read what stays unparsed, in columns of its own.")
@click.option("--device", help="Of the judge, such as cuda:0.")
@format_option
def command(folder: Path | None, dry_run: bool, shown: int, judge: str | None, device: str | None, form: str) -> None:
    """Read the stored replies of a run again, by today's reader, and show what changes.

    Nothing is asked again. The older reading is kept, in the run's own parts and beside the new one in readings/.
    Contributions and splits are made from the answers: make them again afterwards.

    \b
    Examples:
      audiocontrib reread --run runs/first --dry-run
      audiocontrib reread --run runs/first
      audiocontrib reread --run runs/first --judge Qwen/Qwen2.5-7B-Instruct
    """
    from audiocontrib.arrow import integers
    from audiocontrib.reread import examples, reread

    run = chosen_run(folder, tell_reader=judge is not None)
    if judge is not None:
        if dry_run:
            raise UsageError("--judge asks a model and changes no outcome; leave out --dry-run")
        return _judge(run, judge, device, form)
    done = reread(run, dry_run=dry_run)
    items = run.load_items() if len(done.readings) else ()
    for line in examples(done.readings, {item.id: list(item.choices) for item in items}, shown):
        say(line)
    n, changed = int(integers(done.changes["n"]).sum()), len(done.readings)
    what = "would change; nothing was written" if dry_run else "changed"
    say(f"reader {done.reader_before} -> {done.reader}: of {n:,} replies, {changed:,} {what}")
    emit(done.changes, form)
    return None


def _judge(run: Run, model: str, device: str | None, form: str) -> None:
    from audiocontrib.evaluation.judged import judged_accuracy
    from audiocontrib.judge import judge

    read = judge(run, model=model, model_options={"device": device} if device else None)
    given = sum(choice is not None for choice in read["judged_choice"].to_pylist())
    say(f"of {len(read):,} unparsed replies, a judge takes {given:,} to give an option; no outcome was changed")
    emit(judged_accuracy(run), form, "judged")
