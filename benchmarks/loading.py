"""A data set of AudioMCQ's size, from its files to a run's items.parquet: seconds and memory of every step.

python benchmarks/loading.py            # 571,118 rows, about 1.1 GB, in a temporary folder
python benchmarks/loading.py 57112      # a tenth of it
python benchmarks/loading.py --keep /tmp/mcq   # the files stay, and are used again
python benchmarks/loading.py --arrays   # every source as one JSON array: none can be read line by line

Sources, question types and their counts are the published ones; texts and chains of thought are made of random
words, as long as the published files are per row on average.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

ROWS = 571_118
SOURCES = {
    "SpeechCraft": (228_033, ("speech",)),
    "CompA-R": (197_218, ("sound", "speech")),
    "AudioCaps": (90_549, ("sound",)),
    "Tacos": (33_320, ("temporal",)),
    "LP-MusicCaps-MTT": (15_560, ("music",)),
    "Clotho": (3_801, ("sound",)),
    "MusicCaps": (2_637, ("music",)),
}
ARRAYS = ("AudioCaps", "Clotho")
"""Sources that are written as one JSON array, as the published files may be; the others as JSON lines. (Which of
them the published files are is not known.)"""
QUESTIONS_A_CLIP = 3


def rows(source: str, n: int, r: random.Random) -> Iterator[dict[str, Any]]:
    """Rows in the published schema. The two chains of thought stand under names of our own."""
    words = ["".join(r.choices("etaoinshrdlucmfw", k=r.randint(2, 9))) for _ in range(5000)] + ["Gespräch", "歌声"]
    texts = [" ".join(r.choices(words, k=178)) for _ in range(2000)]
    short = [" ".join(r.choices(words, k=40)) for _ in range(2000)]
    for number in range(n):
        choices = [" ".join(r.choices(words, k=r.randint(1, 7))) for _ in range(4)]
        yield {
            "source_dataset": source,
            "id": str(number),
            "question_type": r.choice(SOURCES[source][1]),
            "audio_path": f"{source}/{number // QUESTIONS_A_CLIP:06d}_{r.choice(words)}.wav",
            "question": f"What {' '.join(r.choices(words, k=12))}?",
            "answer": r.choice(choices),
            "choices": choices,
            "audio-contribution": r.choice(("weak", "strong")),
            "structured_cot": f"<stage1>{number}</stage1> <stage2>{r.choice(texts)}</stage2>",
            "unstructured_cot": f"<simple analysis> {r.choice(short)}",
        }


def write(folder: Path, n: int, arrays: Collection[str]) -> int:
    """Write about ``n`` rows below ``folder``, in the published proportions; gives the bytes."""
    (folder / "datasets").mkdir(parents=True)
    for source, (count, _) in SOURCES.items():
        made = rows(source, max(1, count * n // ROWS), random.Random(source))
        texts = (json.dumps(row, ensure_ascii=False) for row in made)
        if source in arrays:
            with (folder / "datasets" / f"{source}.json").open("w", encoding="utf-8") as file:
                file.write("[\n" + next(texts))
                file.writelines(f",\n{text}" for text in texts)
                file.write("\n]\n")
        else:
            with (folder / "datasets" / f"{source}.jsonl").open("w", encoding="utf-8") as file:
                file.writelines(f"{text}\n" for text in texts)
    return sum(file.stat().st_size for file in folder.rglob("*.json*"))


def timed(name: str, step: Callable[[], Any]) -> Any:
    start, cpu = time.perf_counter(), time.process_time()
    result = step()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    print(f"{name:<28}{wall:8.1f} s wall {used:8.1f} s of a core {peak:8.2f} GB peak", flush=True)
    return result


def measure(folder: Path, run: Path) -> None:
    """Load, validate and write, in a process of its own, so that the peak is that of these steps."""
    from audiocontrib.audit import validate
    from audiocontrib.sources import load_items
    from audiocontrib.store import Run

    start = time.perf_counter()
    items = timed("load", lambda: load_items("audiomcq", data=folder, progress=True))
    found = timed("validate (no audio)", lambda: validate(items, clips="no"))
    identity = {"identity": {"dataset": {"name": "audiomcq"}, "models": {}, "conditions": []}}
    timed("write items.parquet", lambda: Run.create_or_resume(run, identity, items))
    whole = time.perf_counter() - start
    size = (run / "items.parquet").stat().st_size / 1e9
    print(f"{len(items):,} items, {len(items.quarantined):,} quarantined, {found.counts.num_rows} counts")
    print(f"all: {whole:.1f} s, {len(items) / whole:,.0f} rows/s; items.parquet {size:.2f} GB")
    timed("again, on the run made", lambda: Run.create_or_resume(run, identity, items))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=int, nargs="?", default=ROWS)
    parser.add_argument("--keep", type=Path, help="folder that the files are written to, or were")
    parser.add_argument("--arrays", action="store_true", help="every source as one JSON array")
    parser.add_argument("--measure", type=Path, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(*given.measure)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch) / "audiomcq"
        if not folder.exists():
            start = time.perf_counter()
            size = write(folder, given.rows, SOURCES if given.arrays else ARRAYS)
            print(f"{size / 1e9:.2f} GB written in {time.perf_counter() - start:.0f} s", flush=True)
        measured = [sys.executable, __file__, "--measure", str(folder), str(Path(scratch) / "run")]
        subprocess.run(measured, check=True)


if __name__ == "__main__":
    main()
