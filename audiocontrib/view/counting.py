"""Counts that are made in the background, so that no page waits for them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from audiocontrib.errors import one_line
from audiocontrib.store import Run
from audiocontrib.view.counted import Counted, count_run, kept_counts, run_state

REST = 3.0
"""A run that grows is left alone for this times as long as the last counting took: a large one costs a minute."""


@dataclass(slots=True)
class Counting:
    """The counts of a run: kept as they are, and made anew where answers were added."""

    path: Path
    elsewhere: Path
    counted: Counted | None = None
    fault: str = ""
    """Why it could not be counted, in a line."""
    _again: float = 0.0
    _waited: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def now(self, wait: float = 0.0) -> Counted | None:
        """What is counted by now, which may lag behind the answers; None before the first time.

        Args:
            wait: seconds to wait, once: a small run is counted by then.
        """
        with self._lock:
            run = Run.open(self.path)
            state = run_state(run)
            if self.counted is None or self.counted.state != state:
                kept = kept_counts(run, state, self.elsewhere)
                if kept is not None:
                    self.counted, self.fault = kept, ""
                elif not self.busy and time.monotonic() >= self._again:
                    self._thread = threading.Thread(target=self._count, args=(run, state), daemon=True)
                    self._thread.start()
            thread = self._thread
        if thread is not None and wait and not self._waited:
            thread.join(wait)
            self._waited = True
        return self.counted

    @property
    def busy(self) -> bool:
        """Whether it is being counted."""
        return self._thread is not None and self._thread.is_alive()

    def _count(self, run: Run, state: str) -> None:
        start = time.monotonic()
        try:
            self.counted, self.fault = count_run(run, state, self.elsewhere), ""
        except Exception as error:  # a thread has nobody above it: the page says it
            self.fault = one_line(error)
        self._again = time.monotonic() + REST * (time.monotonic() - start)
