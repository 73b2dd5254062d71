"""Notes: each instrument of a sound font is played once, key by key; tunes are put together from these notes."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from clips import RATE, Samples, level

TICKS = 480
HELD, SPACING = 1.6, 2.0
"""Seconds that a key is held, and between two of them."""
DRUMS = 128
"""Programs from here on are the drums of channel 10: 128 + key."""


def bank(font: Path, program: int, bank_number: int, keys: Sequence[int], kept: Path) -> dict[int, Samples]:
    """Key -> the note, 16 kHz; rendered once and kept in a file."""
    place = kept / f"{font.stem}-{bank_number}-{program}-{keys[0]}-{keys[-1]}.npy"
    if not place.exists():
        kept.mkdir(parents=True, exist_ok=True)
        half = kept / f"{threading.get_ident()}-{place.name}"
        np.save(half, _render(font, program, bank_number, keys))
        os.replace(half, place)  # so that another thread never reads half of it
    whole, step = np.load(place), round(SPACING * RATE)
    return {key: whole[at * step : (at + 1) * step].astype(np.float32) for at, key in enumerate(keys)}


def _render(font: Path, program: int, bank_number: int, keys: Sequence[int]) -> Samples:
    channel = 9 if program >= DRUMS else 0
    events = []
    for at, key in enumerate(keys):
        played = program - DRUMS if channel else key
        events.append((round(at * SPACING * TICKS), bytes([0x90 | channel, played, 100])))
        events.append((round((at * SPACING + HELD) * TICKS), bytes([0x80 | channel, played, 0])))
    track = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")
    if not channel:
        track += b"\x00" + bytes([0xB0, 0, bank_number]) + b"\x00" + bytes([0xB0, 32, bank_number])
        track += b"\x00" + bytes([0xC0, program])
    now = 0
    for at, message in events:
        track += _length(at - now) + message
        now = at
    track += _length(TICKS) + b"\xff\x2f\x00"
    score = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track
    with tempfile.TemporaryDirectory() as folder:
        middle, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        middle.write_bytes(score)
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-r", "32000", "-g", "0.5",
                   "-o", "synth.dynamic-sample-loading=1", "-F", str(wave), str(font), str(middle)]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
        samples, rate = soundfile.read(wave, dtype="float32")
    mono = soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32)
    return np.pad(mono, (0, max(0, round(len(keys) * SPACING * RATE) - len(mono)))).astype(np.float16)


def _length(ticks: int) -> bytes:
    out = bytes([ticks & 0x7F])
    while ticks := ticks >> 7:
        out = bytes([0x80 | ticks & 0x7F]) + out
    return out


def cut(note: Samples, seconds: float) -> Samples:
    """The first part of a note, with a short fade."""
    made = note[: round(seconds * RATE)].copy()
    fade = min(len(made), round(0.03 * RATE))
    made[len(made) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return made


def tune(notes: dict[int, Samples], keys: Sequence[int], seconds: float) -> Samples:
    """Keys one after the other, each for ``seconds``."""
    step = round(seconds * RATE)
    out = np.zeros(step * len(keys) + RATE, np.float32)
    for at, key in enumerate(keys):
        note = cut(notes[key], min(seconds * 0.98, 1.9))
        out[at * step : at * step + len(note)] += note
    return level(out[: step * len(keys) + RATE // 10])


def chord(notes: dict[int, Samples], keys: Sequence[int], seconds: float, spread: float = 0.0) -> Samples:
    """Keys together, or each ``spread`` seconds after the one below."""
    out = np.zeros(round((seconds + spread * len(keys) + 0.1) * RATE), np.float32)
    for at, key in enumerate(keys):
        note, start = cut(notes[key], min(seconds, 1.9)), round(at * spread * RATE)
        out[start : start + len(note)] += note
    return level(out)
