"""`audiocontrib contribution`: what the audio contributes, item by item and summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.counted import METHODS, counted_options
from audiocontrib.cli.output import chosen_run, emit, format_option, run_option, say, wants_all
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.cli.views import summary_view
from audiocontrib.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.contribution.scope import Scope
    from audiocontrib.store import Run

GROUPS_A_BLOCK = 5


@dataclass(frozen=True, slots=True)
class TableOptions:
    """The options that tables are computed by."""

    by: str | None
    margin: float
    scope: Scope
    reference: str | None = None


def _of(module: str, function: str) -> Callable[..., Any]:
    """A function of the package ``contribution``, imported when it is used."""
    return getattr(import_module(f"audiocontrib.contribution.{module}"), function)


Compute = Callable[["Run", TableOptions], "pa.Table"]

TABLES: dict[str, tuple[str, Compute]] = {
    "summary": (
        "accuracy, contribution, bits and leaks with their intervals, by --by",
        lambda run, options: _of("summary", "summary")(run, by=options.by, scope=options.scope),
    ),
    "ledger": (
        "bits of every item and model: options, question, presence, content",
        lambda run, options: _of("ledger", "ledger")(run, scope=options.scope).table,
    ),
    "calibration": (
        "what calibration made of each model and condition",
        lambda run, options: _of("ledger", "ledger")(run, scope=options.scope).weights,
    ),
    "positions": (
        "how answers depend on the place of an option",
        lambda run, options: _of("positions", "positions")(run, scope=options.scope),
    ),
    "agreement": (
        "how far models choose alike under --condition, wrong options included",
        lambda run, options: _of("agreement", "agreements")(run, scope=options.scope),
    ),
    "nulls": (
        "whether the conditions without the audio are equivalent, within --margin",
        lambda run, options: _of("null_conditions", "nulls")(run, margin=options.margin, scope=options.scope),
    ),
    "pairs": (
        "same question and options, other clip and gold: do answers follow the audio?",
        lambda run, options: _of("pairs", "pairs")(run, scope=options.scope),
    ),
    "doses": (
        "accuracy by how much of the clip is masked, or how loud the noise is, and what hearing adds there",
        lambda run, options: _of("dose_response", "dose_response")(run, scope=options.scope),
    ),
    "least-doses": (
        "of every item: the least dose at which its answer is lost, luck left out",
        lambda run, options: _of("least_doses", "least_doses")(run, scope=options.scope),
    ),
    "conflict": (
        "where clip and text say different options: which one do answers follow?",
        lambda run, options: _of("conflicts", "conflicts")(run, scope=options.scope),
    ),
    "backbone": (
        "what a model knows from the text beyond a text model (--reference)",
        lambda run, options: _of("backbone", "beyond_backbone")(run, reference=options.reference, scope=options.scope),
    ),
    "repeats": (
        "pass rate, majority and the floor of a rerun, of several replies to each question",
        lambda run, options: _of("repeats", "repeats")(run, scope=options.scope),
    ),
    "thinking": (
        "accuracy and contribution by the number of tokens that a thought was allowed",
        lambda run, options: _of("thinking", "thinking")(run, scope=options.scope),
    ),
    "pass-rates": (
        "of every item: in how many of its repeats it is right",
        lambda run, options: _of("repeats", "pass_rates_of_items")(run, scope=options.scope),
    ),
    "unsolved": (
        "items that no model gets right with the audio, likely wrong keys first",
        lambda run, options: _of("unsolved", "unsolved")(run, scope=options.scope),
    ),
}
"""Name -> one line for `--help`, and the function that computes the table."""
WITHOUT = {
    "doses": "nothing was asked at a dose: score under mask:20, mask:40, … or snr:10, snr:0, …",
    "least-doses": "no dose has its control beside it, so luck cannot be told: score under audio and swap, and under "
    "swap-mask:P for each mask:P, or swap-snr:D for each snr:D",
    "conflict": "score under conflict, and under --condition, to see which one answers follow",
    "backbone": "every model of the run heard the audio: score a text model under text, or name one with --reference",
}
"""What is said where a table is empty."""


@click.command(
    epilog="\b\nTables:\n" + "\n".join(f"  {name:<13}{about}" for name, (about, _) in TABLES.items()),
)
@run_option
@click.option("--by", help="Groups of the summary: question_type, source_dataset, dataset, split, k or extra.NAME.")
@click.option("--condition", default="silence", show_default=True, help="Condition without the audio.")
@click.option(
    "--audio-condition", "audio", cls=RenamedOption, old="--audio", default="audio", show_default=True,
    help="Condition with the audio.",
)  # fmt: skip
@click.option("--method", type=click.Choice(METHODS), help="Needed only where the run holds both.")
@click.option("--model", "models", multiple=True, help="Count only this model's answers; repeatable.  [default: all]")
@click.option("--table", type=click.Choice(list(TABLES)), help="Print this table alone; nothing is saved.")
@click.option("--rerun", type=click.Path(path_type=Path), help="Compare with a second run of the same questions.")
@click.option("--reference", help="Text model that `backbone` compares with.  [default: the one that never heard]")
@click.option("--margin", type=click.FloatRange(0, 1), default=0.02, show_default=True, help="Margin of `nulls`.")
@counted_options
@format_option
def command(
    folder: Path | None,
    by: str | None,
    condition: str,
    audio: str,
    method: str | None,
    models: tuple[str, ...],
    table: str | None,
    rerun: Path | None,
    reference: str | None,
    margin: float,
    counted: dict[str, Any],
    form: str,
) -> None:
    """Measure what the audio contributes: per item, and summed up with intervals.

    Saves every item's scores in the run (the SQL view `contributions`) and prints the summary, overall and by
    question type. What the run does not hold or does not identify is left empty, and it is said why.

    \b
    Examples:
      audiocontrib contribution
      audiocontrib contribution --by extra.difficulty --condition text
      audiocontrib contribution --table unsolved --format csv > review.csv
      audiocontrib contribution --rerun runs/again
      audiocontrib query "select * from contributions order by bits_audio limit 10"
    """
    if by is not None and table not in (None, "summary"):
        raise UsageError(f"--by groups the summary; the table {table} has no groups: leave --by out")
    if rerun is not None and (by, table) != (None, None):
        raise UsageError("--rerun prints a table of its own: leave --by and --table out")
    if reference is not None and table != "backbone":
        raise UsageError("--reference names the text model of --table backbone: leave it out, or ask for that table")
    from audiocontrib.contribution.scope import Scope

    run = chosen_run(folder)
    scope = Scope(condition=condition, audio=audio, method=method, models=models or None, **counted)
    options = TableOptions(by, margin, scope, reference)
    if rerun is not None:
        emit(_of("rerun", "rerun_floor")(run, other=chosen_run(rerun), scope=scope), form)
    elif table is None:
        _measure(run, options, form)
    elif table == "summary":
        _print_sums({by: TABLES[table][1](run, options)}, form, condition)
    else:
        made = TABLES[table][1](run, options)
        emit(made, form, table)
        if not len(made) and table in WITHOUT:
            say(f"note: {WITHOUT[table]}")
    if table == "nulls" and (unknown := _not_known(run)):
        say(f"note: {unknown}")
    if table == "pairs":
        offered = _of("pairs", "offered")(run)
        say(f"the data offer {offered.pairs} pairs of {offered.items} items in {offered.groups} groups")


def _not_known(run: Run) -> str | None:
    from audiocontrib.conditions import not_known
    from audiocontrib.contribution.scope import held_conditions

    with run.views() as con:
        return not_known(held_conditions(con))


def _measure(run: Run, options: TableOptions, form: str) -> None:
    """The default: measure, save, sum up."""
    measured = _of("measure", "measure")(run, scope=options.scope)
    run.save_contributions(measured.table)
    sums = {
        by: _of("summary", "summary")(run, by=by, measured=measured.table, scope=options.scope)
        for by in (None, options.by or "question_type")
    }
    _print_sums(sums, form, options.scope.condition)
    for note in measured.notes:
        say(f"note: {note}")
    say(f"saved {len(measured.table)} items; see the SQL view contributions")


def _print_sums(sums: dict[str | None, pa.Table], form: str, condition: str) -> None:
    """Summaries over all and by groups: one table for people, the first row over all."""
    import pyarrow as pa

    if form != "table":
        emit(pa.concat_tables(list(sums.values()), promote_options="default"), form)
    elif wants_all():
        for by, made in sums.items():
            _print_across(made, by, condition)
    else:
        heading = next((by for by in sums if by), "over")
        parts = []
        for by, made in sums.items():
            groups = ["all"] * len(made) if by is None else map(_label, made[by].to_pylist())
            rest = made.drop_columns([by]) if by else made
            parts.append(rest.append_column(heading, pa.array(groups, pa.string())))
        emit(pa.concat_tables(parts), form, summary_view(heading, condition))


def _print_across(summary: pa.Table, by: str | None, condition: str) -> None:
    """A summary for people: a measure a row, a group a column, intervals in brackets behind their value."""
    import pyarrow as pa

    measures = [name for name in summary.column_names if name != by and not name.endswith(("_low", "_high"))]
    rows = summary.to_pylist()
    for first in range(0, len(rows), GROUPS_A_BLOCK):
        columns = {by or "over": [name.replace("condition", condition).replace("_", " ") for name in measures]}
        for row in rows[first : first + GROUPS_A_BLOCK]:
            columns[_label(row[by]) if by else "all"] = [_cell(row, name) for name in measures]
        emit(pa.table(columns), "table")
        click.echo()


def _label(group: object) -> str:
    return "–" if group is None else str(group) or "(empty)"


def _cell(row: dict[str, Any], name: str) -> str:
    value, low, high = (row.get(key) for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return "–"
    shown = f"{value:.3f}" if isinstance(value, float) else str(value)
    return shown if low is None else f"{shown} [{low:.3f}, {high:.3f}]"
