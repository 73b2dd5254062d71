"""How often the intervals of a watched step hold: what the audio adds, on both scales, with few items.

    python benchmarks/watched_intervals.py          seconds

Items are two on a clip. An item is known from the text with probability s, and else heard with probability h: what the
audio adds is (1 - s) h, and h of what is open without it.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from audiocontrib.statistics import CHANGE, gain, mean_by_clip, relative_gain

RUNS = 400


def main() -> None:
    """Print the share of the runs in which the interval holds the truth, and of those that have one."""
    luck = np.random.default_rng(1)
    print("items  h    s    A - S  (A - S) / (1 - S)  with an interval")
    for n, h, s in product((12, 30, 100), (0.3, 0.6, 0.9), (0.2, 0.5, 0.8)):
        held, known = [0, 0], [0, 0]
        for _ in range(RUNS):
            known_by_text = luck.random(n) < s
            sides = (known_by_text | (luck.random(n) < h)).astype(float), known_by_text.astype(float)
            for scale, (values, span, truth) in enumerate(
                [(gain(sides), CHANGE, (1 - s) * h), (relative_gain(sides), None, h)]
            ):
                if np.isnan(values).any():
                    continue
                found = mean_by_clip(values, np.arange(n) // 2, span).interval()
                if not np.isnan(found.low):
                    known[scale] += 1
                    held[scale] += found.low <= truth <= found.high
        first, second = (part / max(1, whole) for part, whole in zip(held, known, strict=True))
        print(f"{n:5}  {h:.1f}  {s:.1f}  {first:.3f}  {second:.3f}                  {known[1] / RUNS:.2f}")


if __name__ == "__main__":
    main()
