"""The conditions that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from audiocontrib.audio import MIN_SECONDS, RATE, Sound, make_sound, silence
from audiocontrib.conditions.base import Condition, register_condition
from audiocontrib.conditions.partners import Partners, partners_by_gold
from audiocontrib.errors import BadAudio
from audiocontrib.hashing import seeded
from audiocontrib.items import Item


@register_condition
@dataclass(frozen=True, slots=True)
class Audio(Condition):
    """The item's own clip."""

    name: ClassVar[str] = "audio"
    hears_own_clip: ClassVar[bool] = True


@register_condition
@dataclass(frozen=True, slots=True)
class Silence(Condition):
    """Zeros: 30 s as in arXiv 2509.21060, another length, or ``matched`` to the item's own clip."""

    name: ClassVar[str] = "silence"
    hears_own_clip: ClassVar[bool] = False
    seconds: float | None = 30.0
    """None: as long as the clip."""

    @property
    def needs_clip(self) -> bool:  # noqa: D102
        return self.seconds is None

    @property
    def spec(self) -> str:  # noqa: D102
        if self.seconds is None:
            return "silence:matched"
        return "silence" if self.seconds == 30.0 else f"silence:{self.seconds:g}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        if parameter is None:
            return cls()
        if parameter == "matched":
            return cls(None)
        return cls(number_between(parameter, "seconds, or 'matched'", low=MIN_SECONDS, high=3600))

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        return silence(self.seconds if self.seconds is not None else present(clip).seconds)


@register_condition
@dataclass(frozen=True, slots=True)
class Text(Condition):
    """Question and options only; the message has no audio part at all."""

    name: ClassVar[str] = "text"
    has_audio: ClassVar[bool] = False
    hears_own_clip: ClassVar[bool] = False


@register_condition
@dataclass(frozen=True, slots=True)
class OptionsOnly(Text):
    """The options alone: no question and no audio."""

    name: ClassVar[str] = "options"
    shows_question: ClassVar[bool] = False


@register_condition
@dataclass(frozen=True, slots=True)
class NoQuestion(Condition):
    """The item's own clip and the options, without the question."""

    name: ClassVar[str] = "noquestion"
    hears_own_clip: ClassVar[bool] = True
    shows_question: ClassVar[bool] = False


@register_condition
@dataclass(frozen=True, slots=True)
class Noise(Condition):
    """White noise as long as the clip, at an RMS level in dBFS, seeded by item.

    Uniformly distributed samples: their stream is the same in every version of numpy.
    """

    name: ClassVar[str] = "noise"
    hears_own_clip: ClassVar[bool] = False
    dbfs: float = -20.0

    @property
    def spec(self) -> str:  # noqa: D102
        return "noise" if self.dbfs == -20.0 else f"noise:{self.dbfs:g}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(number_between(parameter, "a level in dBFS", low=-120, high=-5))

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        uniform = seeded("noise", item_id).random(len(present(clip).samples)) * 2 - 1
        rms_of_uniform = 1 / np.sqrt(3)
        return make_sound(uniform * (10 ** (self.dbfs / 20) / rms_of_uniform))


@register_condition
@dataclass(frozen=True, slots=True)
class Swap(Condition):
    """Another item's clip: another recording on which no gold option is among this item's choices."""

    name: ClassVar[str] = "swap"
    hears_own_clip: ClassVar[bool] = False
    borrows_clip: ClassVar[bool] = True
    seed: int = 0

    @property
    def spec(self) -> str:  # noqa: D102
        return "swap" if self.seed == 0 else f"swap:{self.seed}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(whole(parameter, "a seed", high=2**31))

    def partners(self, items: Sequence[Item]) -> Partners:  # noqa: D102
        return partners_by_gold(items, self.seed)


@register_condition
@dataclass(frozen=True, slots=True)
class Reverse(Condition):
    """The item's own clip, played backwards."""

    name: ClassVar[str] = "reverse"
    hears_own_clip: ClassVar[bool] = True

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        return make_sound(present(clip).samples[::-1])


@register_condition
@dataclass(frozen=True, slots=True)
class Fragment(Condition):
    """A fragment of the item's own clip, ``clip:a-b`` in seconds, cut at the clip's end."""

    name: ClassVar[str] = "clip"
    hears_own_clip: ClassVar[bool] = True
    start: float
    stop: float

    @property
    def spec(self) -> str:  # noqa: D102
        return f"clip:{self.start:g}-{self.stop:g}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        first, _, second = (parameter or "").partition("-")
        start = number_between(first, "a fragment as clip:START-STOP in seconds", low=0, high=86_400)
        stop = number_between(second, "a fragment as clip:START-STOP in seconds", low=0, high=86_400)
        if stop - start < MIN_SECONDS:
            raise ValueError(f"the fragment must be at least {MIN_SECONDS} s long")
        return cls(start, stop)

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        whole = present(clip)
        part = whole.samples[round(self.start * RATE) : round(self.stop * RATE)]
        if len(part) < MIN_SECONDS * RATE:
            raise BadAudio(f"nothing of the clip ({whole.seconds:.2f} s) lies in {self.spec}")
        return make_sound(part)


def present(clip: Sound | None) -> Sound:
    """The clip; BadAudio where there is none."""
    if clip is None:
        raise BadAudio("the condition needs the item's clip, and there is none")
    return clip


def whole(text: str, meaning: str, *, high: int) -> int:
    """The whole number that a condition's parameter is, from 0 to ``high``; ValueError if it is none."""
    value = number_between(text, meaning, low=0, high=high)
    if value != int(value):
        raise ValueError(f"{text!r} is not {meaning}, which is a whole number")
    return int(value)


def number_between(text: str, meaning: str, *, low: float, high: float) -> float:
    """A number that a condition is written with; ValueError if it is none, or out of range."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {meaning}") from None
    if not low <= value <= high:
        raise ValueError(f"{value:g} is outside {low:g} to {high:g} for {meaning}")
    return value
