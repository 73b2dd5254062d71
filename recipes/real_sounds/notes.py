"""Notes: a Standard MIDI File of one instrument, played by FluidSynth with a sound font."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sound import Samples, decode

from audiocontrib.errors import AudiocontribError

TICKS = 480
"""A second: one beat, at 60 beats a minute."""
DRUMS = 9
"""The channel whose keys are drums."""


@dataclass(frozen=True, slots=True)
class Note:
    """A key that is held."""

    key: int
    """60 is the C in the middle of the piano; on the channel of drums, which drum."""
    start: float
    """Seconds."""
    seconds: float
    velocity: int = 96


def midi(notes: Sequence[Note], program: int, channel: int = 0) -> bytes:
    """A file of format 0; ``program`` is General MIDI's number of an instrument, from 0."""
    events = [
        (round(at * TICKS), order, bytes([status | channel, note.key, note.velocity]))
        for note in notes
        for at, order, status in ((note.start, 1, 0x90), (note.start + note.seconds, 0, 0x80))  # first off, then on
    ]
    track = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big") + b"\x00" + bytes([0xC0 | channel, program])
    now = 0
    for at, _, message in sorted(events):
        track += _length(at - now) + message
        now = at
    track += _length(TICKS) + b"\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def _length(ticks: int) -> bytes:
    """A number in MIDI's way: seven bits a byte, the highest first; all but the last are marked."""
    out = bytes([ticks & 0x7F])
    while ticks := ticks >> 7:
        out = bytes([0x80 | ticks & 0x7F]) + out
    return out


def play(notes: Sequence[Note], program: int, font: Path, channel: int = 0) -> Samples:
    """What FluidSynth makes of the notes: mono, 16 kHz, without chorus and echo.

    Raises:
        AudiocontribError: FluidSynth fails, or nothing is heard.
    """
    with tempfile.TemporaryDirectory() as folder:
        score, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        score.write_bytes(midi(notes, program, channel))
        command = ["fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-r", "32000", "-g", "0.5", "-F", str(wave)]
        done = subprocess.run([*command, str(font), str(score)], capture_output=True, text=True)
        if done.returncode or not wave.exists():
            raise AudiocontribError(f"fluidsynth: {(done.stderr.strip() or 'it left no file').splitlines()[-1]}")
        samples = decode(wave.read_bytes())
    if np.abs(samples).max() < 1e-3:
        raise AudiocontribError(f"instrument {program} of {font.name} cannot be heard")
    return samples
