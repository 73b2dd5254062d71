"""What a question is made of: recordings, clips, checks of a label; and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import notes
import yaml
from packages import PINS, Packages
from sound import Samples, decode, tidy

CATALOGUE: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "recordings.yaml").read_text())
FONT = "fluidr3mono-gm-soundfont"
FONT_FILE = "FluidR3Mono_GM.sf3"


@dataclass(frozen=True, slots=True)
class Recording:
    """Somebody's recording, and what it may be used for."""

    package: str
    file: str
    licence: str
    credit: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What a listening model should find in a clip, if its label is right."""

    kind: str
    """``sound``: one of these classes of AudioSet; ``words``, ``sentence``: these; ``digits``: language and digits;
    ``language``: this one; ``chord``: major or minor, and its root."""
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """What is heard in a question."""

    name: str
    samples: Samples = field(repr=False)
    recordings: tuple[Recording, ...]
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a clip; where its options are shown is decided later."""

    clip: Clip
    category: str
    text: str
    gold: str
    wrong: tuple[str, ...]
    label: str
    """How the gold is known: ``file name``, ``transcript``, or ``construction``."""


class Material:
    """Recordings by their names in recordings.yaml, as samples.

    Args:
        packages: unpacked.
    """

    def __init__(self, packages: Packages) -> None:
        self._packages = packages
        self._taken: dict[tuple[str, str], tuple[Recording, Samples]] = {}

    def take(self, group: str, name: str) -> tuple[Recording, Samples]:
        """A sound of the catalogue, tidied: at most 6 s of it, or ``seconds``."""
        if (group, name) not in self._taken:
            self._taken[group, name] = self._sound(CATALOGUE[group][name])
        return self._taken[group, name]

    def _sound(self, entry: Mapping[str, Any]) -> tuple[Recording, Samples]:
        seconds = entry.get("seconds", 6)
        if "file" in entry:
            return self.file(entry["package"], entry["file"], entry, seconds)
        starts = (0.0, 0.5, 1.0, 1.5) if "drum" in entry else (0.0,)
        keys = [notes.Note(entry.get("drum", 60), at, seconds if len(starts) == 1 else 0.4) for at in starts]
        return self.font(), tidy(self.play(keys, entry), seconds)

    def file(
        self, package: str, file: str, entry: Mapping[str, Any] | None = None, longest: float = 8
    ) -> tuple[Recording, Samples]:
        """A file of a package; licence and credit are the package's, where ``entry`` has no others."""
        pin, said = PINS[package], entry or {}
        data = self._packages.read(package, f"{pin['folder']}/{file}")
        licence, credit = (said.get(name) or pin[name] for name in ("licence", "credit"))
        recording = Recording(package, file, licence, credit, said.get("url", ""))
        return recording, tidy(decode(data, g722=file.endswith(".g722")), longest)

    def play(self, keys: list[notes.Note], entry: Mapping[str, Any]) -> Samples:
        """Notes on an instrument of the sound font."""
        font = self._packages.where(FONT, f"{PINS[FONT]['folder']}/{FONT_FILE}")
        channel = notes.DRUMS if "drum" in entry else 0
        return notes.play(keys, entry.get("program", 0), font, channel)

    def font(self) -> Recording:
        """What rendered notes are credited to."""
        return Recording(FONT, FONT_FILE, PINS[FONT]["licence"], PINS[FONT]["credit"])


def numbered(category: str) -> Iterator[str]:
    """Names of clips: they say the category, and nothing of the answer."""
    number = 0
    while True:
        number += 1
        yield f"{category.replace(' ', '-')}-{number:02d}"
