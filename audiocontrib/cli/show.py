"""`audiocontrib show`: a run in one screen, or one item with all its answers."""

from __future__ import annotations

from pathlib import Path

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option, say
from audiocontrib.errors import AudiocontribError


@click.command()
@click.argument("item", required=False)
@click.option(
    "--by", multiple=True, help="Break accuracy down: question_type, source_dataset, extra.FIELD; repeatable."
)
@run_option
@format_option
def command(item: str | None, by: tuple[str, ...], folder: Path | None, form: str) -> None:
    """Sum up a run; with ITEM (an id, or its end), show that item and what every model answered.

    \b
    Examples:
      audiocontrib show
      audiocontrib show --by question_type
      audiocontrib show --by extra.difficulty --format csv
      audiocontrib show demo/sound/0-17
    """
    from audiocontrib.contribution import accuracy

    run = open_run(folder)
    if item is None:
        with run.connect() as con:
            counts = con.execute(
                "select (select count(*) from items), (select count(*) from quarantine), "
                "count(*), count(*) filter (outcome = 'failed') from responses"
            ).fetchone()
            say("{} items, {} quarantined, {} answers, {} failed".format(*(counts or ())))
            emit(accuracy(con, by), form)
        return
    with run.connect() as con:
        found = con.execute(
            "select item_id, question, choices, answer from items "
            "where item_id = $id or ends_with(item_id, '/' || $id) order by item_id limit 3",
            {"id": item},
        ).fetchall()
        if len(found) != 1:
            many = ", ".join(row[0] for row in found)
            raise AudiocontribError(
                f"{item!r} fits several items: {many}, …" if found else f"the run {run.path} has no item {item!r}"
            )
        (item_id, question, choices, answer) = found[0]
        say(f"{item_id}\n{question}")
        for place, choice in enumerate(choices):
            say(f"  {'*' if place == answer else ' '} {place}  {choice}")
        emit(
            con.sql(
                'select model, condition, "order", outcome, choice, correct, '
                "list_transform(posterior, lambda p: round(p, 3)) as posterior, reply, error "
                "from responses where item_id = $id order by all",
                params={"id": item_id},
            ).to_arrow_table(),
            form,
        )
