"""Small synthesisers: every sound of the demo is made of numpy and a seed, at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiocontrib.audio import RATE
from audiocontrib.registry import Registry

Samples = NDArray[np.float64]
Random = np.random.Generator

EVENTS: Registry[Callable[[float, Random], Samples]] = Registry("demo sound")
"""Kinds of sound: name -> function of (seconds, random generator) that gives samples."""
TIMBRES: Registry[Callable[[float, float], Samples]] = Registry("demo timbre")
"""Kinds of note: name -> function of (frequency in Hz, seconds)."""
# First three formants in Hz (Peterson and Barney 1952, men's averages, rounded)
VOWELS = {"ah": (700, 1100, 2450), "ee": (280, 2250, 2900), "oo": (310, 870, 2250)}


def lfilter(b: Any, a: Any, samples: Samples) -> Samples:
    """scipy's linear filter, imported late: it takes over a second, and few need it."""
    from scipy import signal

    return np.asarray(signal.lfilter(b, a, samples))


def clock(seconds: float) -> Samples:
    """Sample times in seconds."""
    return np.arange(round(seconds * RATE)) / RATE


def fade(samples: Samples, seconds: float = 0.02) -> Samples:
    """Raised-cosine fades at both ends, so that nothing clicks."""
    n = min(round(seconds * RATE), len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * np.arange(n) / max(n, 1))
    out = samples.copy()
    out[:n] *= ramp
    out[len(out) - n :] *= ramp[::-1]
    return out


def scale_to_peak(samples: Samples, level: float) -> Samples:
    """Scaled to a peak of ``level``."""
    top = np.abs(samples).max()
    return samples * (level / top) if top > 0 else samples


def noise(n: int, random: Random) -> Samples:
    """White noise in [-1, 1)."""
    return random.random(n) * 2 - 1


@EVENTS.register("bell")
def bell(seconds: float, random: Random) -> Samples:
    """Inharmonic partials that die away."""
    t, base = clock(seconds), 500 * 2 ** random.uniform(-0.2, 0.2)
    partials = ((1, 1.0), (2.76, 0.6), (5.4, 0.4), (8.9, 0.25))
    return sum(a * np.sin(2 * np.pi * base * r * t) * np.exp(-t * 3 * r**0.5) for r, a in partials)


@EVENTS.register("buzzer")
def buzzer(seconds: float, random: Random) -> Samples:
    """A low sawtooth."""
    t, base = clock(seconds), 110 * 2 ** random.uniform(-0.2, 0.2)
    return 2 * ((base * t) % 1.0) - 1


@EVENTS.register("whistle")
def whistle(seconds: float, random: Random) -> Samples:
    """A steady high sine with vibrato."""
    t, base = clock(seconds), 2200 * 2 ** random.uniform(-0.2, 0.2)
    return np.sin(2 * np.pi * base * t + 4 * np.sin(2 * np.pi * 6 * t))


@EVENTS.register("hiss")
def hiss(seconds: float, random: Random) -> Samples:
    """White noise without its low end."""
    return np.diff(noise(round(seconds * RATE), random), prepend=0.0)


@EVENTS.register("siren")
def siren(seconds: float, random: Random) -> Samples:
    """A sine whose pitch goes up and down."""
    t, rate = clock(seconds), random.uniform(2.5, 3.5)
    return np.sin(2 * np.pi * 800 * t + (350 / rate) * np.sin(2 * np.pi * rate * t))


@EVENTS.register("drum")
def drum(seconds: float, random: Random) -> Samples:
    """Low decaying thumps, four a second."""
    t = clock(seconds) % 0.25
    thump = np.sin(2 * np.pi * 90 * np.sqrt(t + 0.004)) + 0.3 * noise(len(t), random) * np.exp(-t * 80)
    return (np.sin(2 * np.pi * 70 * t) + thump) * np.exp(-t * 18)


@EVENTS.register("ticking")
def ticking(seconds: float, random: Random) -> Samples:
    """Short clicks, ten a second."""
    t = clock(seconds) % 0.1
    return noise(len(t), random) * np.exp(-t * 600)


@EVENTS.register("rumble")
def rumble(seconds: float, random: Random) -> Samples:
    """Noise of which only the lowest part is left."""
    return lfilter([0.02], [1, -0.98], lfilter([0.05], [1, -0.95], noise(round(seconds * RATE), random)))


@TIMBRES.register("flute")
def flute(frequency: float, seconds: float) -> Samples:
    """Almost a sine, with a soft attack."""
    t = clock(seconds)
    wave = np.sin(2 * np.pi * frequency * t) + 0.1 * np.sin(4 * np.pi * frequency * t)
    return fade(wave, 0.05)


@TIMBRES.register("organ")
def organ(frequency: float, seconds: float) -> Samples:
    """Eight strong steady harmonics."""
    t = clock(seconds)
    return fade(sum(np.sin(2 * np.pi * frequency * h * t) / h**0.4 for h in range(1, 9)), 0.01)


@TIMBRES.register("guitar")
def guitar(frequency: float, seconds: float) -> Samples:
    """A plucked string (Karplus and Strong 1983)."""
    n, period = round(seconds * RATE), round(RATE / frequency)
    pluck = np.zeros(n)
    burst = noise(period, np.random.Generator(np.random.PCG64(period)))
    pluck[: min(period, n)] = burst[: min(period, n)]
    feedback = np.zeros(period + 2)
    feedback[0], feedback[period], feedback[period + 1] = 1.0, -0.495, -0.495
    return fade(lfilter([1.0], feedback, pluck), 0.005)


def vowel(name: str, pitch: float, tract: float, seconds: float) -> Samples:
    """A spoken vowel: a glottal pulse train through three formant resonators (source-filter model).

    ``tract`` raises the formants as a shorter vocal tract does.
    """
    t = clock(seconds)
    wave = 2 * ((pitch * (t + 0.003 * np.sin(2 * np.pi * 3 * t))) % 1.0) - 1
    for formant in VOWELS[name]:
        radius = np.exp(-np.pi * 80 / RATE)
        wave = lfilter([1 - radius], [1, -2 * radius * np.cos(2 * np.pi * formant * tract / RATE), radius**2], wave)
    return fade(wave, 0.03)


def beep(frequency: float, seconds: float) -> Samples:
    """A short pure tone."""
    return fade(np.sin(2 * np.pi * frequency * clock(seconds)), 0.01)
