"""What is asked while a stage trains, and what follows from it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from audiocontrib.config import config
from audiocontrib.statistics.clusters import LEAST_ITEMS

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""numpy's generators take no other."""
By = Literal["accuracy", "gain", "relative_gain"]
CONDITIONS = ("audio", "silence", "text")
"""Each watched item is asked under all three."""

MOST_ASKINGS = 10_000


@config
class Watch:
    """Held-out questions that are asked every so many steps, with the audio, in silence and from the text alone."""

    items: Annotated[int, Field(ge=LEAST_ITEMS)]
    """So many items of the run are held out and asked; below ten there is no interval."""
    every: PositiveInt
    """Steps between two askings; before the first step and after the last they are asked too."""
    seed: Seed = 0
    """Of the draw of the items."""
    method: Literal["generate", "likelihood"] = "generate"
    """How they are asked: for a reply, which may decline, or for the likelihood of each option."""
    orders: Literal["given", "cyclic"] = "given"
    """Of the options: as the item has them, or each option once in every place."""
    by: By = "accuracy"
    """What the best step is best by: accuracy with the audio, or what the audio adds, A - S or (A - S) / (1 - S)."""
    without: Literal["silence", "text"] = "silence"
    """Over which condition the audio adds it; of `by: gain` and `by: relative_gain`."""
    patience: PositiveInt | None = None
    """Stop after so many askings in a row that are no better than the best one before; null: train to the end."""
    keep_best: bool = False
    """Keep the checkpoint of the best step, and save its weights as the model, not those of the last step."""

    def __post_init__(self) -> None:
        if self.by == "accuracy" and self.without != "silence":
            raise ValueError(f"without is {self.without}, but accuracy with the audio has no part in it: leave it out")

    def check_steps(self, steps: int) -> None:
        """ValueError if a training of so many steps would not be watched, or could not be stopped, as asked."""
        after = self.askings(steps) - 1
        if self.every > steps:
            raise ValueError(f"watch.every is {self.every}, but there are {steps} steps: ask more often, or not at all")
        if after > MOST_ASKINGS:
            raise ValueError(f"watch.every is {self.every}, so that they are asked {after:,} times: ask less often")
        if self.patience is not None and self.patience >= after - 1:
            raise ValueError(
                f"watch.patience is {self.patience}, but they are asked {after} times after steps, so that it would "
                "stop nothing: lower it, ask more often, or leave it out"
            )

    def askings(self, steps: int) -> int:
        """How often the items are asked in so many steps."""
        return 1 + math.ceil(steps / self.every)
