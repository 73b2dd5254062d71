"""What the benchmarks of faults share: a run with all that a run can hold, its results, and commands as processes."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import audiocontrib as ac
from audiocontrib.cli import main as command_line
from audiocontrib.models.cascade.evidence import SoundFindings
from audiocontrib.models.cascade.evidence_cache import Keep

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["audiocontrib.cli.score", "audiocontrib.models.mock", "pandas", "scipy.stats"])
MOCKS = ("mock:skill=0.9,leak=0.2,name=m1", "mock:skill=0.8,leak=0.5,name=m2", "mock:skill=0.7,leak=0.3,name=m3")
HEARD = {name * 64: SoundFindings(("dog", name), ("dog", "horn"), f"the word {name}", "English") for name in "abcd"}
"""Evidence by the hash of a sound."""
VIEWS = ("items", "quarantine", "responses", "contributions", "audit", "splits")


def made(folder: Path) -> Path:
    """A run of the demo with three mocks, its contributions, audit, split, certificate, a reading, and evidence."""
    run = folder / "run"
    for arguments in (
        ["score", "--dataset", "demo", "--limit", "40", "--run", run, *each("--model", MOCKS), "--quiet"],
        ["contribution", "--run", run],
        ["audit", "--run", run, "--check", "surface"],
        ["split", "--run", run, "--name", "one", "--model", "m1", "--model", "m2"],
        ["certify", "--run", run, "--split", "one", "--model", "m3", "--condition", "silence"],
    ):
        code, said = ended(arguments)
        assert code in (0, 1), said
    kept = _evidence(run)
    for sha256, found in HEARD.items():
        kept.put(sha256, found)
    return run


def _evidence(run: Path) -> Keep:
    kept = Keep("f" * 64)
    kept.open(run / "evidence")
    return kept


def each(option: str, values: Iterable[str]) -> Iterator[str]:
    """The option before each of the values."""
    for value in values:
        yield from (option, value)


def ended(arguments: list[Any]) -> tuple[int, str]:
    """Exit code of a command in this process, and what it said."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            command_line([str(one) for one in arguments])
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    return 0, said.getvalue()


def results(folder: Path, *, times: bool = True) -> Any:
    """All that is read from a run; without the times of its answers where two runs are compared."""
    run = ac.open_run(folder)
    tables = list[Any]()
    for view in VIEWS:
        rows = run.table(f"from {view}")
        drop = [name for name in ("created_at", "seconds") if name in rows.column_names and not times]
        tables.append(sorted(map(repr, rows.drop_columns(drop).to_pylist())))
    kept = _evidence(folder)
    wrong = {name for name, found in HEARD.items() if kept.get(name) not in (None, found)}  # None: heard again
    names = sorted(path.name for path in (folder / "splits").glob("*"))  # `splits` would leave out a damaged one
    saved = [run.split(name) for name in names if not name.startswith(".")]
    splits = [(one.name, one.table.to_pylist(), dict(one.settings), list(one.certificates)) for one in saved]
    about = {key: value for key, value in run.manifest.items() if key not in ("made_here", "sha256")}
    return tables, repr(splits), wrong, about if times else about["identity"], [repr(item) for item in run.load_items()]


def keys(run: Path) -> list[str]:
    """Keys of all rows in a run's parts, read as they are."""
    parts = sorted((run / "responses").glob("*.parquet"))
    return [key for part in parts for key in pq.read_table(part, columns=["request_key"])[0].to_pylist()]


def started(arguments: Iterable[Any], said: str = os.devnull) -> Any:
    """A command as a process, under way; what it says goes to a file."""
    process = PROCESSES.Process(target=_command, args=([str(one) for one in arguments], said))
    process.start()
    return process


def _command(arguments: list[str], said: str) -> None:
    with Path(said).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    command_line(arguments)


def progress(number: int, counts: Counter[str]) -> None:
    """A line to standard error for every hundred."""
    if (number + 1) % 100 == 0:
        print(f"{number + 1:,}: {dict(counts)}", file=sys.stderr, flush=True)
