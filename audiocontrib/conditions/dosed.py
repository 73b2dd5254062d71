"""Conditions that take away some of a clip: the steps between the whole clip and none of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from audiocontrib.audio import Sound, make_sound
from audiocontrib.conditions.base import Condition, register_condition
from audiocontrib.conditions.standard import number_between, present
from audiocontrib.errors import BadAudio
from audiocontrib.hashing import seeded

REGIONS = 20
"""A clip is masked in so many regions of equal length, one after the other in an order of the item's own."""


@register_condition
@dataclass(frozen=True, slots=True)
class Mask(Condition):
    """The item's own clip with ``mask:P`` per cent of its duration zeroed, seeded by item.

    Nested: what is masked at 20 is masked at 40.
    """

    name: ClassVar[str] = "mask"
    hears_own_clip: ClassVar[bool] = True
    percent: float

    @property
    def spec(self) -> str:  # noqa: D102
        return f"{self.name}:{self.percent:g}"

    @property
    def dose(self) -> tuple[str, float]:  # noqa: D102
        return "mask", self.percent

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        meaning = "a share of the clip in per cent, as mask:40 (all of it is silence:matched)"
        return cls(number_between(parameter or "", meaning, low=1, high=99))

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        samples = present(clip).samples.copy()
        edges = np.linspace(0, len(samples), REGIONS + 1).round().astype(int)
        left = round(len(samples) * self.percent / 100)
        for region in seeded("mask", item_id).permutation(REGIONS):
            first = edges[region]
            masked = min(left, edges[region + 1] - first)
            samples[first : first + masked] = 0
            left -= masked
        return make_sound(samples)


@register_condition
@dataclass(frozen=True, slots=True)
class Snr(Condition):
    """The item's own clip with white noise ``snr:D`` decibels below its level (RMS), seeded by item.

    Nested: the noise is the same at every level, only louder. Where the sum would go beyond full scale, all of it is
    made quieter.
    """

    name: ClassVar[str] = "snr"
    hears_own_clip: ClassVar[bool] = True
    decibels: float

    @property
    def spec(self) -> str:  # noqa: D102
        return f"{self.name}:{self.decibels:g}"

    @property
    def dose(self) -> tuple[str, float]:  # noqa: D102
        return "snr", self.decibels

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls(
            number_between(
                parameter or "", "how far the noise lies below the clip, in decibels, as snr:10", low=-60, high=60
            )
        )

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        own = present(clip).samples.astype(np.float64)
        level = float(np.sqrt((own**2).mean()))
        if not level > 0:
            raise BadAudio("the clip is silent: no noise is any decibels below it")
        uniform = seeded("snr", item_id).random(len(own)) * 2 - 1
        rms_of_uniform = 1 / np.sqrt(3)
        mixed = own + uniform * (level * 10 ** (-self.decibels / 20) / rms_of_uniform)
        return make_sound(mixed / max(1.0, float(np.abs(mixed).max())))


@register_condition
@dataclass(frozen=True, slots=True)
class SwapMask(Mask):
    """The clip of ``swap``, masked: what luck and the text still give at that dose."""

    name: ClassVar[str] = "swap-mask"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True
    control: ClassVar[bool] = True


@register_condition
@dataclass(frozen=True, slots=True)
class SwapSnr(Snr):
    """The clip of ``swap`` in noise: what luck and the text still give at that dose."""

    name: ClassVar[str] = "swap-snr"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True
    control: ClassVar[bool] = True
