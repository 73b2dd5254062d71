"""Spoken clips by free synthesisers: eSpeak NG, in all its languages, and Flite. Mono, 16 kHz, peak at -3 dBFS."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from random import Random

import numpy as np
import soxr
from clips import RATE, Samples, tidy

ACCENTS = ("en-us", "en-us", "en-gb", "en-gb-scotland", "en-029", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-us-nyc")
VARIANTS = ("m1", "m2", "m3", "m4", "m5", "m6", "m8", "f1", "f2", "f3", "f5")
FLITE = ("kal16", "awb", "slt")
HELD_OUT = ("en-us+m7", "en-us+f4", "en-gb-x-rp", "flite:rms")
"""Voices that are never heard in training."""
LANGUAGES = {
    "English": "en-us", "Spanish": "es-419", "French": "fr-fr", "Italian": "it", "Russian": "ru", "German": "de",
    "Portuguese": "pt-br", "Polish": "pl", "Dutch": "nl", "Swedish": "sv", "Turkish": "tr", "Greek": "el",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: eSpeak's name of a language and a variant, or Flite's; and how fast and how high."""

    name: str
    speed: int = 160
    pitch: int = 50

    def say(self, text: str) -> Samples:
        """The text as samples."""
        if self.name.startswith("flite:"):
            stretch = str(round(160 / self.speed, 2))
            command = ["flite", "-voice", self.name[6:], "--setf", f"duration_stretch={stretch}", "-t", text, "-o"]
            command.append("/dev/stdout")
        else:
            command = [
                "espeak-ng",
                "-v",
                self.name,
                "-s",
                str(self.speed),
                "-p",
                str(self.pitch),
                "--stdout",
                "--",
                text,
            ]
        done = subprocess.run(command, capture_output=True, check=True)
        return tidy(read(done.stdout))


def read(wave: bytes) -> Samples:
    """A WAV file from a pipe (its header may not know its length)."""
    rate = int.from_bytes(wave[24:28], "little")
    at = wave.index(b"data") + 8
    samples = np.frombuffer(wave[at : at + (len(wave) - at) // 2 * 2], "<i2").astype(np.float32) / 32768
    return soxr.resample(samples, rate, RATE) if rate != RATE else samples


def english(rng: Random) -> Voice:
    """A voice of training that speaks English."""
    speed, pitch = rng.randint(120, 200), rng.randint(25, 75)
    if rng.random() < 0.3:
        return Voice(f"flite:{rng.choice(FLITE)}", speed)
    return Voice(f"{rng.choice(ACCENTS)}+{rng.choice(VARIANTS)}", speed, pitch)


def held_out(rng: Random) -> Voice:
    """A voice of the test."""
    return Voice(rng.choice(HELD_OUT), rng.randint(130, 180), rng.randint(40, 60))


def foreign(language: str, rng: Random) -> Voice:
    """A voice of training that speaks a language of :data:`LANGUAGES`."""
    return Voice(f"{LANGUAGES[language]}+{rng.choice(VARIANTS)}", rng.randint(120, 190), rng.randint(30, 70))
