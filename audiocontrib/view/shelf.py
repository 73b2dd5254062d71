"""The runs that a viewer shows: found by their folders, known by name from then on."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiocontrib.errors import UsageError, one_line
from audiocontrib.hashing import stable_hash
from audiocontrib.store import Run
from audiocontrib.store.manifest import MANIFEST
from audiocontrib.store.mark_files import write_marks
from audiocontrib.store.run import RESPONSES
from audiocontrib.view.counted import Counted, number_of_answers, run_state, uncounted
from audiocontrib.view.counting import Counting
from audiocontrib.view.interrupts import interrupt_until
from audiocontrib.view.one_item import played_sound
from audiocontrib.view.rendering import rendered
from audiocontrib.view.trainings import find_trainings

PATIENCE = 0.6
"""Seconds that a page waits for counts before it shows the items without them."""
PARTING = 20.0
"""Seconds that the end may take."""
SOUNDS = 64
"""Rendered sounds that are kept: a player asks for parts of the same one."""


def find_runs(places: Sequence[Path]) -> dict[str, Path]:
    """Runs by a short name: each place is a run, a folder of runs, or holds watched trainings.

    Raises:
        UsageError: a place is nothing of these.
    """
    found: list[Path] = []
    for place in places:
        inside = [place] if (place / MANIFEST).is_file() else sorted(p.parent for p in place.glob(f"*/{MANIFEST}"))
        if not inside and not find_trainings([place]):
            what = "holds no run" if place.is_dir() else "is no folder"
            raise UsageError(f"{place} {what}; name the folder of a run, a folder of runs, or a watched training")
        found += [path for path in inside if path not in found]
    names = Counter(path.absolute().name for path in found)
    made: dict[str, Path] = {}
    for path in found:
        whole = path.absolute()
        name = whole.name if names[whole.name] == 1 else f"{whole.parent.name}/{whole.name}"
        made[name if name not in made else str(whole)] = path
    return made


@dataclass(slots=True)
class Shelf:
    """All runs of a viewer. Close it at the end."""

    places: Sequence[Path]
    audio_root: Path | None = None
    elsewhere: Path = field(init=False)
    """A folder for sounds, reports, and what runs that may only be read cannot keep; it goes when the viewer ends."""
    _temporary: tempfile.TemporaryDirectory[str] = field(init=False)
    _counts: dict[Path, Counting] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reporting: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="audiocontrib-view-", ignore_cleanup_errors=True)
        self.elsewhere = Path(self._temporary.name)

    def close(self) -> None:
        """End what still runs, and remove what was kept for the time being."""
        interrupt_until(lambda: not any(counting.busy for counting in self._counts.values()), PARTING)
        self._temporary.cleanup()

    def names(self) -> dict[str, Path]:
        """The runs that are there now."""
        return find_runs(self.places)

    def path(self, name: str) -> Path:
        """The folder of a run. UsageError for a name that is not on the list: it is never taken for a path."""
        there = self.names()
        if name not in there:
            raise UsageError(f"there is no run {name!r:.120}; there are: {', '.join(there)}")
        return there[name]

    def open(self, name: str) -> Run:
        """The run of that name."""
        return Run.open(self.path(name), audio_root=self.audio_root)

    def counting(self, name: str) -> Counting:
        """Its counts, as they come."""
        path = self.path(name)
        with self._lock:
            return self._counts.setdefault(path, Counting(path, self.elsewhere))

    def counted(self, name: str) -> Counted:
        """What is counted of it by now; its items alone before the first time."""
        return self.counting(name).now(PATIENCE) or uncounted(self.open(name))

    def split(self, name: str, split: str = "") -> Path | None:
        """The table of a saved split: the one that is named, else the one saved last; None where there is none."""
        there = self.counting(name).splits
        if split and split not in there:
            raise UsageError(f"the run has no split {split!r:.120}; there are: {', '.join(sorted(there)) or 'none'}")
        return there[split] if split else next(iter(there.values()), None)

    def listed(self) -> list[dict[str, Any]]:
        """Name, data set, models, conditions and answers of each run; ``fault`` where it cannot be read."""
        return [_listed(name, path) for name, path in self.names().items()]

    def state(self, name: str) -> dict[str, Any]:
        """How many answers there are, and how many are counted so far."""
        counting = self.counting(name)
        counted = counting.now()
        return {
            "answers": number_of_answers(self.open(name)),
            "counted": counted.answers if counted else 0,
            "state": counting.state,
            "busy": counting.busy,
            "fault": counting.fault,
        }

    def sound(self, name: str, item: str, condition: str, model: str = "") -> tuple[Path, str]:
        """A WAV of what was played (:func:`~audiocontrib.view.one_item.played_sound`), and whether it is the same."""
        run = self.open(name)
        key = stable_hash([str(run.path), item, condition, model])
        for file in self.elsewhere.glob(f"{key}.*.wav"):
            return file, file.name.split(".")[1]
        data, heard = played_sound(run, item, condition, model)
        file = self.elsewhere / f"{key}.{heard}.wav"
        with self._lock:
            kept = sorted(self.elsewhere.glob("*.wav"), key=lambda path: path.stat().st_mtime)
            for old in kept[: max(0, len(kept) - SOUNDS + 1)]:
                old.unlink(missing_ok=True)
            file.write_bytes(data)
        return file, heard

    def marks_file(self, name: str, form: str) -> Path:
        """The marks of a run as a file, which ``read_marks`` takes.

        Args:
            form: csv or jsonl.
        """
        if form not in ("csv", "jsonl"):
            raise UsageError(f"format is {form!r:.80}, but is csv or jsonl")
        with self._lock:
            file = self.elsewhere / f"marks-{stable_hash([name])}.{form}"
            write_marks(self.open(name), file)
            return file

    def report(self, name: str) -> str:
        """The report of a run as it is now, made in a process of its own: it takes memory that is not kept."""
        run = self.open(name)
        beside = [*sorted(run.path.glob("*.parquet")), *sorted(run.path.glob("splits/*/*"))]
        made = [path.stat().st_mtime_ns for path in beside]
        file = self.elsewhere / f"{stable_hash([str(run.path), run_state(run), *made])}.html"
        with self._reporting:
            if not file.exists():
                rendered(run.path, self.audio_root, file)
        return file.read_text(encoding="utf-8")


def _listed(name: str, path: Path) -> dict[str, Any]:
    try:
        run = Run.open(path)
        identity = run.manifest["identity"]
        return {
            "name": name,
            "dataset": (identity.get("dataset") or {}).get("name", "?"),
            "models": sorted(identity.get("models", {})),
            "conditions": list(identity.get("conditions", [])),
            "answers": number_of_answers(run),
            "changed": (path / RESPONSES).stat().st_mtime,
        }
    except Exception as error:  # one damaged run does not hide the others
        return {"name": name, "fault": one_line(error)}
