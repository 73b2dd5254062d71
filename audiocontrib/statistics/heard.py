"""What answers with the audio and without it are worth, abstentions included, and two scales of what the audio adds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Sides = tuple[Floats, Floats]
"""What answers are worth with the audio and without it, (n,) each."""

TREATMENTS = ("credited", "wrong", "as good")
"""What an abstention is worth: 1/K, nothing, or as much as the answer with the audio."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a model does on n items with the audio and without it; arrays of shape (n,)."""

    right_audio: Flags
    right_without: Flags
    declined_audio: Flags
    """It abstains: then it is not right."""
    declined_without: Flags
    chance: Floats
    """1/K."""

    def sides(self, treatment: str = "credited") -> Sides:
        """What the answers are worth, an abstention by one of TREATMENTS.

        ``as good``: without the audio as much as the item's answer with it; with the audio as much as its other
        answers with the audio on average, where each of these has the part of that mean that hangs on it: the mean
        of the values is exact, and their spread gives its error.
        """
        audio, without = self.right_audio.astype(np.float64), self.right_without.astype(np.float64)
        if treatment == "wrong":
            return audio, without
        if treatment == "credited":
            return audio + self.declined_audio * self.chance, without + self.declined_without * self.chance
        told = ~self.declined_audio
        usual = float(audio[told].mean()) if told.any() else 0.0
        pull = told * (audio - usual) / max(float(told.mean()), 1 / len(told)) if len(told) else audio
        neither = self.declined_audio & self.declined_without
        meant = np.where(told, audio, usual)
        heard = meant + self.declined_audio.mean() * pull
        return heard, np.where(self.declined_without, meant, without) + neither.mean() * pull

    @property
    def treatments(self) -> Sequence[str]:
        """Those that differ here: one where nothing was declined."""
        return TREATMENTS if (self.declined_audio | self.declined_without).any() else TREATMENTS[:1]

    def bounds(self, scale: Callable[[Sides], Floats]) -> tuple[float, float]:
        """The least and the greatest mean on a scale over all treatments."""
        means = [float(scale(self.sides(one)).mean()) for one in self.treatments]
        return min(means), max(means)


def gain(sides: Sides) -> Floats:
    """A - S, item by item, (n,)."""
    return sides[0] - sides[1]


def relative_gain(sides: Sides) -> Floats:
    """(A - S) / (1 - S) plus each item's influence on it, (n,): the mean is the relative gain, the spread its error.

    NaN where S is 1: the text leaves nothing open.
    """
    audio, without = sides
    a, s = (float(one.mean()) if len(one) else np.nan for one in sides)
    if not s < 1:
        return np.full(len(audio), np.nan)
    return (a - s) / (1 - s) + (audio - a) / (1 - s) - (1 - a) / (1 - s) ** 2 * (without - s)
