"""`audiocontrib verify`: whether the files of a run are as they were written."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, format_option, run_option, say


@click.command()
@run_option
@click.option("--repair", is_flag=True, help="Move damaged files to damaged/ in the run; nothing is deleted.")
@click.option("--all", "everything", is_flag=True, help="Print the files that are whole, too.")
@format_option
def command(folder: Path | None, repair: bool, everything: bool, form: str) -> None:
    """Check each file of a run against the hash of its content, and say what makes a damaged one again.

    Files of older programs get a hash. The exit code is 1 where a file is damaged, or cannot be read.

    \b
    Examples:
      audiocontrib verify --run runs/demo
      audiocontrib verify --run runs/demo --repair
    """
    from audiocontrib.store import newest_run
    from audiocontrib.store.verify import verify

    found = verify(newest_run() if folder is None else folder, repair=repair)
    if everything or len(found.damaged):
        emit(found.files if everything else found.damaged, form)
    for path in found.moved:
        say(f"moved to {path}")
    say(f"{len(found.files):,} files, {len(found.damaged):,} damaged")
    if len(found.damaged):
        raise click.exceptions.Exit(1)
