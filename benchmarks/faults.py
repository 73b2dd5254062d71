"""Faults, many at random: bits that flip, damaged Arrow files, commands that are killed, processes that share a run.

    python benchmarks/faults.py flips [--times 5000]
    python benchmarks/faults.py arrow [--times 500]
    python benchmarks/faults.py kills [--times 300]
    python benchmarks/faults.py ray|array|disk [--times 1]     processes that fill one run; disk needs root

Each prints one line of counts, and ends with 1 if a result changed, a process ended by a signal of its own, or an
answer was lost or asked twice. The tests hold the same on a few (tests/store, tests/audio).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fault_kills import kills
from fault_runs import PROCESSES, ended, made, progress, results
from fault_shared import array, disk, ray

from audiocontrib.errors import AudiocontribError
from audiocontrib.stopping import stopping

BAD = ("changed", "signal", "traceback", "hangs", "lost", "asked twice", "failed again", "unreadable",
       "written otherwise")  # fmt: skip


def main() -> int:
    """Counts of a fault, in one line; 1 if any of them is BAD."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fault", choices=FAULTS)
    parser.add_argument("--times", type=int)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with stopping(), tempfile.TemporaryDirectory() as folder:
        work, times = FAULTS[given.fault]
        counts = work(Path(folder), given.times or times, random.Random(given.seed))
    print(f"{given.fault}: " + ", ".join(f"{n:,} {what}" for what, n in sorted(counts.items())))
    return int(any(counts[bad] for bad in BAD))


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
        progress(number, counts)
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
        progress(number, counts)
    return counts


def _quiet(arguments: list[Any]) -> None:
    """A command as a process; 3 if it is called unexpected or shows a traceback."""
    code, said = ended(arguments)
    sys.exit(3 if "Traceback" in said or "unexpected" in said else code)


FAULTS: dict[str, tuple[Callable[[Path, int, random.Random], Counter[str]], int]] = {
    "flips": (flips, 5000),
    "arrow": (arrow, 500),
    "kills": (kills, 300),
    "ray": (ray, 1),
    "array": (array, 1),
    "disk": (disk, 1),
}

if __name__ == "__main__":
    sys.exit(main())
