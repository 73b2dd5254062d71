"""The runs that a viewer shows: found once by their folders, known by name from then on."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocontrib.errors import AudiocontribError, UsageError, one_line
from audiocontrib.store import Run
from audiocontrib.store.manifest import MANIFEST
from audiocontrib.view.counted import Counted, answers_of, count_run, kept_counts, run_state

REST = 5.0
"""A run that grows is counted anew after it was left alone for this times as long as the last counting took."""


def find_runs(places: Sequence[Path]) -> dict[str, Path]:
    """Runs by a short name: each place is a run, or a folder of runs.

    Raises:
        UsageError: a place is neither.
    """
    found: list[Path] = []
    for place in places:
        inside = [place] if (place / MANIFEST).is_file() else sorted(p.parent for p in place.glob(f"*/{MANIFEST}"))
        if not inside:
            what = "holds no run" if place.is_dir() else "is no folder"
            raise UsageError(f"{place} {what}; name the folder of a run, or a folder of runs")
        found += [path for path in inside if path not in found]
    names = Counter(path.absolute().name for path in found)
    made: dict[str, Path] = {}
    for path in found:
        whole = path.absolute()
        name = whole.name if names[whole.name] == 1 else f"{whole.parent.name}/{whole.name}"
        made[name if name not in made else str(whole)] = path
    return made


@dataclass(slots=True)
class Counting:
    """The counts of a run, kept as they are and made anew in the background where answers were added."""

    path: Path
    elsewhere: Path
    counted: Counted | None = None
    fault: str = ""
    _again: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def now(self, wait: float = 0.0) -> Counted | None:
        """What is counted by now, which may lag behind the answers; None before the first time.

        Args:
            wait: seconds that it may take to count, before what is there is given.
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
        if thread is not None and wait:
            thread.join(wait)
        return self.counted

    @property
    def busy(self) -> bool:
        """Whether it is being counted."""
        return self._thread is not None and self._thread.is_alive()

    def _count(self, run: Run, state: str) -> None:
        start = time.monotonic()
        try:
            self.counted, self.fault = count_run(run, state, self.elsewhere), ""
        except Exception as error:  # a thread has nobody above it; the page says it
            self.fault = one_line(error)
        self._again = time.monotonic() + REST * (time.monotonic() - start)


@dataclass(slots=True)
class Shelf:
    """All runs of a viewer."""

    places: Sequence[Path]
    audio_root: Path | None = None
    elsewhere: Path = field(init=False)
    """A folder for what runs that may only be read cannot keep, and for sounds; it goes when the viewer ends."""
    _temporary: tempfile.TemporaryDirectory[str] = field(init=False)
    _counts: dict[Path, Counting] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="audiocontrib-view-")
        self.elsewhere = Path(self._temporary.name)

    def close(self) -> None:
        """Remove what was kept for the time being."""
        self._temporary.cleanup()

    def names(self) -> dict[str, Path]:
        """The runs that are there now."""
        return find_runs(self.places)

    def path(self, name: str) -> Path:
        """The folder of a run; a name that is not on the list is no path. UsageError."""
        there = self.names()
        if name not in there:
            raise UsageError(f"there is no run {name!r}; there are: {', '.join(there)}")
        return there[name]

    def open(self, name: str) -> Run:
        """The run of that name."""
        return Run.open(self.path(name), audio_root=self.audio_root)

    def counting(self, name: str) -> Counting:
        """Its counts."""
        path = self.path(name)
        with self._lock:
            return self._counts.setdefault(path, Counting(path, self.elsewhere))

    def counted(self, name: str, wait: float = 60.0) -> Counted:
        """Its counts; AudiocontribError that says why where there are none yet."""
        counting = self.counting(name)
        found = counting.now(wait)
        if found is None:
            raise AudiocontribError(counting.fault or "its answers are being counted: one moment")
        return found

    def listed(self) -> list[dict[str, Any]]:
        """Name, data set, models, conditions and answers of each run; ``fault`` where it cannot be read."""
        return [_listed(name, path) for name, path in self.names().items()]

    def state(self, name: str) -> dict[str, Any]:
        """How many answers there are, and how many are counted so far."""
        counting = self.counting(name)
        counted = counting.now()
        return {
            "answers": answers_of(Run.open(counting.path)),
            "counted": counted.answers if counted else 0,
            "state": counted.state if counted else "",
            "busy": counting.busy,
            "fault": counting.fault,
        }


def _listed(name: str, path: Path) -> dict[str, Any]:
    try:
        run = Run.open(path)
        identity = run.manifest["identity"]
        return {
            "name": name,
            "dataset": (identity.get("dataset") or {}).get("name", "?"),
            "models": sorted(identity.get("models", {})),
            "conditions": list(identity.get("conditions", [])),
            "answers": answers_of(run),
        }
    except Exception as error:  # one damaged run does not hide the others
        return {"name": name, "fault": one_line(error)}
