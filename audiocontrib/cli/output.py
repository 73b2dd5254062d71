"""What every command shares: the format of tables, and which run is meant."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from shlex import quote
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.printed import as_text, print_for_people, put
from audiocontrib.cli.table_text import wrapped
from audiocontrib.cli.views import VIEWS, View
from audiocontrib.errors import AudiocontribError, UsageError, one_line, visible

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from audiocontrib.store import Run

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

FORMULA = re.compile(r"[=+\-@\t\r]")
"""How a cell starts that a spreadsheet runs."""
NUMBER = re.compile(r"[+-]?[\d.]+([eE][+-]?\d+)?")

WIDE = "audiocontrib.wide"
"""Where click keeps for the present command whether all columns are wanted."""


def _set_wide(context: click.Context, _: click.Parameter, wide: bool) -> None:
    context.meta[WIDE] = wide


def _format_options(forms: list[str], about: str) -> Decorator:
    which = click.option(
        "--format", "form", type=click.Choice(forms), default="table", show_default=True,
        help=f"How tables are printed to stdout ({about}).",
    )  # fmt: skip
    wide = click.option(
        "--wide", is_flag=True, expose_value=False, callback=_set_wide,
        help="All columns, with all figures.  [default: those that decide]",
    )  # fmt: skip
    return lambda command: which(wide(command))


format_option = _format_options(["table", "csv", "json", "parquet"], "json: one object a line; csv: ' before a formula")
paper_format_option = _format_options(
    ["table", "csv", "json", "parquet", "markdown", "latex"], "json: one object a line; markdown, latex: for papers"
)
run_option: Decorator = click.option(
    "--run",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder of the run.  [default: the newest in runs/]",
)


run_audio_option: Decorator = click.option(
    "--audio-root",
    type=click.Path(path_type=Path),
    help="Folder, .zip or .tar of the run's audio.  [default: as the run says, if you made it; else its own folder]",
)

WITHOUT_GOLD = "no item has a gold answer: all are asked and none is scored"


def say(text: str) -> None:
    """Words go to stderr, so that tables can be piped; in a terminal no line ends within a word.

    A line that holds a command is left whole, to be copied.
    """
    told = visible(text)
    if sys.stderr.isatty() and "audiocontrib " not in told:
        told = "\n".join(line for part in told.split("\n") for line in wrapped(part, get_terminal_size().columns))
    click.echo(told, err=True)


def chosen_run(folder: Path | None, *, audio_root: Path | None = None, tell_reader: bool = True) -> Run:
    """The run that is meant; where none is named, the newest of runs/, and it is said which.

    A run whose replies an older reader has read says so, unless ``tell_reader`` is False.
    """
    from audiocontrib.answers import READER
    from audiocontrib.store import Run, newest_run

    if folder is None:
        folder = newest_run()
        say(f"run: {folder}")
    run = Run.open(folder, audio_root=audio_root)
    if _is_without_gold(run):
        say(f"{folder}: {WITHOUT_GOLD}")
    if tell_reader and run.reader < READER and run.has_replies():
        say(
            f"{folder}: its replies were read by reader {run.reader}, and today's is {READER}; "
            f"`audiocontrib reread --run {quote(str(folder))} --dry-run` shows what would change"
        )
    return run


def _is_without_gold(run: Run) -> bool:
    from audiocontrib.store.queries import own_query

    with suppress(AudiocontribError):  # what the command itself reads says what is wrong
        (counted,) = own_query(run.path, "select count(*) as items, count(answer) as golds from items").to_pylist()
        return bool(counted["items"]) and not counted["golds"]
    return False


def emit(table: pa.Table, form: str, view: str = "", *, groups: Sequence[str] = (), caption: str = "") -> None:
    """Print an Arrow table to stdout. Of columns with one name, the later get ``_1``, ``_2``, … behind it.

    Args:
        table: what was computed, whole: csv, json and parquet hold all of it.
        form: one of the formats.
        view: a name in VIEWS: which columns people see, unless they ask for all.
        groups: columns that the rows are grouped by: they come first.
        caption: of the table in a paper.

    Raises:
        UsageError: it holds what the format has no form for: a date beyond the year 9999, a map.
    """
    import pyarrow as pa

    context = click.get_current_context(silent=True)
    chosen = None if context and context.meta.get(WIDE) else VIEWS.get(view)
    try:
        table = _printable(table.rename_columns(_apart(table.column_names)), form)
        _print(table, form, chosen, groups, caption)
    except (OverflowError, ValueError, NotImplementedError, pa.ArrowException) as error:
        what = f"a column cannot be printed as {form} ({one_line(error, 120)})"
        raise UsageError(f"{what}; cast it to a text, as in start::varchar") from error
    if chosen and len(table) and form == "table":
        for line in filter(None, (chosen.sentence, *chosen.notes(table.to_pylist()))):
            say(line)


def _apart(names: list[str]) -> list[str]:
    """Names, each once; a row of Python or of JSON would lose the others."""
    given = list[str]()
    for name in names:
        numbered = (f"{name}_{n}" for n in count(1))
        given.append(name if name not in given else next(one for one in numbered if one not in {*given, *names}))
    return given


def _print(table: pa.Table, form: str, view: View | None, groups: Sequence[str], caption: str) -> None:
    if form in ("table", "markdown", "latex"):
        print_for_people(as_text(table, view, groups), form, caption)
    elif form == "csv":
        put(_no_formulas(_pandas(table)).to_csv(index=False), nl=False)
    elif form == "json":
        text = _pandas(table).to_json(orient="records", lines=True, force_ascii=False, date_format="iso")
        put(text.lstrip("\n"), nl=False)  # pandas writes no rows as an empty line
    else:
        if sys.stdout.isatty():
            raise UsageError("--format parquet is binary: send it to a file with > FILE.parquet")
        import pyarrow.parquet as pq

        pq.write_table(table, sys.stdout.buffer)


def _printable(table: pa.Table, form: str) -> pa.Table:
    """The table without what no format can hold: bytes are told by their size; in CSV lists and objects are JSON."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        kind = field.type
        plain = not (pa.types.is_nested(kind) or _is_binary(kind))
        if plain or (form == "parquet" and not _holds_bytes(kind)):
            continue
        cells = [_sized(cell) for cell in table.column(place).to_pylist()]
        if form == "csv" and pa.types.is_nested(kind):
            cells = [None if cell is None else json.dumps(cell, ensure_ascii=False, default=str) for cell in cells]
        # JSON, and tables for the eye, take any objects
        made = pa.array(cells, pa.string()) if form == "csv" or _is_binary(kind) else pa.array(cells)
        table = table.set_column(place, field.name, made)
    return table


def _sized(value: Any) -> Any:
    """The same, with the size of bytes in their place; times and numbers of other kinds are as they are."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict):
        return {name: _sized(one) for name, one in value.items()}
    return [_sized(one) for one in value] if isinstance(value, list) else value


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _holds_bytes(kind: Any) -> bool:
    import pyarrow as pa

    parts = [kind.field(n).type for n in range(kind.num_fields)] if pa.types.is_nested(kind) else []
    return _is_binary(kind) or any(map(_holds_bytes, parts))


def _pandas(table: pa.Table) -> pd.DataFrame:
    """Whole numbers stay whole where some are missing."""
    return table.to_pandas(integer_object_nulls=True)


def _no_formulas(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts that a spreadsheet would run as a formula get a ``'`` before them, as it does itself; numbers stay."""
    import pandas as pd

    named = frame.rename(columns=_no_formula)
    for place, dtype in enumerate(frame.dtypes):
        if not (pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype)):
            cells = [_no_formula(cell) for cell in frame.iloc[:, place]]
            named.isetitem(place, pd.array(cells, object))  # else whole numbers beside a null are floats
    return named


def _no_formula(value: Any) -> Any:
    if isinstance(value, str) and FORMULA.match(value) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value
