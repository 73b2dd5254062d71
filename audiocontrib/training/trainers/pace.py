"""How fast a training goes and what it needs: seconds, clips and memory of each step, for the trainer's log."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import TrainerCallback


class Pace(TrainerCallback):
    """Measures steps: from the end of what was done about the one before, up to the new weights.

    What is done between two steps is not of either: checkpoints, questions that are asked while training goes on.
    """

    def __init__(self) -> None:
        self.begun = self.ended = time.perf_counter()
        self.sampling = 0.0
        self.clips = 0

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The weights are new."""
        self.ended = time.perf_counter()

    def begin(self) -> None:
        """The next step begins."""
        self.begun, self.sampling, self.clips = time.perf_counter(), 0.0, 0

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """A block in which replies are sampled."""
        start = time.perf_counter()
        yield
        self.sampling += time.perf_counter() - start

    def of_step(self, processes: int) -> dict[str, float]:
        """Of the step that has just ended: name in the log -> value."""
        told = {"seconds": max(0.0, self.ended - self.begun), "clips": float(self.clips * processes)}
        if self.sampling:
            told["sampling_seconds"] = self.sampling
        return told | memory()


def memory() -> dict[str, float]:
    """The most memory that this process, and its GPU, had in use so far, in 10^9 bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    told = {"memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9}
    if torch.cuda.is_available():
        told["gpu_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    return told
