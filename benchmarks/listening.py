"""Did it listen more? How often each scale and the verdict say so in worlds where the truth is planted.

    python benchmarks/listening.py --repeats 1000

An item is answered from its text with probability t, heard with probability h, for itself, and else guessed among K
options. Two models share what decides an item (so they are paired). Prints, per world, the share of runs in which the
gain A - S, the relative gain (A - S) / (1 - S) and the verdict say "more" or "less", and in which the verdict says that
what is known from the text changed. Abstaining worlds: the later model declines without the audio where it does not
know the text.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from audiocontrib.statistics import Heard, ListeningChange, listening_change

WORLDS = {
    "text learned": ((0.6, 0.1), (0.6, 0.5), 0.0),
    "text forgotten": ((0.6, 0.5), (0.6, 0.1), 0.0),
    "nothing changed": ((0.6, 0.3), (0.6, 0.3), 0.0),
    "hears more, text learned": ((0.5, 0.1), (0.6, 0.5), 0.0),
    "hears more": ((0.5, 0.3), (0.6, 0.3), 0.0),
    "declines in silence": ((0.6, 0.3), (0.6, 0.3), 0.8),
    "hears more, declines": ((0.5, 0.3), (0.6, 0.3), 0.8),
}
"""Hearing and knowledge of the text, before and now; and how often the later model declines where it would guess."""


def drawn(
    random: np.random.Generator, n: int, world: tuple[tuple[float, float], tuple[float, float], float], k: int = 4
) -> ListeningChange:
    """One run of a world, on n items with a clip each."""
    gold, ears, texts = random.integers(0, k, n), random.random(n), random.random(n)
    *models, declines = world
    models_heard = []
    for (hearing, text), declining in zip(models, (0.0, declines), strict=True):
        known = texts < text
        audio, silent = (
            np.where(known | (heard & (ears < hearing)), gold, random.integers(0, k, n)) == gold
            for heard in (True, False)
        )
        none = ~known & (random.random(n) < declining)
        models_heard.append(Heard(audio, silent & ~none, np.zeros(n, bool), none, np.full(n, 1 / k)))
    before, now = models_heard
    return listening_change(now, before, np.arange(n))


def says(low: float, high: float) -> str:
    """``more``, ``less`` or nothing, from an interval."""
    return "more" if low > 0 else "less" if high < 0 else ""


def shares(name: str, n: int, repeats: int, seed: int = 0) -> dict[str, float]:
    """What is said in which share of the runs of a world."""
    random = np.random.default_rng([seed, n, *name.encode()])
    counts: Counter[str] = Counter()
    for _ in range(repeats):
        found = drawn(random, n, WORLDS[name])
        counts[f"gain {says(found.gain.low, found.gain.high)}"] += 1
        counts[f"relative {says(found.relative.low, found.relative.high)}"] += 1
        counts[f"verdict {found.verdict.split(';')[0].removeprefix('listens ')}"] += 1
        counts["text changed"] += "known from the text" in found.verdict and not found.verdict.startswith("listens")
    return {name: count / repeats for name, count in counts.items()}


def main() -> None:
    """Print the table as Markdown."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--repeats", type=int, default=1000)
    repeats = asked.parse_args().repeats
    columns = [f"{scale} {side}" for scale in ("gain", "relative", "verdict") for side in ("more", "less")]
    print(f"| world | n | {' | '.join(columns)} | text changed |\n|---|---|{'---|' * (len(columns) + 1)}")
    for name in WORLDS:
        for n in (300, 1000):
            found = shares(name, n, repeats)
            cells = " | ".join(f"{found.get(column, 0):.3f}" for column in (*columns, "text changed"))
            print(f"| {name} | {n} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
