"""`audiocontrib validate`: what a data set holds, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from audiocontrib.audit import FAILS, KINDS, LOOKS, TABLES, validate
from audiocontrib.cli.data import data_options, dataset_option, load_silently
from audiocontrib.cli.output import emit, format_option
from audiocontrib.cli.printed import put
from audiocontrib.cli.renames import RenamedOption
from audiocontrib.errors import AudiocontribError

if TYPE_CHECKING:
    from audiocontrib.audit import Validation

NEVER = "never"


def _list(entries: dict[str, str]) -> str:
    return "\n".join(f"  {name:<16}{about}" for name, about in entries.items())


@click.command(epilog=f"\b\nFindings:\n{_list(KINDS)}\n\n\b\nTables:\n{_list(TABLES)}")
@dataset_option
@data_options
@click.option(
    "--clips", cls=RenamedOption, old="--audio", type=click.Choice(list(LOOKS)), default="headers", show_default=True,
    help="Recordings: do not look, see which are there, read their headers, or decode them all (finds silent ones).",
)  # fmt: skip
@click.option(
    "--fail-on", type=click.Choice([*KINDS, NEVER]), multiple=True, default=FAILS, show_default=True, metavar="FINDING",
    help="Findings that make the exit code 1; repeatable.",
)  # fmt: skip
@click.option("--table", type=click.Choice(list(TABLES)), help="Print this table alone.")
@click.option("--workers", type=click.IntRange(min=1), help="Recordings looked at at a time.  [default: processors]")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@format_option
def command(
    dataset: str,
    clips: str,
    fail_on: tuple[str, ...],
    table: str | None,
    workers: int | None,
    quiet: bool,
    form: str,
    **data: Any,
) -> None:
    """Count what a data set holds, and find what is wrong with its rows, options and recordings.

    No model is needed. The exit code is 1 where something that --fail-on names was found. With --format json all
    tables are one object; csv and parquet hold one table, the findings where --table names no other.

    \b
    Examples:
      audiocontrib validate --dataset demo --limit 50
      audiocontrib validate --dataset mmau --data mmau-test-mini.json --clips no
      audiocontrib validate --dataset audiomcq --audio-root /data/audiomcq --clips present --table clips
      audiocontrib validate --dataset my.csv --map-file mapping.yaml --clips decode --fail-on silent --format json
    """
    seen = validate(load_silently(dataset, progress=not quiet, **data), clips, progress=not quiet, workers=workers)
    if table or form in ("csv", "parquet"):
        emit(getattr(seen, table or "findings"), form)
    elif form == "json":
        put(seen.to_json())
    else:
        _print(seen)
    failures = seen.failures(fail_on)
    if failures:
        raise AudiocontribError("; ".join(failures))


def _print(seen: Validation) -> None:
    """All tables that have rows, for the eye: kinds that were not found are left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    put(f"{seen.items:,} items of {seen.origin.get('name', 'a data set')}")
    found = seen.findings.filter(pc.greater(seen.findings["n"], pa.scalar(0))).drop_columns(["meaning"])
    for name, about in TABLES.items():
        table = found if name == "findings" else getattr(seen, name)
        if len(table):
            put(f"\n{name}: {about}")
            emit(table, "table")
