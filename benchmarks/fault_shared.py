"""Processes that fill one run: actors of Ray on several nodes, tasks of an array, a folder that is slow or full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
from fault_runs import PROCESSES, each, keys, started

import audiocontrib as ac

ITEMS = 400
MODELS = ("mock:skill=0.9,leak=0.2,seconds=0.01,name=m1", "mock:skill=0.8,leak=0.5,seed=1,seconds=0.01,name=m2")
CONDITIONS = ("audio", "silence", "text")
ASKED = ITEMS * len(MODELS) * len(CONDITIONS)
NODES = 4
TASKS = 8
SENT = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)
PATIENCE = 200.0
"""Seconds after which work that goes on by itself counts as hanging."""


def command(run: Path, *more: Any) -> list[Any]:
    """Ask all questions, in one order."""
    given = ["score", "--dataset", "demo", "--limit", ITEMS, "--run", run, "--orders", "given", "--save-every", "0.2"]
    return [*given, "--quiet", *each("--model", MODELS), *each("--condition", CONDITIONS), *more]


def answers(run: Path) -> pa.Table:
    """What was answered, without its times, in one order."""
    return ac.open_run(run).table("select * exclude (created_at, seconds) from responses order by all")


def alone(folder: Path) -> pa.Table:
    """The answers of one process."""
    started(command(folder / "alone")).join()
    return answers(folder / "alone")


def compared(name: str, run: Path, wanted: pa.Table) -> Counter[str]:
    """What is wrong with a run in the end, and how many rows stand twice in its parts (they are shown once)."""
    found, held = answers(run), keys(run)
    counts = Counter({"cases": 1, "rows in parts twice": len(held) - len(set(held))})
    counts["changed"] = int(not found.equals(wanted))
    counts["lost"] = int(len(found) < ASKED)
    counts["asked twice"] = int(len(set(found["request_key"].to_pylist())) < len(found))
    print(f"{name}: {len(found):,} of {ASKED:,} answers, {counts['rows in parts twice']} rows twice in parts",
          file=sys.stderr, flush=True)  # fmt: skip
    return counts


def filled(run: Path, share: float) -> None:
    """Wait until a share of the answers is in a run's parts."""
    end = time.monotonic() + PATIENCE
    while len(keys(run)) < share * ASKED:
        if time.monotonic() > end:
            raise TimeoutError(f"{run}: {len(keys(run))} answers after {PATIENCE:g} s")
        time.sleep(0.1)


