"""Any number of processes on one run, killed at any moment."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from helpers.processes import PROCESSES
from helpers.store_tools import counted, item, manifest, response, start, work, write_all

from audiocontrib.items import Items
from audiocontrib.store import Run


@pytest.mark.slow
def test_processes_that_start_at_once_share_a_run(tmp_path: Path) -> None:
    go_at = time.time() + 2  # long enough for all of them to stand ready
    own = [range(n, n + 10) for n in (0, 10, 20, 30)]
    running = [PROCESSES.Process(target=write_all, args=(tmp_path / "r", ids.start, len(ids), go_at)) for ids in own]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
        assert process.exitcode == 0
    run = Run.open(tmp_path / "r")
    assert set(run.manifest["identity"]["models"]) == {f"model-{ids.start}" for ids in own}
    assert sorted(i.id for i in run.load_items()) == sorted(f"toy/{i}" for i in range(40))
    assert counted(run) == (40, 40)
    assert len(list((run.path / "responses").iterdir())) == 40
    assert sorted(run.query("from quarantine").item_id) == ["toy/0", "toy/10", "toy/20", "toy/30"]


@pytest.mark.slow
def test_a_reader_never_sees_half_a_part(tmp_path: Path) -> None:
    run = start(tmp_path / "r", 60)
    writer = PROCESSES.Process(target=work, args=(run.path, 60, 0.05))
    writer.start()
    seen = []
    while writer.is_alive() or not seen:
        rows, keys = counted(run)
        assert rows == keys
        assert rows % 3 == 0, "parts hold three rows each"
        seen.append(rows)
    writer.join()
    assert writer.exitcode == 0
    assert seen == sorted(seen)
    assert len(set(seen)) > 3, "the reader did not run beside the writer"
    assert counted(run) == (60, 60)


@pytest.mark.slow
def test_kills_lose_at_most_a_batch_and_the_same_work_again_completes(tmp_path: Path) -> None:
    chance, folder, n = random.Random(0), tmp_path / "r", 900
    at_kill, kept = [], 0
    for kill in range(10):
        writer = PROCESSES.Process(target=work, args=(folder, n, 0.004))
        writer.start()
        # half of the kills fall anywhere, the making of the run included; half while parts are written
        while kill % 2 and writer.is_alive() and len(list(folder.glob("responses/*.parquet"))) * 3 <= kept:
            time.sleep(0.002)
        time.sleep(chance.uniform(0.01, 0.15))
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        at_kill.append(writer.exitcode)
        parts = list(folder.glob("responses/*.parquet"))
        assert all(pq.ParquetFile(part).metadata.num_rows == 3 for part in parts)
        if (folder / "run.json").exists():
            run = Run.open(folder)
            assert len(run.load_items()) == n
            assert len(run.answered()) == 3 * len(parts) >= kept
            kept = 3 * len(parts)
    assert at_kill.count(-signal.SIGKILL) == 10
    assert 0 < kept < n, "the kills fell before or after the work"
    work(folder, n)
    run = Run.open(folder)
    assert counted(run) == (n, n)
    assert len(list(folder.glob("responses/*.parquet"))) == n // 3, "nothing was asked twice"


def test_what_a_kill_leaves_is_not_read_and_later_removed(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    run.append([response(0)])
    (part,) = (run.path / "responses").iterdir()
    fresh, old = (run.path / "responses" / f".{name}.parquet.tmp" for name in ("fresh", "old"))
    for path in (fresh, old):
        path.write_bytes(part.read_bytes()[:50])
    os.utime(old, (time.time() - 4000,) * 2)
    assert counted(run) == (1, 1)
    start(tmp_path / "r")
    assert fresh.exists(), "its writer may be alive"
    assert not old.exists()


def test_a_kill_while_a_run_is_made_is_mended_by_the_next_start(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    (run.path / "run.json").unlink()  # it is written last
    (run.path / "items.parquet").write_bytes(b"")
    again = Run.create_or_resume(run.path, manifest(), Items([item(8)]))
    assert [i.id for i in again.load_items()] == ["toy/8"]
