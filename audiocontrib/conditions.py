"""Conditions: what a model may hear and read. Values that are registered by name, serialise and are seeded.

A condition is written ``name`` or ``name:parameter``, e.g. ``silence``, ``silence:matched``,
``noise:-40``, ``clip:0-2.5``, ``swap:7``. The same item, condition and seed give the same samples on
every machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from audiocontrib.audio import MIN_SECONDS, RATE, Sound, make_sound, silence
from audiocontrib.errors import BadAudio, UsageError
from audiocontrib.hashing import seeded, stable_hash
from audiocontrib.items import Item
from audiocontrib.registry import Registry


@dataclass(frozen=True, slots=True)
class Condition:
    """Base of all conditions; by itself it plays the item's own clip."""

    name: ClassVar[str]
    has_audio: ClassVar[bool] = True
    """Whether the message holds an audio part at all."""
    shows_question: ClassVar[bool] = True
    donor: ClassVar[bool] = False
    """Whether another item's clip is played instead of the item's own."""

    @property
    def needs_clip(self) -> bool:
        """Whether the samples depend on a recording (the item's own or the donor's)."""
        return self.has_audio

    @property
    def spec(self) -> str:
        """How the condition is written; ``condition(c.spec) == c``."""
        return self.name

    @classmethod
    def parse(cls, parameter: str | None) -> Self:
        """The condition from the text after the colon; ValueError if it cannot be read."""
        if parameter is not None:
            raise ValueError("it takes no parameter")
        return cls()

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:
        """What is played: None without an audio part. ``clip`` is given where ``needs_clip``."""
        return clip if self.has_audio else None

    def __str__(self) -> str:
        return self.spec


CONDITIONS: Registry[type[Condition]] = Registry("condition")


def register_condition(cls: type[Condition]) -> type[Condition]:
    """File a condition class under its ``name``."""
    return CONDITIONS.register(cls.name)(cls)


def condition(spec: str | Condition) -> Condition:
    """The condition written as ``spec``; UsageError with the reason if there is none."""
    if isinstance(spec, Condition):
        return spec
    name, colon, parameter = spec.strip().partition(":")
    kind = CONDITIONS.find(name)
    try:
        return kind.parse(parameter if colon else None)
    except ValueError as error:
        raise UsageError(f"condition {spec!r}: {error}") from error


@register_condition
@dataclass(frozen=True, slots=True)
class Audio(Condition):
    """The item's own clip."""

    name: ClassVar[str] = "audio"


@register_condition
@dataclass(frozen=True, slots=True)
class Silence(Condition):
    """Zeros: 30 s as in arXiv 2509.21060, another length, or ``matched`` to the item's own clip."""

    name: ClassVar[str] = "silence"
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
        return cls(_number(parameter, "seconds, or 'matched'", low=MIN_SECONDS, high=3600))

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        return silence(self.seconds if self.seconds is not None else _present(clip).seconds)


@register_condition
@dataclass(frozen=True, slots=True)
class Text(Condition):
    """Question and options only; the message has no audio part at all."""

    name: ClassVar[str] = "text"
    has_audio: ClassVar[bool] = False


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
    shows_question: ClassVar[bool] = False


@register_condition
@dataclass(frozen=True, slots=True)
class Noise(Condition):
    """White noise as long as the clip, at an RMS level in dBFS, seeded by item.

    Uniformly distributed samples: their stream is the same in every version of numpy.
    """

    name: ClassVar[str] = "noise"
    dbfs: float = -20.0

    @property
    def spec(self) -> str:  # noqa: D102
        return "noise" if self.dbfs == -20.0 else f"noise:{self.dbfs:g}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(_number(parameter, "a level in dBFS", low=-120, high=-5))

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        uniform = seeded("noise", item_id).random(len(_present(clip).samples)) * 2 - 1
        rms_of_uniform = 1 / np.sqrt(3)
        return make_sound(uniform * (10 ** (self.dbfs / 20) / rms_of_uniform))


@register_condition
@dataclass(frozen=True, slots=True)
class Swap(Condition):
    """Another item's clip: another recording on which no gold option is among this item's choices."""

    name: ClassVar[str] = "swap"
    donor: ClassVar[bool] = True
    seed: int = 0

    @property
    def spec(self) -> str:  # noqa: D102
        return "swap" if self.seed == 0 else f"swap:{self.seed}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        return cls() if parameter is None else cls(int(_number(parameter, "a seed", low=0, high=2**31)))


@register_condition
@dataclass(frozen=True, slots=True)
class Reverse(Condition):
    """The item's own clip, played backwards."""

    name: ClassVar[str] = "reverse"

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        return make_sound(_present(clip).samples[::-1])


@register_condition
@dataclass(frozen=True, slots=True)
class Fragment(Condition):
    """A fragment of the item's own clip, ``clip:a-b`` in seconds, cut at the clip's end."""

    name: ClassVar[str] = "clip"
    start: float
    stop: float

    @property
    def spec(self) -> str:  # noqa: D102
        return f"clip:{self.start:g}-{self.stop:g}"

    @classmethod
    def parse(cls, parameter: str | None) -> Self:  # noqa: D102
        first, _, second = (parameter or "").partition("-")
        start = _number(first, "a fragment as clip:START-STOP in seconds", low=0, high=86_400)
        stop = _number(second, "a fragment as clip:START-STOP in seconds", low=0, high=86_400)
        if stop - start < MIN_SECONDS:
            raise ValueError(f"the fragment must be at least {MIN_SECONDS} s long")
        return cls(start, stop)

    def hear(self, clip: Sound | None, item_id: str) -> Sound | None:  # noqa: D102
        whole = _present(clip)
        part = whole.samples[round(self.start * RATE) : round(self.stop * RATE)]
        if len(part) < MIN_SECONDS * RATE:
            raise BadAudio(f"nothing of the clip ({whole.seconds:.2f} s) lies in {self.spec}")
        return make_sound(part)


Donors = Callable[[Item], Item | None]


def donors(items: Iterable[Item], seed: int = 0) -> Donors:
    """For ``swap``: a function from an item to its partner, fixed by the seed; None where there is none.

    The recordings stand in an order that the seed shuffles; an item starts at a place of its own and
    takes the first recording that is not its own and on which no gold option is among its choices.
    """
    first: dict[str, Item] = {}
    golds: dict[str, set[str]] = defaultdict(set)
    for item in items:
        if item.audio is not None and item.answer is not None:
            first.setdefault(item.clip_id, item)
            golds[item.clip_id].add(_fold(item.choices[item.answer]))
    ring = sorted(first, key=lambda clip: stable_hash([seed, clip]))

    def partner(item: Item) -> Item | None:
        offered = {_fold(choice) for choice in item.choices}
        start = int(stable_hash([seed, item.id])[:16], 16)
        for step in range(len(ring)):
            clip = ring[(start + step) % len(ring)]
            if clip != item.clip_id and not golds[clip] & offered:
                return first[clip]
        return None

    return partner


def _fold(text: str) -> str:
    return " ".join(text.casefold().split())


def _present(clip: Sound | None) -> Sound:
    if clip is None:
        raise BadAudio("the condition needs the item's clip, and there is none")
    return clip


def _number(text: str, meaning: str, *, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not {meaning}") from None
    if not low <= value <= high:
        raise ValueError(f"{value:g} is outside {low:g} to {high:g} for {meaning}")
    return value
