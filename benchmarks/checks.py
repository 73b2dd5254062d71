"""What the hashes of a run's files cost: processor time in them, over that of all else, in the same process.

python benchmarks/checks.py score [--items 4000] [--repeats 3]      mocks answer; with --model, another model
python benchmarks/checks.py split [--items 571118] [--repeats 3]    three models, three conditions, all orders
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from fault_runs import ended
from measurement import make

import audiocontrib as ac
from audiocontrib.stopping import stopping
from audiocontrib.store import files, json_seal, seal, write_table_atomic

SPENT: list[float] = []
"""Seconds of each check, in the thread that made it."""


def timed(place: Any, name: str) -> None:
    """Measure a function of a module from now on."""
    made = getattr(place, name)

    def measured(*given: Any) -> Any:
        start = time.thread_time()
        try:
            return made(*given)
        finally:
            SPENT.append(time.thread_time() - start)

    setattr(place, name, measured)


def score(folder: Path, items: int, model: str) -> Callable[[int], Any]:
    """A new run each time."""
    asked = ac.load_items("demo", limit=items)
    return lambda n: ac.score(asked, [model], ["silence", "text"], run=folder / str(n), progress=False)


def split(folder: Path, items: int, model: str) -> Callable[[int], Any]:
    """The command, by the published rule, on a run whose parts have a hash each, read as by a new process."""
    make(folder / "run", items)
    for path in (folder / "run").rglob("*.parquet"):
        write_table_atomic(pq.read_table(path), path)
    run, parts = ac.open_run(folder / "run"), list((folder / "run").glob("responses/*"))
    [rows] = run.query("select count(*) as n from responses").n
    print(f"{rows:,} answers in {len(parts)} parts, {sum(p.stat().st_size for p in parts) / 1e6:,.0f} MB", flush=True)
    return lambda n: ended(["split", "--run", run.path, "--name", f"split-{n}", "--format", "csv"])


def main() -> None:
    """A line for each repeat."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=("score", "split"))
    parser.add_argument("--items", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default="mock:leak=0.5")
    given = parser.parse_args()
    prepare, items = (score, 4000) if given.work == "score" else (split, 571_118)
    for place, name in ((seal, "_seal_place"), (seal, "_sha256"), (json_seal, "_sealed"), (json_seal, "_unseal")):
        timed(place, name)
    assert files.close_seal is seal.close_seal  # which calls what is measured
    with stopping(), tempfile.TemporaryDirectory() as folder:
        work = prepare(Path(folder), given.items or items, given.model)
        for n in range(given.repeats):
            seal.forget_checked()
            SPENT.clear()
            start = time.process_time()
            work(n)
            checks, whole = sum(SPENT), time.process_time() - start
            print(f"{given.work}: {checks:.3f} s in checks, {whole - checks:.2f} s in all else: "
                  f"+{checks / (whole - checks):.2%}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
