"""Counts that are made in the background, so that no page waits for them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from audiocontrib.errors import one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.store import Run
from audiocontrib.store.splits import TABLE, split_folder, split_names
from audiocontrib.view.counted import Counted, count_run, kept_counts, run_state

REST = 3.0
"""A run that grows is left alone for this times as long as the last counting took: a large one costs a minute."""


def sound_splits(run: Path) -> dict[str, Path]:
    """The tables of the saved splits that are whole, by name, the one saved last first."""
    tables = {name: split_folder(run, name) / TABLE for name in split_names(run, sound=True)}
    return dict(sorted(tables.items(), key=lambda one: -one[1].stat().st_mtime))


@dataclass(slots=True)
class Counting:
    """The counts of a run: kept as they are, and made anew where answers were added; and its splits, looked over."""

    path: Path
    elsewhere: Path
    counted: Counted | None = None
    splits: dict[str, Path] = field(default_factory=dict)
    """:func:`sound_splits`: holding a large one against its items takes seconds."""
    fault: str = ""
    """Why it could not be counted, in a line."""
    _looked_over: tuple[tuple[str, int], ...] = ()
    _again: float = 0.0
    _waited: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """A text that changes with what a page shows; empty before the first time."""
        return stable_hash([self.counted.state, *self.splits, *map(repr, self._looked_over)]) if self.counted else ""

    def now(self, wait: float = 0.0) -> Counted | None:
        """What is counted by now, which may lag behind the answers; None before the first time.

        Args:
            wait: seconds to wait, once: a small run is counted by then.
        """
        with self._lock:
            run = Run.open(self.path)
            state, files = run_state(run), tuple((str(p), p.stat().st_mtime_ns) for p in self.path.glob("splits/*/*"))
            if self.counted is None or self.counted.state != state:
                self.counted = kept_counts(run, state, self.elsewhere) or self.counted
            late = self.counted is None or self.counted.state != state
            if files != self._looked_over or (late and time.monotonic() >= self._again):
                self._begin(run, state, files)
            thread = self._thread
        if thread is not None and wait and not self._waited:
            thread.join(wait)
            self._waited = True
        return self.counted

    @property
    def busy(self) -> bool:
        """Whether it is being counted."""
        return self._thread is not None and self._thread.is_alive()

    def _begin(self, run: Run, state: str, files: tuple[tuple[str, int], ...]) -> None:
        if not self.busy:
            self._thread = threading.Thread(target=self._work, args=(run, state, files), daemon=True)
            self._thread.start()

    def _work(self, run: Run, state: str, files: tuple[tuple[str, int], ...]) -> None:
        start = time.monotonic()
        try:
            if files != self._looked_over:
                self.splits, self._looked_over = sound_splits(run.path), files
            if self.counted is None or self.counted.state != state:
                self.counted, self.fault = count_run(run, state, self.elsewhere), ""
                self._again = time.monotonic() + REST * (time.monotonic() - start)
        except Exception as error:  # a thread has nobody above it: the page says it
            self.fault = one_line(error)
            self._again = time.monotonic() + REST * (time.monotonic() - start)
