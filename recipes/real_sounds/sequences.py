"""Questions on order and number, on clips made of several sounds: the answer is known by construction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from random import Random

from choose import Deck, balanced
from heard import ANIMALS, MIXED, PAUSE, SHORT
from material import CATALOGUE, Clip, Material, Question, Recording, numbered
from sound import RATE, Samples, even, joined, placed, tidy

STRUCK = CATALOGUE["struck"]
PLAYED = ("guitar", "cymbal", "snare drum", "choir")
GROUP = {name: group for group in ("animals", "events", "instruments") for name in CATALOGUE[group]}
KNOWN = [*ANIMALS, *MIXED, *PLAYED]


def _sets(size: int, count: int, rng: Random) -> list[tuple[str, ...]]:
    """Sets of sounds that are told apart, each sound in about as many of them."""
    deck = Deck(KNOWN, rng)
    return [(first, *deck.wrong(first, size - 1)) for first in balanced(KNOWN, count, rng)]


def order(material: Material, rng: Random) -> Iterator[Question]:
    """Which of two is first; in which order are three; what follows what."""
    names = numbered("order")
    for pair in _sets(2, 12, rng):
        first, second = rng.sample(pair, 2)
        clip = _one_after_the_other(material, (first, second), next(names))
        yield Question(clip, "order", "Which of the two is heard first?", first, (second,), "construction")
    absent = Deck(KNOWN, rng)
    for number, three in enumerate(_sets(3, 12, rng)):
        heard = tuple(rng.sample(three, 3))
        clip = _one_after_the_other(material, heard, next(names))
        gold, *wrong = [", then ".join(way) for way in permutations(heard)]
        asked = "In which order are the sounds heard?"
        yield Question(clip, "order", asked, gold, tuple(rng.sample(wrong, 3 + number % 2)), "construction")
        place = number % 2  # the sound that is asked about
        others = [one for at, one in enumerate(heard) if at not in (place, place + 1)]
        (never,) = absent.wrong(heard[0], 1, barred=heard[1:])
        asked = f"What is heard right after this sound: {heard[place]}?"
        yield Question(clip, "order", asked, heard[place + 1], (*others, never), "construction")


def _one_after_the_other(material: Material, sounds: tuple[str, ...], name: str) -> Clip:
    heard = [material.take(GROUP[sound], sound) for sound in sounds]
    return Clip(name, joined([samples[:SHORT] for _, samples in heard], PAUSE), tuple(r for r, _ in heard))


def counting(material: Material, rng: Random) -> Iterator[Question]:
    """How often a sound is heard, alone or between others."""
    names = numbered("counting")
    struck = {name: material.take("struck", name) for name in STRUCK}
    for k in (4, 5):
        for (name, entry), rank in zip(STRUCK.items(), balanced(list("01234"[:k]), len(STRUCK), rng), strict=True):
            number, options = _window(int(rank), k, rng)
            clip = _repeated([struck[name]], [number], next(names), rng)
            yield Question(clip, "counting", f"How many {entry['plural']} are heard?", *options, "construction")
    crossed = [("small bell", "hand drum"), ("crow", "snap"), ("strum", "metal"), ("cowbell", "snare")]
    ranks = balanced(list("0123"), 2 * len(crossed), rng)
    for (one, other), rank in zip([*crossed, *(pair[::-1] for pair in crossed)], ranks, strict=True):
        number, options = _window(int(rank), 4, rng)
        clip = _repeated([struck[one], struck[other]], [number, rng.randint(1, 4)], next(names), rng)
        yield Question(clip, "counting", f"How many {STRUCK[one]['plural']} are heard?", *options, "construction")


def _window(rank: int, k: int, rng: Random) -> tuple[int, tuple[str, tuple[str, ...]]]:
    """A number, and as options the k numbers around it, in which it has this rank: no number stands out."""
    least = rng.randint(1, 3)
    options = [str(least + at) for at in range(k)]
    gold = options.pop(rank)
    return int(gold), (gold, tuple(options))


def _repeated(sounds: list[tuple[Recording, Samples]], numbers: list[int], name: str, rng: Random) -> Clip:
    """Each sound as often as its number says, in random order, at uneven distances, none over another."""
    line = [sound for (_, sound), n in zip(sounds, numbers, strict=True) for _ in range(n)]
    parts = [even(tidy(sound, longest=0.9)) for sound in rng.sample(line, len(line))]
    starts, now = [], 0.1
    for part in parts:
        starts.append(now)
        now += len(part) / RATE + rng.uniform(0.2, 0.5)
    return Clip(name, placed(parts, starts), tuple(recording for recording, _ in sounds))
