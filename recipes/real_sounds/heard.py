"""Questions on animals and events: what is heard, alone or together."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from choose import Deck, balanced
from material import CATALOGUE, Check, Clip, Material, Question, numbered
from sound import RATE, joined

ANIMALS = CATALOGUE["animals"]
EVENTS = CATALOGUE["events"]
MIXED = [event for event in EVENTS if event not in ("waves at the sea", "deep boom")]
"""Those that are known by their first two seconds, also between others."""
PAUSE = 0.4
"""Seconds between the sounds of a clip."""
SHORT = 2 * RATE
"""Samples of each sound in a clip of several."""


def single(material: Material, group: str, name: str, clip: str) -> Clip:
    """One sound of the catalogue, three times if it is short, with the classes that a tagger may hear in it."""
    recording, samples = material.take(group, name)
    times = 3 if len(samples) < 0.7 * RATE else 1
    check = Check("sound", tuple(CATALOGUE[group][name]["classes"]))
    return Clip(clip, joined([samples] * times, PAUSE), (recording,), (check,))


def animals(material: Material, rng: Random) -> Iterator[Question]:
    """Which animal, its call, its young, its kind; and which two animals."""
    names = numbered("animal")
    clips = {animal: single(material, "animals", animal, next(names)) for animal in ANIMALS}
    deck = Deck(ANIMALS, rng)
    for animal, clip in clips.items():
        yield Question(clip, "animal", "Which animal is heard?", animal, deck.wrong(animal, 3), "file name")
    for field, asked, k in (
        ("call", "What is the call that is heard named?", 5),
        ("young", "What is a young one of the animal that is heard called?", 4),
    ):
        known = {animal: entry[field] for animal, entry in ANIMALS.items() if field in entry}
        deck = Deck(known.values(), rng)
        for animal, gold in known.items():
            yield Question(clips[animal], "animal", asked, gold, deck.wrong(gold, k - 1), "file name")
    kinds = {animal: entry["kind"] for animal, entry in ANIMALS.items() if "kind" in entry}
    for animal, gold in kinds.items():
        other = "bird" if gold == "mammal" else "mammal"
        yield Question(clips[animal], "animal", "Is a bird or a mammal heard?", gold, (other,), "file name")
    for first, second in _pairs(rng):
        heard = [material.take("animals", animal) for animal in rng.sample([first, second], 2)]
        both = Clip(next(names), joined([s[:SHORT] for _, s in heard], PAUSE), tuple(r for r, _ in heard))
        third, fourth = rng.sample([animal for animal in ANIMALS if animal not in (first, second)], 2)
        gold, *wrong = _couples(first, second, third, fourth, rng)
        yield Question(both, "animal", "Which two animals are heard?", gold, tuple(wrong), "construction")


def _pairs(rng: Random) -> list[tuple[str, str]]:
    """Nine pairs of animals, each animal in two of them."""
    while True:
        order = balanced(list(ANIMALS), 2 * len(ANIMALS), rng)
        pairs = list(zip(order[::2], order[1::2], strict=True))
        if len({frozenset(pair) for pair in pairs if pair[0] != pair[1]}) == len(pairs):
            return pairs


def events(material: Material, rng: Random) -> Iterator[Question]:
    """Which event is heard, and which two events."""
    names = numbered("event")
    deck = Deck(EVENTS, rng)
    for number, event in enumerate(EVENTS):
        clip = single(material, "events", event, next(names))
        yield Question(clip, "event", "What is heard?", event, deck.wrong(event, 3 + number % 2), "file name")
    deck = Deck(MIXED, rng)
    for first in balanced(MIXED, 14, rng):
        second, third, fourth = deck.wrong(first, 3)
        both = _mixed(material, rng.sample([first, second], 2), next(names))
        gold, *wrong = _couples(first, second, third, fourth, rng)
        yield Question(both, "event", "Which two sounds are heard?", gold, tuple(wrong), "construction")


def mixtures(material: Material, rng: Random) -> Iterator[Question]:
    """Of three events, one of which comes twice: which it is, which of four is there, and which is not."""
    names = numbered("mixture")
    twice = balanced(MIXED, 12, rng)
    deck, absent = Deck(twice, rng), Deck(MIXED, rng)
    for event in twice:
        others = deck.wrong(event, 2)
        heard = (event, *others)
        clip = _mixed(material, rng.sample([event, *heard], 4), next(names))
        yield Question(clip, "mixture", "Which of these is heard twice?", event, others, "construction")
        (gold,) = absent.wrong(event, 1, barred=others)
        yield Question(clip, "mixture", "Which of these is not heard?", gold, heard, "construction")
        present = rng.choice(others)
        wrong = absent.wrong(present, 3, barred=[one for one in heard if one != present])
        yield Question(clip, "mixture", "Which of these is heard?", present, wrong, "construction")


def _mixed(material: Material, order: list[str], name: str) -> Clip:
    """Events one after the other."""
    heard = {one: material.take("events", one) for one in order}
    samples = joined([heard[one][1][:SHORT] for one in order], PAUSE)
    return Clip(name, samples, tuple(recording for recording, _ in heard.values()))


def _couples(first: str, second: str, third: str, fourth: str, rng: Random) -> list[str]:
    """Options ab (the gold), ac, bd, cd: each names two sounds, and each sound is in two of them; none stands out."""
    pairs = [(first, second), (first, third), (second, fourth), (third, fourth)]
    return [" and ".join(rng.sample(pair, 2)) for pair in pairs]
