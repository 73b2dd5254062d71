"""Keep: what was found in sounds, on disk, so that questions, orders and later runs do not listen again."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict
from pathlib import Path
from threading import Lock

from audiocontrib.hashing import stable_hash
from audiocontrib.models.cascade.evidence import SoundFindings

SEAL = "seal"
"""Key of a line: the hash of all else in it."""


class Keep:
    """Findings by the hash of the sound. One line of JSON each; every process adds to a file of its own.

    A line that a kill has cut off, or in which a bit has flipped, is left out: that sound is listened to again.

    Args:
        fingerprint: of the parts that listen: other parts have other files.
    """

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint
        self._held: dict[str, SoundFindings] = {}
        self._file: Path | None = None
        self._lock = Lock()  # several threads listen

    def open(self, folder: Path) -> None:
        """Read what is kept in ``folder``, and add to it from now on; what is known already is added at once."""
        place = folder / self.fingerprint[:16]
        place.mkdir(parents=True, exist_ok=True)
        known = dict(self._held)
        for file in filter(Path.is_file, sorted(place.glob("*.jsonl"))):  # a pipe would be read for ever
            for line in file.read_text(encoding="utf-8", errors="replace").split("\n"):
                self._held |= _parsed(line)
        self._file = place / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        for sha256, found in known.items():
            self._write(sha256, found)

    def get(self, sha256: str) -> SoundFindings | None:
        """What was found in the sound; None if nobody has listened yet."""
        return self._held.get(sha256)

    def put(self, sha256: str, found: SoundFindings) -> None:
        """Remember what was found in a sound."""
        self._held[sha256] = found
        self._write(sha256, found)

    def _write(self, sha256: str, found: SoundFindings) -> None:
        if self._file is not None:
            with self._lock, self._file.open("a", encoding="utf-8") as file:
                record = json.loads(json.dumps({"sha256": sha256, **asdict(found)}))
                file.write(json.dumps(record | {SEAL: stable_hash(record)}, ensure_ascii=False) + "\n")


def _parsed(line: str) -> dict[str, SoundFindings]:
    try:
        held = json.loads(line)
        if SEAL in held and held.pop(SEAL) != stable_hash(held):
            return {}
        found = SoundFindings(tuple(held["sounds"]), tuple(held["course"]), held["words"], held["language"])
        return {held["sha256"]: found}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
