"""`audiocontrib query`: SQL over a run."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import chosen_run, emit, format_option, run_option


@click.command()
@click.argument("sql")
@run_option
@format_option
def command(sql: str, folder: Path | None, form: str) -> None:
    """Run SQL (DuckDB) on a run, also while it is being scored.

    Views: items, quarantine, responses, contributions, audit, splits. Parquet and CSV files are tables too, by their
    path in quotes: the metrics of a training, for one.

    \b
    Examples:
      audiocontrib query "select condition, avg(correct::int) from responses group by 1"
      audiocontrib query "select * from contributions order by score limit 10" --format csv
      audiocontrib query "select step, reward, kl from 'trained/weak_to_strong/grpo/metrics.parquet'"
    """
    emit(chosen_run(folder).table(sql), form)