def array(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """TASKS processes, as an array of Slurm starts them; three die at a random moment; then fewer are started."""
    wanted, counts = alone(folder), Counter[str]()
    for number in range(times):
        run = folder / f"array-{number}"
        tasks = [started(command(run, "--shard", f"{n}/{TASKS}")) for n in range(1, TASKS + 1)]
        for task, number_sent in zip(rng.sample(tasks, 3), SENT, strict=True):
            filled(run, rng.uniform(0.05, 0.3))
            if task.is_alive():
                os.kill(task.pid, number_sent)
        for task in tasks:
            task.join(PATIENCE)
        codes = Counter(task.exitcode for task in tasks)
        again = [started(command(run, "--shard", f"{n}/5")) for n in range(1, 6)]
        for task in again:
            task.join(PATIENCE)
        counts["failed again"] += sum(task.exitcode != 0 for task in again)
        counts += compared(f"array, {dict(codes)}", run, wanted)
    return counts


def disk(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """Two processes on a file system that is full for a while, then on one that is slow and fails now and then."""
    wanted, counts = alone(folder), Counter[str]()
    for number in range(times):
        with small_disk(folder / f"disk-{number}") as place:
            run = place / "run"
            tasks = [started(command(run, "--shard", f"{n}/2"), str(folder / "said")) for n in (1, 2)]
            filled(run, rng.uniform(0.1, 0.4))
            full = place / "of-others"
            with suppress(OSError), full.open("wb") as file:
                while file.write(b"0" * (1 << 16)):
                    file.flush()
            for task in tasks:
                task.join(PATIENCE)
            held = len(keys(run))
            counts["told that the disk is full"] += sum(task.exitcode == 1 for task in tasks)
            full.unlink()
            again = started(command(run))
            again.join(PATIENCE)
            counts["failed again"] += int(again.exitcode != 0)
            counts += compared(f"full disk with {held:,} answers", run, wanted)
        run = folder / f"slow-{number}"
        tasks = [PROCESSES.Process(target=_on_slow_disk, args=(command(run, "--shard", f"{n}/2"),)) for n in (1, 2)]
        for task in tasks:
            task.start()
        for task in tasks:
            task.join(PATIENCE)
        codes = Counter(task.exitcode for task in tasks)
        started(command(run)).join()
        counts += compared(f"slow disk, {dict(codes)}", run, wanted)
    return counts


@contextmanager
def small_disk(folder: Path, size: str = "16m") -> Iterator[Path]:
    """A file system of its own; needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _on_slow_disk(arguments: list[Any]) -> None:
    """A command for which each write to disk takes up to 0.3 s, and one in fifty is refused as by a lost server."""
    sync, rng = os.fsync, random.Random(os.getpid())

    def slow(handle: int) -> None:
        time.sleep(rng.uniform(0, 0.3))
        if rng.random() < 0.02:
            raise OSError(116, "Stale file handle")
        sync(handle)

    os.fsync = slow
    from audiocontrib.cli import main

    main([str(one) for one in arguments])


def ray(folder: Path, times: int, rng: random.Random) -> Counter[str]:
    """Actors on NODES nodes: the process of one is killed, an actor is ended, a node is gone, the driver is killed."""
    wanted, counts = alone(folder), Counter[str]()
    for number in range(times):
        for fault in (_worker_killed, _actor_ended, _node_gone, _driver_killed, _driver_stopped):
            name = fault.__name__.strip("_").replace("_", " ")
            run = folder / f"{fault.__name__}-{number}"
            with cluster() as nodes:
                driver = _driver(run, folder / "said")
                filled(run, rng.uniform(0.1, 0.4))
                fault(nodes, driver, rng)
                driver.join(PATIENCE)
                code = driver.exitcode
                if code is None:
                    counts["hangs"] += 1
                    driver.kill()
                held = len(keys(run))
                if code:
                    again = _driver(run, folder / "said")
                    again.join(PATIENCE)
                    counts["failed again"] += int(again.exitcode != 0)
                counts += compared(f"ray, {name}: exit {code} with {held:,} answers", run, wanted)
    print((folder / "said").read_text(), file=sys.stderr)
    return counts


@contextmanager
def cluster() -> Iterator[Any]:
    """A cluster of Ray with a head that does no work, and NODES nodes with a core each."""
    import ray
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(NODES):
        nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    ray.init(address=nodes.address, log_to_driver=False)
    os.environ["RAY_ADDRESS"] = nodes.address
    try:
        yield nodes
    finally:
        ray.shutdown()
        nodes.shutdown()


def _driver(run: Path, said: Path) -> Any:
    process = PROCESSES.Process(
        target=_drive, args=([str(one) for one in command(run, "--engine", "ray", "--actors", NODES)],
                             str(said), os.environ["RAY_ADDRESS"]))  # fmt: skip
    process.start()
    return process


def _drive(arguments: list[str], said: str, address: str) -> None:
    os.environ["RAY_ADDRESS"] = address
    with Path(said).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    from audiocontrib.cli import main

    main(arguments)


def _actors() -> list[tuple[str, dict[str, Any]]]:
    """The actors that work: id, and what Ray's table says of each."""
    from ray._private.state import actors

    return [(name, about) for name, about in actors().items() if about["State"] == "ALIVE"]


def _worker_killed(nodes: Any, driver: Any, rng: random.Random) -> None:
    os.kill(rng.choice(_actors())[1]["Pid"], signal.SIGKILL)


def _actor_ended(nodes: Any, driver: Any, rng: random.Random) -> None:
    os.kill(rng.choice(_actors())[1]["Pid"], signal.SIGTERM)


def _node_gone(nodes: Any, driver: Any, rng: random.Random) -> None:
    nodes.remove_node(rng.choice(nodes.list_all_nodes()[1:]), allow_graceful=False)


def _driver_killed(nodes: Any, driver: Any, rng: random.Random) -> None:
    os.kill(driver.pid, signal.SIGKILL)


def _driver_stopped(nodes: Any, driver: Any, rng: random.Random) -> None:
    os.kill(driver.pid, signal.SIGTERM)
