"""How fast the viewer answers on a run of the published size, and how much memory its process takes.

Makes the run of benchmarks/measurement.py (571,118 items, three models, three conditions, every cyclic order), with a
saved split, serves it in a process of its own, and asks each page 20 times.

    python benchmarks/viewer.py
    python benchmarks/viewer.py --items 20000
    python benchmarks/viewer.py --folder runs/large      # made if it is not there, and kept
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx2
from measurement import ITEMS, make

from audiocontrib import open_run, split
from audiocontrib.view.counted import KEPT

TIMES = 20
PAGES: dict[str, dict[str, str]] = {
    "first page": {},
    "two words": {"find": "recording 12345"},
    "type": {"type": "music"},
    "part of a split": {"split": "weak"},
    "wrong with the audio": {"model": "model-a", "condition": "audio", "result": "wrong"},
    "right only with the audio": {"changed": "right only with the audio"},
    "sorted by score": {"sort": "-score"},
    "sorted by contribution": {"sort": "contribution"},
    "sorted by question": {"sort": "-question"},
    "sorted by part": {"sort": "split"},
    "a word, sorted": {"find": "shade 3", "sort": "p_audio"},
    "the last page": {"from": "{last}"},
    "two models": {"model": "model-a", "other": "model-b", "differs": "right only here"},
}


def memory(process: int, name: str) -> float:
    """GB of a process: VmRSS now, VmHWM at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 2**20


def ask(tab: httpx2.Client, path: str, **words: str) -> tuple[float, Any]:
    """Seconds, and the answer."""
    begin = time.perf_counter()
    answer = tab.get(path, params={"run": "large", **words})
    answer.raise_for_status()
    return time.perf_counter() - begin, answer.json()


def measure(run: Path) -> None:
    (run / KEPT).unlink(missing_ok=True)
    command = [sys.executable, "-m", "audiocontrib", "view", str(run)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = server.stderr.readline().strip()
        with httpx2.Client(base_url=address.split("?")[0], follow_redirects=True, timeout=600) as tab:
            begin = time.perf_counter()
            tab.get(address).raise_for_status()
            for path in ("/api/runs", "/api/run", "/api/items"):
                _, told = ask(tab, path)
            print(f"{'page of a new run, cold':28}{time.perf_counter() - begin:8.2f} s")
            while ask(tab, "/api/state")[1]["busy"]:
                time.sleep(0.5)
            print(f"{'counted after':28}{time.perf_counter() - begin:8.2f} s")
            last = str(told["of"] - 50)
            for name, words in PAGES.items():
                given = {key: word.format(last=last) for key, word in words.items()}
                found = [ask(tab, "/api/items", **given) for _ in range(TIMES)]
                seconds = [one for one, _ in found]
                print(f"{name:28}{median(seconds):8.2f} s, at most {max(seconds):.2f}; {found[0][1]['found']:,} items")
            ids = [row["id"] for row in ask(tab, "/api/items", **{"from": last})[1]["items"]]
            print(f"{'one item':28}{median(ask(tab, '/api/item', item=name)[0] for name in ids[:TIMES]):8.2f} s")
        now, most = memory(server.pid, "VmRSS"), memory(server.pid, "VmHWM")
        print(f"{'memory':28}{now:8.2f} GB, at most {most:.2f}")
        server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--folder", type=Path, help="where the run is, or is to be made, called large; else temporary")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        run = given.folder or Path(temporary) / "large"
        if not run.exists():
            make(run, given.items)
        opened = open_run(run)
        if not opened.splits():
            split(opened, rule="votes").save(opened.split_folder("votes"))
        measure(run)


if __name__ == "__main__":
    main()
