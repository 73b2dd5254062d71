"""`audiocontrib split`: weak, strong, undecided."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option, say


@click.command()
@run_option
@click.option("--threshold", type=float, default=0.5, show_default=True, help="Score from which an item is strong.")
@click.option("--rule", default="votes", show_default=True, help="Split rule; `votes` is the published one.")
@click.option("--condition", default="silence", show_default=True, help="Condition without the audio.")
@click.option("--name", help="Name of the split in the run.  [default: RULE-THRESHOLD]")
@click.option("--by", type=click.Choice(["question_type", "source_dataset"]), help="Break the summary down by this.")
@format_option
def command(
    folder: Path | None,
    threshold: float,
    rule: str,
    condition: str,
    name: str | None,
    by: str | None,
    form: str,
) -> None:
    """Split a run's items into weak and strong audio contribution, each with its reason.

    An item is strong if its score (under `votes` the share of the models that are wrong without the
    audio) reaches the threshold. Three models and 0.5 give the rule of arXiv 2509.21060.
    The split is kept in the run, as splits/NAME/ and in the SQL view `splits`.

    \b
    Examples:
      audiocontrib split --threshold 0.5
      audiocontrib split --condition text --by question_type
      audiocontrib query "select split, count(*) from splits group by 1"
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from audiocontrib.contribution import contributions
    from audiocontrib.splits import split

    run = open_run(folder)
    made = split(run, rule=rule, threshold=threshold, condition=condition)
    with run.connect() as con:
        run.save_contributions(contributions(con, condition))
    kept = made.save(run.split_folder(name or f"{rule}-{threshold:g}"))
    tables = [made.summary(b) for b in ([by] if by else [None, "question_type", "source_dataset"])]
    if form == "table":
        for table in tables:
            emit(table, form)
            click.echo()
    else:
        emit(pa.concat_tables(tables, promote_options="default"), form)
    undecided = made.table.filter(pc.equal(made.table["split"], "undecided"))
    for row in undecided.slice(0, 5).to_pylist():
        say(f"undecided: {row['item_id']}: {row['reason']}")
    if len(undecided) > 5:
        say(f"… and {len(undecided) - 5} more undecided; see the view splits")
    say(f"saved in {kept}")
