"""`audiocontrib reread`: stored replies by today's reader."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say


@click.command()
@run_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--examples", "shown", default=10, show_default=True, help="Changed replies that are shown.")
@format_option
def command(folder: Path | None, dry_run: bool, shown: int, form: str) -> None:
    """Read the stored replies of a run again, by today's reader, and show what changes.

    Nothing is asked again. The older reading is kept, in the run's own parts and beside the new one in readings/.
    Contributions and splits are made from the answers: make them again afterwards.

    \b
    Examples:
      audiocontrib reread --run runs/first --dry-run
      audiocontrib reread --run runs/first
    """
    from audiocontrib.arrow import integers
    from audiocontrib.reread import examples, reread

    run = chosen_run(folder, tell_reader=False)
    done = reread(run, dry_run=dry_run)
    items = run.load_items() if len(done.readings) else ()
    for line in examples(done.readings, {item.id: list(item.choices) for item in items}, shown):
        say(line)
    n, changed = int(integers(done.changes["n"]).sum()), len(done.readings)
    what = "would change; nothing was written" if dry_run else "changed"
    say(f"reader {done.reader_before} -> {done.reader}: of {n:,} replies, {changed:,} {what}")
    emit(done.changes, form)
