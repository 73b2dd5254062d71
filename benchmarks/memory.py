"""Peak memory of a scoring run against the number of items: it should not grow with them.

    python benchmarks/memory.py [--items 2000 20000] [--model tiny-qwen2.5-omni]

Every item has a clip of its own. Each size is a process of its own, started from the command line; the figure is the
peak of its resident memory as the kernel counts it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

from audiocontrib.audio import RATE
from audiocontrib.stopping import stopping


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--model", default="tiny-qwen2.5-omni")
    given = parser.parse_args()
    peaks = []
    for count in given.items:
        with stopping(), tempfile.TemporaryDirectory() as folder:
            make(Path(folder), count)
            peak, seconds = scored(Path(folder), given.model)
        peaks.append(peak)
        print(f"{count:>7,} items: peak {peak / 2**20:,.0f} MiB, {seconds:.0f} s of processor time", flush=True)
    print(f"the last is {peaks[-1] / peaks[0]:.3f} times the first")


def make(folder: Path, count: int) -> None:
    """A JSONL file of questions about clips of 0.3 s."""
    dice = np.random.default_rng(0)
    with (folder / "set.jsonl").open("w") as rows:
        for number in range(count):
            with wave.open(str(folder / f"{number}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes((dice.standard_normal(round(0.3 * RATE)) * 3000).astype("<i2").tobytes())
            row = {"id": f"q{number}", "question": f"Which sound is heard in recording {number}?", "answer": "hiss",
                   "choices": ["bell", "hiss", "whistle"], "audio": f"{number}.wav"}  # fmt: skip
            rows.write(json.dumps(row) + "\n")


def scored(folder: Path, model: str) -> tuple[int, float]:
    """Peak resident bytes and processor seconds of a run from the command line."""
    command = [
        sys.executable, "-m", "audiocontrib", "score", "--dataset", str(folder / "set.jsonl"), "--model", model,
        "--condition", "audio", "--orders", "given", "--quiet", "--run", str(folder / "run"), "--device", "cpu",
    ]  # fmt: skip
    process = os.posix_spawn(
        sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, used = os.wait4(process, 0)
    if status:
        raise SystemExit("the run failed")
    return used.ru_maxrss * 1024, used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
