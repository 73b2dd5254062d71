"""`audiocontrib evaluate`: accuracy, by our exact reading of the replies or by a benchmark's official one."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option


@click.command()
@run_option
@click.option(
    "--scorer", default="exact", show_default=True,
    help="exact; official: the published rule of the data set; or mmau, mmsu, muchomusic, r1-aqa.",
)  # fmt: skip
@click.option(
    "--by", multiple=True, help="Break exact accuracy down: question_type, source_dataset, extra.FIELD; repeatable."
)
@format_option
def command(folder: Path | None, scorer: str, by: tuple[str, ...], form: str) -> None:
    """Accuracy of a run's models under each condition.

    Benchmarks publish matching rules with known defects (docs/scorers.md). They are here for comparison:
    an official rule is printed beside our exact reading of the same replies, with the number of replies on
    which the two differ. It needs a run of replies (`score --method generate`, or `import`).

    \b
    Examples:
      audiocontrib evaluate --by question_type
      audiocontrib evaluate --scorer official
      audiocontrib evaluate --run runs/mmar --scorer mmau --format csv
    """
    from audiocontrib.contribution import accuracy
    from audiocontrib.errors import UsageError
    from audiocontrib.evaluation import compare_scorers

    run = open_run(folder)
    if scorer == "exact":
        with run.connect() as con:
            emit(accuracy(con, by), form)
        return
    if by:
        raise UsageError("--by breaks exact accuracy down; leave it out with an official scorer")
    emit(compare_scorers(run, scorer), form)
