"""Scenes: a clip together with what is true of it. Each kind of clip is one function of a Draw."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from audiocontrib.audio import RATE
from audiocontrib.registry import Registry
from audiocontrib.sources.demo import synth
from audiocontrib.sources.demo.synth import Random, Samples

T = TypeVar("T", bound=Hashable)

PITCHES = {"low": 250.0, "middle": 700.0, "high": 2000.0}
CONTOURS = {"rising": 1, "falling": -1, "staying the same": 0}
TEMPOS = {"fast": 0.14, "slow": 0.42}
VOICES = {"low": (100.0, 1.0), "high": (270.0, 1.25)}
"""Pitch in Hz, and formants relative to a long vocal tract."""
NUMBERS = ("one", "two", "three", "four", "five")
CHANGES = ("getting louder", "getting quieter", "staying the same")
PLACES = ("at the beginning", "in the middle", "at the end")
LASTING = ("buzzer", "whistle", "hiss", "rumble", "siren")
"""Sounds that go on, so that a change of loudness can be heard in them."""


@dataclass(slots=True)
class Draw:
    """Seeded draws. ``value`` deals from shuffled decks, so that every value comes up equally often:
    what is gold cannot be told from what is common."""

    random: Random
    decks: dict[str, list[Any]] = field(default_factory=dict)

    def value(self, what: str, values: Sequence[T]) -> T:
        """The next card of the deck called ``what``; it is shuffled anew when it runs out."""
        deck = self.decks.setdefault(what, [])
        if not deck:
            deck.extend(values[i] for i in self.random.permutation(len(values)))
        return deck.pop()

    def some(self, values: Sequence[T], count: int) -> list[T]:
        """``count`` different values in random order."""
        return [values[i] for i in self.random.permutation(len(values))[:count]]


@dataclass(frozen=True, slots=True)
class Scene:
    """A clip and its facts. ``kind`` is AudioMCQ's question type."""

    kind: str
    facts: dict[str, Any]
    samples: Samples = field(repr=False)


SCENES: Registry[Callable[[Draw], Scene]] = Registry("demo scene")


def _finish(parts: Sequence[Samples], draw: Draw, seconds: float = 0.0) -> Samples:
    """Parts joined, at a random level, over a faint noise floor, at least ``seconds`` long.

    Where the length would tell the answer (how many beeps?), all clips of a scene are made equally long.
    """
    level = draw.random.uniform(0.3, 0.9)
    floor = 10 ** draw.random.uniform(-4.0, -2.7)
    clip = np.concatenate(list(parts))
    clip = np.pad(clip, (0, max(0, round(seconds * RATE) - len(clip))))
    return clip * level + synth.noise(len(clip), draw.random) * floor


def _gap(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE))


def _event(kind: str, seconds: float, draw: Draw) -> Samples:
    return synth.scale_to_peak(synth.fade(synth.EVENTS[kind](seconds, draw.random)), 1.0)


@SCENES.register("sound")
def sound(draw: Draw) -> Scene:
    """One sound."""
    kind = draw.value("kind", tuple(synth.EVENTS))
    wave = _event(kind, draw.random.uniform(1.0, 1.8), draw)
    return Scene("sound", {"kind": kind}, _finish([wave], draw))


@SCENES.register("change")
def change(draw: Draw) -> Scene:
    """One lasting sound whose loudness changes."""
    kind, how = draw.value("lasting", LASTING), draw.value("change", CHANGES)
    wave = _event(kind, draw.random.uniform(1.2, 1.8), draw)
    ramp = np.linspace(0.03, 1.0, len(wave)) ** 1.5
    shape = {"getting louder": ramp, "getting quieter": ramp[::-1]}.get(how, np.ones(len(wave)))
    return Scene("sound", {"change": how}, _finish([wave * shape], draw))


@SCENES.register("melody")
def melody(draw: Draw) -> Scene:
    """A few notes of one instrument."""
    timbre = draw.value("timbre", tuple(synth.TIMBRES))
    contour, tempo = draw.value("contour", tuple(CONTOURS)), draw.value("tempo", tuple(TEMPOS))
    length = TEMPOS[tempo] * draw.random.uniform(0.9, 1.1)
    count = round(1.7 / TEMPOS[tempo])
    climb = CONTOURS[contour] * (18 / (count - 1))
    start = 330 * 2 ** draw.random.uniform(-0.25, 0.25) / 2 ** (CONTOURS[contour] * 0.75)
    notes = [synth.TIMBRES[timbre](start * 2 ** (climb * i / 12), length) for i in range(count)]
    return Scene(
        "music",
        {"timbre": timbre, "contour": contour, "tempo": tempo},
        _finish([synth.scale_to_peak(n, 1.0) for n in notes], draw, 1.9),
    )


@SCENES.register("voice")
def voice(draw: Draw) -> Scene:
    """A synthetic voice that says a vowel a few times."""
    name, who = draw.value("vowel", tuple(synth.VOWELS)), draw.value("voice", tuple(VOICES))
    count = draw.value("syllables", (1, 2, 3, 4))
    pitch, tract = VOICES[who]
    pitch *= 2 ** draw.random.uniform(-0.15, 0.15)
    parts = [_gap(0.1)]
    for _ in range(count):
        parts += [synth.scale_to_peak(synth.vowel(name, pitch, tract, draw.random.uniform(0.22, 0.3)), 1.0), _gap(0.2)]
    return Scene("speech", {"vowel": name, "voice": who, "syllables": NUMBERS[count - 1]}, _finish(parts, draw, 2.2))


@SCENES.register("beeps")
def beeps(draw: Draw) -> Scene:
    """A number of beeps at one pitch."""
    pitch, count = draw.value("pitch", tuple(PITCHES)), draw.value("count", (1, 2, 3, 4, 5))
    frequency = PITCHES[pitch] * 2 ** draw.random.uniform(-0.15, 0.15)
    parts = [_gap(0.15)]
    for _ in range(count):
        parts += [synth.beep(frequency, draw.random.uniform(0.15, 0.2)), _gap(0.22)]
    return Scene("temporal", {"pitch": pitch, "count": NUMBERS[count - 1]}, _finish(parts, draw, 2.3))


@SCENES.register("sequence")
def sequence(draw: Draw) -> Scene:
    """Two or three different sounds, one after another."""
    kinds = draw.some(tuple(synth.EVENTS), draw.value("length", (2, 3)))
    parts = []
    for kind in kinds:
        parts += [_event(kind, draw.random.uniform(0.6, 0.75), draw), _gap(0.15)]
    facts = {"kinds": tuple(kinds)} | ({"pair": tuple(kinds)} if len(kinds) == 2 else {})
    return Scene("temporal", facts, _finish(parts, draw))


@SCENES.register("moment")
def moment(draw: Draw) -> Scene:
    """One short sound somewhere in a quiet clip."""
    kind, place = draw.value("kind at", tuple(synth.EVENTS)), draw.value("place", PLACES)
    lead = {PLACES[0]: 0.1, PLACES[1]: 1.05, PLACES[2]: 2.0}[place] + draw.random.uniform(0.0, 0.15)
    wave = _event(kind, 0.6, draw)
    rest = max(0.05, 2.8 - lead - 0.6)
    return Scene("temporal", {"kind": kind, "place": place}, _finish([_gap(lead), wave, _gap(rest)], draw))
