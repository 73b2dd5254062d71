"""Clips of sounds, and of several sounds: events, animals, mixtures, order, number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from random import Random

import numpy as np
from clips import RATE, Clip, Question, Samples, ask, changed, even, joined, placed, tidy
from keys import cut
from played import FONTS
from stock import CATALOGUE, INSTRUMENTS, Material, confusable

ANIMALS = CATALOGUE["animals"]
EVENTS = tuple(name for name in (*CATALOGUE["sounds"], *CATALOGUE["recordings"]) if name not in ANIMALS)
KNOWN = (*EVENTS, *ANIMALS)
PLAYED = ("piano", "violin", "flute", "trumpet", "choir", "snare drum", "cymbal", "guitar")


def varied(samples: Samples, rng: Random, longest: float = 3.0) -> Samples:
    """Another stretch of a sound, a little faster or slower."""
    rate = rng.uniform(0.88, 1.14)
    places = np.arange(0, len(samples) - 1, rate)
    made = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    most = round(rng.uniform(0.6, 1.0) * min(longest, len(made) / RATE) * RATE)
    return tidy(made[: max(most, RATE // 3)], longest)


def take(material: Material, name: str, rng: Random, longest: float = 3.0) -> Samples:
    """A sound of a name, varied; of an instrument a note or a stroke."""
    if material.variants(name):
        return varied(material.sound(name, rng.randrange(material.variants(name))), rng, longest)
    if name in CATALOGUE["drums"]:
        return tidy(material.drum(name, rng.choice(FONTS), rng), longest)
    notes = material.instrument(name, rng.choice(FONTS), rng)
    return tidy(cut(notes[INSTRUMENTS[name][1] + rng.randint(-5, 5)], min(longest, 1.0)), longest)


def apart(names: Sequence[str], count: int, rng: Random) -> list[str]:
    """So many different names that can be told apart."""
    chosen: list[str] = []
    while len(chosen) < count:
        name = rng.choice(list(names))
        if name not in chosen and not any(name in confusable(one) for one in chosen):
            chosen.append(name)
    return chosen


def _others(names: Sequence[str], chosen: Sequence[str]) -> list[str]:
    return [one for one in names if not any(one == held or one in confusable(held) for held in chosen)]


def events(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """What is heard; which two sounds, one over the other."""
    for number in range(count):
        if number % 3 < 2:
            (name,) = apart(EVENTS, 1, rng)
            asked = ("What is heard?", "Which sound is heard?", "What do you hear?")
            question = ask(rng, "event", asked, name, _others(EVENTS, [name]))
            samples, caption = take(material, name, rng), f"Sound: {name}."
        else:
            two = apart(EVENTS, 4, rng)
            pairs = [f"{two[a]} and {two[b]}" for a in range(4) for b in range(a + 1, 4)]
            question = ask(rng, "event", "Which two sounds are heard?", pairs[0], pairs[1:], 4)
            parts = [even(take(material, name, rng)) for name in two[:2]]
            samples, caption = placed(parts, [0.0, rng.uniform(0, 0.8)]), f"Sounds: {two[0]} and {two[1]}."
        yield Clip(changed(samples, rng), (question,), caption)


def animals(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Which animal; its class, its call and its young. Three animals: more are not to be had under free licences."""
    names = list(ANIMALS)
    for _ in range(count):
        name = rng.choice(names)
        kind, call, _ = ANIMALS[name]
        called = {one: one.removeprefix("singing ") for one in names}
        questions = (
            ask(rng, "animal", "Which animal is heard?", called[name], list(called.values()), 3),
            Question("animal", "Is a bird or a mammal heard?", kind, ("mammal" if kind == "bird" else "bird",)),
            ask(rng, "animal", "What is the call that is heard named?", call, [ANIMALS[one][1] for one in names], 3),
        )
        yield Clip(changed(take(material, name, rng), rng), questions, f"Animal: {called[name]}.")


def mixtures(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Which of these is heard, is not heard, is heard twice."""
    for _ in range(count):
        size = rng.choice((2, 3, 3))
        heard = apart(KNOWN, size, rng)
        twice = rng.random() < 0.5
        line = [*heard, heard[0]] if twice else list(heard)
        rng.shuffle(line)
        others = _others(KNOWN, heard)
        never = rng.sample(others, 3)
        samples = joined([take(material, name, rng, 1.2) for name in line], rng.uniform(0.1, 0.4))
        questions = [
            ask(rng, "mixture", "Which of these is heard?", rng.choice(heard), never, 4),
            ask(rng, "mixture", "Which of these is not heard?", never[0], heard, size + 1),
        ]
        if twice:
            questions.append(ask(rng, "mixture", "Which of these is heard twice?", heard[0], heard, size))
        yield Clip(changed(samples, rng), tuple(questions), f"Sounds: {', then '.join(line)}.")


def order(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Which of two is first; in which order are three; what comes right after what."""
    names = (*KNOWN, *PLAYED)
    for number in range(count):
        if number % 3 == 0:
            pair = apart(names, 2, rng)
            first, second = pair
            asked = rng.choice(("Which of the two is heard first?", "Which of the two is heard last?"))
            gold = first if asked.endswith("first?") else second
            question = Question("order", asked, gold, (second if gold == first else first,))
            heard = [first, second]
        else:
            heard = apart(names, 3, rng)
            if number % 3 == 1:
                gold, *wrong = [", then ".join(way) for way in permutations(heard)]
                question = ask(rng, "order", "In which order are the sounds heard?", gold, wrong)
            else:
                at = rng.randrange(2)
                never = rng.choice(_others(names, heard))
                pool = [name for place, name in enumerate(heard) if place != at] + [never]
                asked = f"What is heard right after this sound: {heard[at]}?"
                question = ask(rng, "order", asked, heard[at + 1], pool, rng.choice((2, 3)))
        samples = joined([take(material, name, rng, 1.3) for name in heard], rng.uniform(0.1, 0.5))
        yield Clip(changed(samples, rng), (question,), f"Sounds: {', then '.join(heard)}.")


def counting(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """How often a sound is heard, alone or between others."""
    plurals = CATALOGUE["plurals"]
    for _ in range(count):
        name = rng.choice(list(plurals))
        k = rng.choice((3, 4, 4, 5))
        rank, least = rng.randrange(k), rng.randint(1, 3)
        options = [str(least + at) for at in range(k)]
        gold = options.pop(rank)
        sound = take(material, name, rng, 0.7)
        line = [sound] * int(gold)
        if rng.random() < 0.3:
            other = rng.choice([one for one in _others(list(plurals), [name]) if plurals[one] != plurals[name]])
            line += [take(material, other, rng, 0.7)] * rng.randint(1, 3)
        starts, now = [], 0.1
        rng.shuffle(line)
        for part in line:
            starts.append(now)
            now += len(part) / RATE + rng.uniform(0.15, 0.5)
        samples = placed([even(part) for part in line], starts)
        question = Question("counting", f"How many {plurals[name]} are heard?", gold, tuple(options))
        yield Clip(changed(samples, rng), (question,), f"Number of {plurals[name]}: {gold}.")
