"""`audiocontrib audit`: what a data set betrays without any audio model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audiocontrib.cli.data import data_options, load_dataset, pair
from audiocontrib.cli.output import emit, format_option, say
from audiocontrib.cli.printed import put
from audiocontrib.errors import AudiocontribError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from audiocontrib.audit import Audit

TOP = 3
"""Features of each classifier that are named."""


@click.command()
@click.option("--dataset", help="Name of a data set (`audiocontrib datasets`), or a file, folder or hub id.")
@data_options
@click.option(
    "--run", "folder", type=click.Path(path_type=Path), help="Instead: the items of a run, which keeps the scores."
)
@click.option("--check", "checks", multiple=True, help="Only this check; repeatable.  [default: all]")
@click.option("--against", multiple=True, metavar="NAME=PATH", help="Another set to search for the same items.")
@click.option("--listen", is_flag=True, help="Decode the clips: the same recordings, silent, clipped, narrow ones.")
@click.option("--fail-on", type=click.Choice(["note", "alarm"]), help="Exit code 1 where there is one.")
@click.option("--all", "everything", is_flag=True, help="Print the checks that found nothing, too.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@format_option
def command(
    dataset: str | None,
    folder: Path | None,
    checks: tuple[str, ...],
    against: tuple[str, ...],
    listen: bool,
    fail_on: str | None,
    everything: bool,
    quiet: bool,
    form: str,
    **data: Any,
) -> None:
    """Look for shortcuts, duplicates and faults in a data set, before any GPU is switched on.

    Classifiers that see only the texts, exact tests of what is on the options' surface, places of the gold,
    faults of keys, duplicates within the set and in others. --against takes a data set by name
    (mmau=mmau-test-mini.json reads it in the layout of mmau) or any file (train=my.jsonl).
    See docs/audit.md for what each check does and where it stops.

    \b
    Examples:
      audiocontrib audit --dataset rul-muchomusic --data RUL-MuchoMusic.json
      audiocontrib audit --dataset my.jsonl --against mmau=mmau-test-mini.json --fail-on alarm
      audiocontrib audit --run runs/demo --listen
      audiocontrib audit --dataset demo --check probes --format json
    """
    from audiocontrib.api.audit import audit
    from audiocontrib.audit.base import SEVERITIES
    from audiocontrib.store import Run

    if (dataset is None) == (folder is None):
        raise UsageError("name a data set with --dataset, or a run with --run; one of the two")
    run = Run.open(folder, audio_root=data["audio_root"]) if folder else None
    seen = audit(
        run or load_dataset(str(dataset), progress=not quiet, **data),
        checks=checks or None,
        against=dict(pair(text) for text in against),
        listen=listen,
        progress=not quiet,
    )
    if form == "json":
        put(seen.to_json())
    else:
        emit(_shown(seen, everything), form, "findings")
        _say_features(seen)
    if run:
        say(f"scores are kept in {run.path}: the view audit")
    if fail_on and SEVERITIES.index(seen.worst) >= SEVERITIES.index(fail_on):
        found = [s for s in seen.findings["severity"].to_pylist() if SEVERITIES.index(s) >= SEVERITIES.index(fail_on)]
        raise AudiocontribError(f"{len(found)} findings are {fail_on}s or worse")


def _shown(seen: Audit, everything: bool) -> pa.Table:
    """The findings that a person has to look at."""
    import pyarrow.compute as pc

    from audiocontrib.arrow import equal

    table = seen.findings.drop_columns(["p"])
    return table if everything else table.filter(pc.invert(equal(table["severity"], "ok")))


def _say_features(seen: Audit) -> None:
    rows = seen.features.to_pylist()
    for probe in dict.fromkeys(row["probe"] for row in rows):
        top = [row for row in rows if row["probe"] == probe and row["weight"] > 0][:TOP]
        named = [f"{r['feature']} (gold in {r['gold_share']:.0%} of {r['options']}, e.g. {r['example']})" for r in top]
        say(f"classifier that sees {probe}: it goes by {', '.join(named)}")
