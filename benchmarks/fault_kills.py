"""Commands that write to a run, killed at a random moment: the same command again ends the work."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_runs import MOCKS, each, keys, progress, results, started

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError

ENDED = 60.0
"""Seconds after which a command that was sent a signal counts as one that hangs."""


MOMENT = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.+]+")
OWN = """
from pathlib import Path

def answer(prompt, audio):
    with Path(__file__).with_name("asked").open("a") as file:
        file.write(prompt.replace("\\n", " ") + "\\n")
    return "<answer>" + prompt.split("['")[1].split("'")[0] + "</answer>"
"""
"""A model that writes down what it is asked."""


@dataclass(frozen=True)
class Work:
    """A command that writes, on a run, and what it needs before."""

    name: str
    arguments: tuple[Any, ...]
    needs: tuple[str, ...] = ()


def works(folder: Path) -> list[Work]:
    """Commands that write, each after those that it builds on; all that they write is in the folder."""
    run, out, after = folder / "run", folder / "out", ("score", "split")
    mocks, certify = tuple(each("--model", MOCKS)), ("--model", "m3", "--condition", "silence")
    demo = ("--dataset", "demo", "--limit", "40", "--run", run)
    often = ("--quiet", "--save-every", "0")
    own = ("--model", folder / "own.py:answer", "--name", "own", "--condition", "text", "--orders", "given")
    drawn = ("--method", "generate", "--repeats", "2", "--temperature", "1")
    answers = ("--model", "m1", "--for", "model-index", "--out", out / "x.yaml")
    export = ("--stage", "sft", "--for", "swift", "--copy-clips", "--out", out / "rows")
    return [
        Work("score", ("score", *demo, *mocks, *often)),
        Work("own", ("score", *demo, *own, "--method", "generate", "--quiet", "--save-every", "1000")),
        Work("replies", ("score", *demo, *mocks, *often, *drawn)),
        Work("import", ("import", folder / "answers.jsonl", *demo)),
        Work("contribution", ("contribution", "--run", run), ("score",)),
        Work("audit", ("audit", "--run", run, "--check", "surface"), ("score",)),
        Work("split", ("split", "--run", run, "--name", "one", "--model", "m1", "--model", "m2"), ("score",)),
        Work("certify", ("certify", "--run", run, "--split", "one", *certify), after),
        Work("report", ("report", "--run", run), ("score",)),
        Work("reread", ("reread", "--run", run), ("replies",)),
        Work("verify", ("verify", "--run", run, "--repair"), after),
        Work("export", ("export", "--run", run, "--split", "one", *export), after),
        Work("card", ("card", "--run", run, "--split", "one", "--out", out / "card.md"), after),
        Work("results", ("results", "--run", run, *answers), after),
    ]


def laid(folder: Path) -> Path:
    """A folder with what the commands read beside a run."""
    (folder / "out").mkdir(parents=True)
    (folder / "own.py").write_text(OWN)
    rows = [
        {"item_id": item.id, "model": "theirs", "condition": condition, "choice": len(item.id) % len(item.choices)}
        for item in ac.load_items("demo", limit=40)
        for condition in ("audio", "silence")
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def written(folder: Path) -> dict[str, bytes]:
    """What lies beside the run, but for the time of its making."""
    paths = [path for path in (folder / "out").rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): MOMENT.sub(b"", path.read_bytes()) for path in paths}


def kills(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """SIGKILL or SIGTERM at a random moment of a command; the same command again ends it."""
    counts, ready = Counter[str](), dict[str, Whole]()
    names = [work.name for work in works(folder)]
    for number in range(times):
        name = names[number % len(names)]
        whole = ready.setdefault(name, _whole(folder / name, name)) if name not in ready else ready[name]
        now = folder / name / "now"
        shutil.rmtree(now, ignore_errors=True)
        shutil.copytree(whole.before, now)
        work = _named(now, name)
        term = rng.random() < 0.5
        code = _killed(work, rng.uniform(0, whole.seconds), signal.SIGTERM if term else signal.SIGKILL)
        if code is None:
            counts["hangs"] += 1
            continue
        counts["ended before" if code == whole.code else "SIGTERM" if term else "SIGKILL"] += 1
        wrong = Counter(_after(work, now, whole, term=term))
        counts += wrong
        if wrong:
            print(f"{name}, {'SIGTERM' if term else 'SIGKILL'}, {code}: {dict(wrong)}", file=sys.stderr)
        progress(number, counts)
    return counts


@dataclass(frozen=True)
class Whole:
    """A command that ended well."""

    before: Path
    """What it finds."""
    code: int
    seconds: float
    results: Any
    written: dict[str, bytes]
    asked: int


def _asked(folder: Path) -> int:
    """How many questions the model of one's own got."""
    path = folder / "asked"
    return len(path.read_text().splitlines()) if path.exists() else 0


def _named(folder: Path, name: str) -> Work:
    return next(one for one in works(folder) if one.name == name)


def _whole(folder: Path, name: str) -> Whole:
    """What a command finds, how long it takes, and what it makes."""
    before, now = laid(folder / "before"), folder / "now"
    for needed in [one for one in works(before) if one.name in _named(before, name).needs]:
        started(needed.arguments).join()
    shutil.copytree(before, now)
    start = time.monotonic()
    process = started(_named(now, name).arguments, str(folder / "said"))
    process.join()
    seconds = time.monotonic() - start
    if process.exitcode not in (0, 1):
        raise RuntimeError(f"{name}: {(folder / 'said').read_text()}")
    return Whole(before, process.exitcode, seconds, results(now / "run", times=False), written(now), _asked(now))


def _after(work: Work, folder: Path, whole: Whole, *, term: bool) -> Iterator[str]:
    """What is wrong after a kill, and after the same command once more."""
    run = folder / "run"
    if (run / "run.json").exists():
        try:
            results(run)
        except AudiocontribError as error:
            print(f"{work.name}: {error}", file=sys.stderr)
            yield "unreadable"
    kept = keys(run)
    again = started(work.arguments)
    again.join()
    if again.exitcode != whole.code:
        yield "failed again"
        return
    if results(run, times=False) != whole.results:
        yield "changed"
    if written(folder) != whole.written:
        yield "written otherwise"
    held = keys(run)
    if len(held) != len(set(held)) or (term and _asked(folder) != whole.asked):
        yield "asked twice"
    if not set(kept) <= set(held):
        yield "lost"


def _killed(work: Work, after: float, number: int) -> int | None:
    """Exit code of a command that was sent a signal; None if it did not end."""
    process = started(work.arguments)
    time.sleep(after)
    if process.is_alive():
        os.kill(process.pid, number)
    process.join(ENDED)
    if process.is_alive():
        process.kill()
        return None
    return int(process.exitcode)
