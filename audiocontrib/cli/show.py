"""`audiocontrib show`: a run in one screen, or one item with all its answers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.output import emit, format_option, open_run, run_option, say
from audiocontrib.errors import AudiocontribError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiocontrib.store import Run

REPORT = "report.html"


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
      audiocontrib show --by extra.difficulty --format csv
      audiocontrib show demo/sound/0-17
    """
    from audiocontrib.contribution import accuracy
    from audiocontrib.store.manifest import MANIFEST

    if item is not None and (Path(item) / MANIFEST).is_file():
        if folder is not None:
            raise UsageError(f"two runs are named: {item} and, with --run, {folder}; leave one out")
        folder, item = Path(item), None
    run = open_run(folder)
    if item is not None:
        return _item(run, item, form)
    left = _left(run)
    for line in _asked(run, left):
        say(line)
    with run.connect() as con:
        emit(accuracy(con, by=by), form)
    for line in _made(run):
        say(line)
    for line in _next(run, left):
        say(line)
    return None


def _asked(run: Run, left: int) -> Iterator[str]:
    """What was asked of whom, and how far it is."""
    identity: dict[str, Any] = run.manifest.get("identity", {})
    data, prompt = identity.get("dataset", {}), identity.get("prompt", {})
    [counts] = run.query(COUNTS).to_dict("records")
    revision = f"@{data['revision']}" if data.get("revision") else ""
    yield (
        f"{data.get('name', '?')}{revision}: {counts['items']:,} items on {counts['clips']:,} clips, "
        f"{counts['quarantined']:,} quarantined"
    )
    yield f"models: {', '.join(identity.get('models', {})) or '?'}"
    yield (
        f"asked: {', '.join(identity.get('conditions', []))}; {identity.get('method', '?')}, "
        f"orders {identity.get('orders', '?')}, prompt {prompt.get('name', '?')}"
    )
    yield (
        f"answers: {counts['answered']:,}, {counts['failed']:,} failed" + (f", {left:,} not asked yet" if left else "")
    )


COUNTS = """
select (select count(*) from items) as items, (select count(distinct clip_id) from items) as clips,
    (select count(distinct coalesce(item_id, file || line)) from quarantine) as quarantined,
    count(*) filter (outcome <> 'failed') as answered, count(*) filter (outcome = 'failed') as failed
from responses
"""


def _left(run: Run) -> int:
    """Questions of the run that have no answer; imported answers follow no plan."""
    identity = run.manifest.get("identity", {})
    if identity.get("orders") not in ("cyclic", "given"):
        return 0
    each = "len(choices)" if identity["orders"] == "cyclic" else "1"
    cells = len(identity.get("models", {})) * len(identity.get("conditions", []))
    [row] = run.query(
        f"select (select coalesce(sum({each}), 0) from items where item_id not in "
        "(select item_id from quarantine where item_id is not null)) as asked, "
        "(select count(*) from responses where item_id not in "
        "(select item_id from quarantine where item_id is not null)) as there"
    ).to_dict("records")
    return max(0, int(row["asked"]) * cells - int(row["there"]))


def _made(run: Run) -> Iterator[str]:
    """What was made of the answers."""
    from audiocontrib.store.run import AUDIT

    for row in run.query(
        "select name, count(*) filter (split = 'strong') as strong, count(*) filter (split = 'weak') as weak, "
        "count(*) filter (split = 'undecided') as undecided from splits group by 1 order by 1"
    ).to_dict("records"):
        yield f"split {row['name']}: {row['strong']:,} strong, {row['weak']:,} weak, {row['undecided']:,} undecided"
    for path in (run.path / AUDIT, run.path / REPORT):
        if path.exists():
            yield f"{path.stem}: {path}"


def _next(run: Run, left: int) -> Iterator[str]:
    """One or two commands that may come next: what is left to ask, a split, its card, a report."""
    here = ["--run", str(run.path)]
    commands: list[list[str]] = []
    given = run.manifest.get("command", [])
    if left and given[1:2] == ["score"] and not any(word.startswith("--shard") for word in given):
        commands.append(given[1:])  # the same command goes on; that of one shard would find nothing to do
    splits = run.table("select distinct name from splits order by 1").column("name").to_pylist()
    commands.append(["card", *here, "--split", splits[0]] if splits else ["split", *here, "--threshold", "0.5"])
    if not (run.path / REPORT).exists():
        commands.append(["report", *here])
    for place, words in enumerate(commands[:2]):
        yield f"{'      ' if place else 'next: '}{shlex.join(['audiocontrib', *words])}"


def _item(run: Run, item: str, form: str) -> None:
    """One item, and all that was answered to it."""
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
