"""Faults at full size: bits that flip in a run, Arrow files of others that are damaged, commands that are killed.

    python benchmarks/faults.py flips [--times 5000]
    python benchmarks/faults.py arrow [--times 500]
    python benchmarks/faults.py kills [--times 300]

Each prints one line of counts, and ends with 1 if a result changed, a process ended by a signal of its own, or an
answer was lost or asked twice. The tests hold the same on a few (tests/store, tests/audio).
"""

from __future__ import annotations

import argparse
import io
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import audiocontrib as ac
from audiocontrib.cli import main as command_line
from audiocontrib.errors import AudiocontribError

PROCESSES = get_context("forkserver")
PROCESSES.set_forkserver_preload(["audiocontrib.cli.score", "audiocontrib.models.mock", "pandas", "scipy.stats"])
MOCKS = ("mock:skill=0.9,leak=0.2,name=m1", "mock:skill=0.8,leak=0.5,name=m2", "mock:skill=0.7,leak=0.3,name=m3")
ENDED = 60.0
"""Seconds after which a command that was sent a signal counts as one that hangs."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("--times", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, times = FAULTS[given.fault]
        counts = work(Path(folder), given.times or times, random.Random(given.seed))
    print(f"{given.fault}: " + ", ".join(f"{n:,} {what}" for what, n in sorted(counts.items())))
    return int(any(counts[bad] for bad in BAD))


BAD = ("changed", "signal", "traceback", "hangs", "lost", "asked twice", "failed again", "unreadable")


def made(folder: Path) -> Path:
    """A run of the demo with three mocks, its contributions, audit, split, certificate, a reading, and evidence."""
    run = folder / "run"
    for arguments in (
        ["score", "--dataset", "demo", "--limit", "40", "--run", run, *_each("--model", MOCKS), "--quiet"],
        ["contribution", "--run", run],
        ["audit", "--run", run, "--check", "surface"],
        ["split", "--run", run, "--name", "one", "--model", "m1", "--model", "m2"],
        ["certify", "--run", run, "--split", "one", "--model", "m3", "--condition", "silence"],
    ):
        code, said = ended(arguments)
        assert code in (0, 1), said
    return run


def _each(option: str, values: tuple[str, ...]) -> Iterator[str]:
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


VIEWS = ("items", "quarantine", "responses", "contributions", "audit", "splits")


def results(folder: Path, *, times: bool = True) -> Any:
    """All that is read from a run; without the times of its answers where two runs are compared."""
    run = ac.open_run(folder)
    tables = list[Any]()
    for view in VIEWS:
        rows = run.table(f"from {view}")
        drop = [name for name in ("created_at", "seconds") if name in rows.column_names and not times]
        tables.append(sorted(map(repr, rows.drop_columns(drop).to_pylist())))
    names = sorted(path.name for path in (folder / "splits").glob("*"))  # `splits` would leave out a damaged one
    saved = [run.split(name) for name in names if not name.startswith(".")]
    kept = [(one.name, one.table.to_pylist(), dict(one.settings), list(one.certificates)) for one in saved]
    about = {key: value for key, value in run.manifest.items() if key not in ("made_here", "sha256")}
    return tables, repr(kept), about if times else about["identity"], [repr(item) for item in run.load_items()]


def flips(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """One bit at a time, over all files of a run in turn."""
    run = made(folder)
    wanted, counts = results(run), Counter[str]()
    files = [path for path in sorted(run.rglob("*")) if path.is_file() and path.name != ".lock"]
    for number in range(times):
        path = files[number % len(files)]
        kept, about = path.read_bytes(), path.stat()
        bad = bytearray(kept)
        bad[rng.randrange(len(kept))] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        try:
            counts["the same" if results(run) == wanted else "changed"] += 1
        except AudiocontribError as error:
            counts["refused in one line" if len(str(error).splitlines()) == 1 else "traceback"] += 1
        except Exception as error:  # any other is a fault: it would be called unexpected
            counts["traceback"] += 1
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
        path.write_bytes(kept)
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns + number))
        _progress(number, counts)
    return counts + Counter({"files": len(files)})


def arrow(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """A data set as ``datasets`` saves it, whose file has bytes turned, a piece cut out, or its end lost."""
    from datasets import Dataset

    rows = {"id": [f"q{n}" for n in range(40)], "question": [f"Which sound is heard in {n}?" for n in range(40)],
            "choices": [["bell", "hiss", "horn"]] * 40, "answer": ["bell", "hiss"] * 20}  # fmt: skip
    Dataset.from_dict(rows).save_to_disk(str(folder / "set"))
    [path] = (folder / "set").glob("*.arrow")
    kept, counts = path.read_bytes(), Counter[str]()
    for number in range(times):
        bad = bytearray(kept)
        at = rng.randrange(len(bad))
        kind = number % 4
        if kind == 0:
            bad[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            bad[at : at + 8] = rng.randbytes(8)
        elif kind == 2:
            bad = bad[:at]
        else:
            del bad[at : at + rng.randrange(1, 64)]
        path.write_bytes(bad)
        os.utime(path, ns=(number + 1, number + 1))
        look = ["validate", "--dataset", folder / "set", "--map", "audio=-"]
        process = PROCESSES.Process(target=_quiet, args=(look,))
        process.start()
        process.join()
        code = process.exitcode or 0
        counts["signal" if code < 0 else "traceback" if code > 2 else f"exit {code}"] += 1
        _progress(number, counts)
    return counts


def _quiet(arguments: list[Any]) -> None:
    """A command as a process; 3 if it is called unexpected or shows a traceback."""
    code, said = ended(arguments)
    sys.exit(3 if "Traceback" in said or "unexpected" in said else code)


@dataclass(frozen=True)
class Work:
    """A command that writes, on a run, and what it needs before."""

    name: str
    arguments: tuple[Any, ...]
    needs: tuple[str, ...] = ()


def works(run: Path) -> list[Work]:
    """Commands that write to a run, each after those that it builds on."""
    out, after = run.parent / "out", ("score", "split")
    mocks, certify = tuple(_each("--model", MOCKS)), ("--model", "m3", "--condition", "silence")
    score = ("score", "--dataset", "demo", "--limit", "40", "--run", run, *mocks, "--quiet", "--save-every", "0")
    export = ("--stage", "sft", "--for", "swift", "--copy-clips", "--out", out)
    return [
        Work("score", score),
        Work("contribution", ("contribution", "--run", run), ("score",)),
        Work("audit", ("audit", "--run", run, "--check", "surface"), ("score",)),
        Work("split", ("split", "--run", run, "--name", "one", "--model", "m1", "--model", "m2"), ("score",)),
        Work("certify", ("certify", "--run", run, "--split", "one", *certify), after),
        Work("report", ("report", "--run", run), ("score",)),
        Work("reread", ("reread", "--run", run), ("score",)),
        Work("verify", ("verify", "--run", run, "--repair"), after),
        Work("export", ("export", "--run", run, "--split", "one", *export), after),
        Work("card", ("card", "--run", run, "--split", "one", "--out", run.parent / "card.md"), after),
    ]


def kills(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """SIGKILL or SIGTERM at a random moment of a command; the same command again ends it."""
    counts, takes, ready = Counter[str](), dict[str, float](), dict[str, tuple[Path, Any]]()
    for number in range(times):
        name = [work.name for work in works(folder)][number % 10]
        run = folder / "now" / "run"
        work = next(one for one in works(run) if one.name == name)
        if name not in ready:  # once: what it finds, how long it takes, what it makes
            before = folder / f"before-{name}"
            for needed in [one for one in works(before / "run") if one.name in work.needs]:
                _started(needed).join()
            shutil.copytree(before, folder / f"whole-{name}", dirs_exist_ok=True) if before.exists() else None
            whole = folder / f"whole-{name}" / "run"
            start = time.monotonic()
            process = _started(next(one for one in works(whole) if one.name == name))
            process.join()
            takes[name] = time.monotonic() - start
            ready[name] = before, results(whole, times=False)
        before, wanted = ready[name]
        shutil.rmtree(folder / "now", ignore_errors=True)
        shutil.copytree(before, folder / "now") if before.exists() else None
        term = rng.random() < 0.5
        code = _killed(work, rng.uniform(0, takes[name]), signal.SIGTERM if term else signal.SIGKILL)
        if code is None:
            counts["hangs"] += 1
            continue
        counts["ended before" if code in (0, 1) else "SIGTERM" if term else "SIGKILL"] += 1
        counts.update(_after(work, run, wanted))
        _progress(number, counts)
    return counts


def _progress(number: int, counts: Counter[str]) -> None:
    if (number + 1) % 100 == 0:
        print(f"{number + 1:,}: {dict(counts)}", file=sys.stderr, flush=True)


def _after(work: Work, run: Path, wanted: Any) -> Iterator[str]:
    """What is wrong with a run after a kill, and after the same command once more."""
    if (run / "run.json").exists():
        try:
            results(run)
        except AudiocontribError as error:
            print(f"{work.name}: {error}", file=sys.stderr)
            yield "unreadable"
    kept = _keys(run)
    again = _started(work)
    again.join()
    if again.exitcode not in (0, 1):
        yield "failed again"
        return
    if results(run, times=False) != wanted:
        yield "changed"
    keys = _keys(run)
    if len(keys) != len(set(keys)):
        yield "asked twice"
    if not set(kept) <= set(keys):
        yield "lost"


def _keys(run: Path) -> list[str]:
    """Keys of all rows in a run's parts, read as they are."""
    parts = sorted((run / "responses").glob("*.parquet"))
    return [key for part in parts for key in pq.read_table(part, columns=["request_key"])[0].to_pylist()]


def _started(work: Work) -> Any:
    process = PROCESSES.Process(target=_command, args=([str(one) for one in work.arguments],))
    process.start()
    return process


def _command(arguments: list[str]) -> None:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    command_line(arguments)


def _killed(work: Work, after: float, number: int) -> int | None:
    """Exit code of a command that was sent a signal; None if it did not end."""
    process = _started(work)
    time.sleep(after)
    if process.is_alive():
        os.kill(process.pid, number)
    process.join(ENDED)
    if process.is_alive():
        process.kill()
        return None
    return int(process.exitcode)


FAULTS: dict[str, tuple[Callable[[Path, int, random.Random], Counter[str]], int]] = {
    "flips": (flips, 5000),
    "arrow": (arrow, 500),
    "kills": (kills, 300),
}

if __name__ == "__main__":
    sys.exit(main())
