"""One run filled by several processes: one for each device of this machine, or actors of a Ray cluster.

Each takes shards of the recordings and adds its answers to the same run; nothing else passes between them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow.parquet as pq

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.plugins import load_plugins, loaded_plugins
from audiocontrib.responses import Response
from audiocontrib.scoring.plan import Shard
from audiocontrib.scoring.progress import Progress
from audiocontrib.stopping import stop_on_signals
from audiocontrib.store.run import RESPONSES

Part = Callable[..., Any]
"""Scores a shard: called with ``shard`` and ``model_options`` (and ``models`` where they are loaded already)."""
PIECES = 4
"""Shards for each actor of a cluster, so that those that come later find something to do."""


def on_devices(part: Part, shard: Shard, devices: Sequence[str], options: dict[str, Any]) -> None:
    """Score a shard by one process for each device. The first failure is raised when all are done."""
    plugins = tuple(loaded_plugins())
    with ProcessPoolExecutor(
        len(devices), mp_context=get_context("spawn"), initializer=_begin, initargs=(plugins,)
    ) as pool:
        jobs: list[Future[Any]] = [
            pool.submit(part, shard=piece, model_options=options | {"device": device})
            for piece, device in zip(shard.split(len(devices)), devices, strict=True)
        ]
        try:
            errors = [error for job in jobs if (error := job.exception())]
        except KeyboardInterrupt:
            for child in active_children():  # each keeps what it has; Ctrl-C has told them already
                child.terminate()
            raise
    for error in errors:
        if isinstance(error, BrokenProcessPool):
            raise AudiocontribError(
                "a process was ended from outside (out of memory?); what is answered is kept, the same command goes on"
            ) from error
        raise error


def _begin(plugins: tuple[str, ...]) -> None:
    stop_on_signals()
    load_plugins(plugins)


def on_ray(
    part: Part, shard: Shard, models: Sequence[tuple[str, str | None]], actors: int, options: dict[str, Any]
) -> None:
    """Score a shard by actors of Ray Data, one for each GPU (or core, where there is none), as the work needs them.

    The run's folder and the clips must be on a file system that all machines see.

    Args:
        models: what is loaded, and the name under which its answers are stored (None: its own).
    """
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray; run: pip install 'audiocontrib[ray]'") from None
    ray.init(ignore_reinit_error=True, log_to_driver=False, logging_level=logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    gpus = 1 if ray.cluster_resources().get("GPU", 0) else 0
    shared, plugins = ray.put(part), tuple(loaded_plugins())

    class Worker:
        """Loads its models once, and scores one shard after the other."""

        def __init__(self) -> None:
            from audiocontrib.models import load_model

            load_plugins(plugins)  # first: what was handed over may be of their classes
            self.part = ray.get(shared)
            self.models = [(load_model(model, name=name, **options), None) for model, name in models]

        def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
            errors = []
            for index, of in zip(batch["index"].tolist(), batch["of"].tolist(), strict=True):
                try:
                    self.part(self.models, shard=Shard(index, of))
                except AudiocontribError as error:  # the other shards are still to be done
                    errors.append(one_line(error))
                else:
                    errors.append("")
            return {"error": errors}

    pieces = ray.data.from_items([{"index": s.index, "of": s.of} for s in shard.split(PIECES * actors)])
    done = pieces.repartition(PIECES * actors).map_batches(
        Worker, batch_size=1, concurrency=(1, actors), num_gpus=gpus, num_cpus=0 if gpus else 1
    )
    errors = [row["error"] for row in done.iter_rows() if row["error"]]
    if errors:
        raise AudiocontribError(errors[0])


@contextmanager
def watching(folder: Path, name: str, total: int, *, shown: bool) -> Iterator[None]:
    """Progress of a run that others fill, read from the parts that they add."""
    ended = Event()

    def look(bar: Progress) -> None:
        seen: set[Path] = set()
        while True:
            last = ended.wait(1.0)
            for path in sorted(set((folder / RESPONSES).glob("*.parquet")) - seen):
                seen.add(path)
                bar.add(
                    [
                        Response(**row)
                        for row in pq.read_table(path.absolute()).to_pylist()
                        if row["created_at"].timestamp() > start
                    ]
                )
            if last:
                return

    start = time.time()
    with Progress(name, total, shown=shown) as bar:
        thread = Thread(target=look, args=(bar,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
