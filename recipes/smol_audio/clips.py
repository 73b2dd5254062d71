"""What the questions are made of: clips, and questions about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
PEAK = 10 ** (-3 / 20)
Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Question:
    """A question on a clip; the order of its options is drawn whenever it is shown."""

    category: str
    text: str
    gold: str
    wrong: tuple[str, ...]
    leak: str = ""
    """How the text betrays the answer, where it does."""


@dataclass(frozen=True, slots=True)
class Clip:
    """What is heard, what may be asked about it, and what a listener would write down."""

    samples: Samples = field(repr=False)
    questions: tuple[Question, ...]
    caption: str
    held_out: str = ""
    """Why it is of the test, never trained on: ``word``, ``voice``, ``instrument`` or ``sound``; empty: training."""


def tidy(samples: Samples, longest: float = 8.0) -> Samples:
    """Without silence at both ends (40 dB below the peak), cut to ``longest`` seconds with a fade, peak at -3 dBFS."""
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() / 100)
    margin = RATE // 50
    cut = samples[max(0, loud[0] - margin) : loud[-1] + margin]
    if len(cut) > longest * RATE:
        cut = cut[: round(longest * RATE)].copy()
        cut[-RATE // 5 :] *= np.linspace(1, 0, RATE // 5, dtype=np.float32)
    return level(cut)


def level(samples: Samples) -> Samples:
    """With the peak at -3 dBFS."""
    return (samples * (PEAK / max(np.abs(samples).max(), 1e-6))).astype(np.float32)


def even(samples: Samples) -> Samples:
    """With the loudest 0.4 s at one level, so that sounds beside each other are heard alike; the peak bounds it."""
    width = min(len(samples), round(0.4 * RATE))
    total = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    power = max((total[width:] - total[:-width]).max() / width, 1e-12)
    return (samples * min(0.1 / np.sqrt(power), PEAK / np.abs(samples).max())).astype(np.float32)


def joined(parts: Sequence[Samples], pause: float) -> Samples:
    """One after the other with ``pause`` seconds of silence between them, all equally loud."""
    gap = np.zeros(round(pause * RATE), np.float32)
    return level(np.concatenate([piece for part in parts for piece in (gap, even(part))][1:]))


def placed(parts: Sequence[Samples], starts: Sequence[float]) -> Samples:
    """Added up, each from its start in seconds on, and a tenth of a second of silence at the end."""
    places = [round(start * RATE) for start in starts]
    out = np.zeros(max(at + len(part) for at, part in zip(places, parts, strict=True)) + RATE // 10, np.float32)
    for at, part in zip(places, parts, strict=True):
        out[at : at + len(part)] += part
    return level(out)


def changed(samples: Samples, rng: Random) -> Samples:
    """As another microphone would have it: another loudness, some noise, a tilt of the spectrum."""
    made = samples * 10 ** (-rng.uniform(0, 12) / 20)
    if rng.random() < 0.5:
        tilt = rng.uniform(-0.5, 0.5)
        made = made + tilt * np.concatenate([[0], made[:-1]]).astype(np.float32)
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(len(made)).astype(np.float32)
        made = made + noise * np.abs(made).max() * 10 ** (-rng.uniform(30, 55) / 20)
    peak = np.abs(made).max()
    return (made * min(1.0, PEAK / max(peak, 1e-6))).astype(np.float32)


def ask(
    rng: Random, category: str, texts: Sequence[str] | str, gold: str, pool: Sequence[str], k: int | None = None
) -> Question:
    """A question with ``k`` options (2 to 5, by chance), the wrong ones from the pool that the golds come from too."""
    text = texts if isinstance(texts, str) else rng.choice(list(texts))
    others = [one for one in dict.fromkeys(pool) if one != gold]
    k = min(k or rng.choice((2, 3, 4, 4, 4, 5, 5)), len(others) + 1)
    return Question(category, text, gold, tuple(rng.sample(others, k - 1)))
