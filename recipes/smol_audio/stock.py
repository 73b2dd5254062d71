"""Notes and recordings by name, of the packages in packages.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import soundfile
import soxr
import yaml
from clips import RATE, Samples, tidy
from keys import DRUMS, HELD, bank, cut

CATALOGUE: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "sounds.yaml").read_text(encoding="utf-8"))
INSTRUMENTS: Mapping[str, Any] = CATALOGUE["instruments"]
SPAN = 16
"""Semitones below and above the middle key that are rendered."""
PITCHED = tuple(name for name in INSTRUMENTS if name not in ("timpani", "music box"))
FAMILY = {name: entry[2] for name, entry in INSTRUMENTS.items() if entry[2]} | {
    name: entry[1] for name, entry in CATALOGUE["drums"].items()
}


class Material:
    """Sounds of the unpacked packages.

    Args:
        packages: the folder that they are in.
        kept: where rendered notes are kept.
    """

    def __init__(self, packages: Path, kept: Path) -> None:
        self.packages, self.kept = packages, kept
        self._sounds: dict[tuple[str, int], Samples] = {}

    def instrument(self, name: str, font: str, rng: Random) -> dict[int, Samples]:
        """Notes of an instrument, by key."""
        programs, middle, _ = INSTRUMENTS[name]
        keys = range(middle - SPAN, middle + SPAN + 1)
        return bank(self.packages / CATALOGUE["fonts"][font], rng.choice(programs), 0, keys, self.kept)

    def drum(self, name: str, font: str, rng: Random) -> Samples:
        """One stroke."""
        key = rng.choice(CATALOGUE["drums"][name][0])
        return tidy(bank(self.packages / CATALOGUE["fonts"][font], DRUMS + key, 0, [60], self.kept)[60], 1.5)

    def variants(self, name: str) -> int:
        """How many sounds there are of a name."""
        return len(CATALOGUE["sounds"].get(name, ())) + len(CATALOGUE["recordings"].get(name, ()))

    def sound(self, name: str, variant: int) -> Samples:
        """A sound that is no tune, by name and number."""
        if (name, variant) not in self._sounds:
            entries = CATALOGUE["sounds"].get(name, [])
            if variant < len(entries):
                font, number, program, key = entries[variant]
                path = CATALOGUE["effects"] if font == "gs" else CATALOGUE["fonts"][font]
                whole = np.concatenate([bank(self.packages / path, program, number, [key], self.kept)[key]])
                made = tidy(cut(whole, HELD + 0.3), 3)
            else:
                file = CATALOGUE["recordings"][name][variant - len(entries)]
                path = self.packages / "sonic-pi-samples/usr/share/sonic-pi/samples" / f"{file}.flac"
                samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
                made = tidy(soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32), 4)
            self._sounds[name, variant] = made
        return self._sounds[name, variant]


def confusable(name: str) -> set[str]:
    """What is never an option beside a sound."""
    return {other for group in CATALOGUE["confusable"] if name in group for other in group}
