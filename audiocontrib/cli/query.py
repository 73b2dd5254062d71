"""`audiocontrib query`: SQL over a run."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option


@click.command()
@click.argument("sql")
@run_option
@click.option(
    "--file",
    "files",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A file or folder that the query may read beside the run, by its path in quotes; repeatable.",
)
@click.option("--unlocked", is_flag=True, help="Let the query do all that DuckDB can: write, attach, read anything.")
@format_option
def command(sql: str, folder: Path | None, files: tuple[Path, ...], unlocked: bool, form: str) -> None:
    """Run SQL (DuckDB) on a run, also while it is being scored.

    Views: items, quarantine, responses, contributions, audit, splits, marks. Parquet and CSV files are tables too, by
    their path in quotes, where --file names them: the metrics of a training, for one. A query reads and does nothing
    else, unless it is unlocked.

    \b
    Examples:
      audiocontrib query "select condition, avg(correct::int) from responses group by 1"
      audiocontrib query "select * from contributions order by score limit 10" --format csv
      audiocontrib query "select step, reward from 'trained/weak_to_strong/grpo/metrics.parquet'" --file trained
    """
    emit(chosen_run(folder).table(sql, files=files, unlocked=unlocked), form)
