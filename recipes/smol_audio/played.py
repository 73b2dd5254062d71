"""Clips of music: instruments, pitch, chords, melody, tempo."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, permutations
from random import Random

from clips import Clip, Question, Samples, ask, changed, joined
from keys import chord, tune
from stock import CATALOGUE, FAMILY, INSTRUMENTS, PITCHED, Material, confusable

STEPS = (0, 2, 4, 5, 7, 9, 11, 12)
"""Semitones of a major scale."""
FONTS = ("fluid", "musescore")
NAMES = (*INSTRUMENTS, *CATALOGUE["drums"])
FAMILIES = tuple(sorted(set(FAMILY.values())))
WHICH = ("Which instrument is played?", "Which instrument is heard?", "What instrument is this?")


def instruments(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Which instrument plays, and its family; the last tenth on a sound font that training never hears."""
    for number in range(count):
        test = number >= count * 0.93
        name, font = rng.choice(NAMES), "test" if test else rng.choice(FONTS)
        pool = [one for one in NAMES if one not in confusable(name)]
        questions = [ask(rng, "instrument", WHICH, name, pool, 4 if test else None)]
        if not test and name in FAMILY:
            asked = "To which family does the instrument that is played belong?"
            questions.append(ask(rng, "instrument", asked, FAMILY[name], FAMILIES))
        samples = _played(material, name, font, rng)
        yield Clip(samples if test else changed(samples, rng), tuple(questions), f"Instrument: {name}.",
                   "instrument" if test else "")  # fmt: skip


def _played(material: Material, name: str, font: str, rng: Random) -> Samples:
    if name not in INSTRUMENTS:
        stroke = material.drum(name, font, rng)
        return joined([stroke[: rng.randint(4000, 12000)] for _ in range(rng.randint(2, 6))], rng.uniform(0.05, 0.3))
    notes, middle = material.instrument(name, font, rng), INSTRUMENTS[name][1]
    keys = [middle + rng.choice((-12, -5, 0, 0, 0)) + rng.choice(STEPS) for _ in range(rng.randint(2, 6))]
    samples = tune(notes, keys, rng.uniform(0.25, 0.6))
    return (
        joined([samples, chord(notes, [middle, middle + 4, middle + 7], 0.8)], 0.02) if rng.random() < 0.2 else samples
    )


def pitch(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Higher or lower; the highest or the lowest of three; major or minor."""
    places = ("the first", "the second", "the third")
    for number in range(count):
        name = rng.choice(PITCHED)
        notes, base = material.instrument(name, rng.choice(FONTS), rng), INSTRUMENTS[name][1] + rng.randint(-6, 6)
        seconds = rng.uniform(0.45, 0.9)
        if number % 5 < 2:
            size = rng.choice((2, 3, 4, 5, 6, 7, 8, 9, 10))
            up = rng.random() < 0.5
            samples = tune(notes, [base, base + (size if up else -size)], seconds)
            gold, other = ("higher", "lower") if up else ("lower", "higher")
            asked = rng.choice(("Two notes are played. Is the second one higher or lower than the first?",
                                "Two tones are heard. Is the second higher or lower?"))  # fmt: skip
            question = Question("pitch", asked, gold, (other,))
            caption = f"Notes: {'up' if up else 'down'}."
        elif number % 5 < 4:
            steps = rng.sample((-8, -6, -4, -2, 0, 2, 4, 6, 8), 3)
            samples = tune(notes, [base + step for step in steps], seconds)
            kind, place = rng.choice((("highest", steps.index(max(steps))), ("lowest", steps.index(min(steps)))))
            question = ask(rng, "pitch", f"Three notes are played. Which is the {kind}?", places[place], places, 3)
            caption = f"Notes: {ranks(steps)}."
        else:
            root = min(base, INSTRUMENTS[name][1] + 4) - rng.choice((0, 5))
            gold, other = rng.sample(("major", "minor"), 2)
            keys = [root, root + (4 if gold == "major" else 3), root + 7, *([root + 12] if rng.random() < 0.5 else [])]
            samples = chord(notes, keys, rng.uniform(0.8, 1.6), rng.choice((0, 0, 0.03, 0.25)))
            question = Question("pitch", "Is a major or a minor chord played?", gold, (other,))
            caption = f"Chord: {gold}."
        yield Clip(changed(samples, rng), (question,), caption)


def ranks(steps: list[int]) -> str:
    """Three notes in words."""
    named = {max(steps): "high", min(steps): "low"}
    return ", ".join(named.get(step, "middle") for step in steps)


def melody(material: Material, count: int, rng: Random) -> Iterator[Clip]:
    """Which way a tune goes; how it differs when it is played again."""
    changes = {"It is higher.": 1, "It is lower.": -1, "It is faster.": 0, "It is slower.": 0, "It is the same.": 0}
    for number in range(count):
        name = rng.choice(PITCHED)
        notes, base = material.instrument(name, rng.choice(FONTS), rng), INSTRUMENTS[name][1]
        if number % 2:
            size = rng.choice((2, 3, 4, 4, 4))
            down = size // 2 if size != 3 else rng.choice((1, 2))
            ways = sorted(set(permutations(("up",) * (size - down) + ("down",) * down)))
            way = rng.choice(ways)
            keys = [0, *accumulate(rng.choice((2, 3, 4)) * (1 if one == "up" else -1) for one in way)]
            seconds = rng.uniform(0.3, 0.6)
            samples = tune(notes, [base + key for key in keys], seconds)
            asked = ("Which way does the tune go from note to note?", "How does the melody move?")
            gold = ", ".join(way)
            question = ask(rng, "melody", asked, gold, [", ".join(one) for one in ways])
            caption = f"Tune: {gold}."
        else:
            gold = rng.choice(list(changes))
            pace, seconds = {"It is faster.": 0.6, "It is slower.": 1.6}.get(gold, 1.0), rng.uniform(0.25, 0.45)
            shift = changes[gold] * rng.choice((3, 4, 5, 7))
            keys = [base - 4 + rng.choice(STEPS[:6]) for _ in range(rng.choice((3, 4, 5)))]
            twice = [tune(notes, keys, seconds), tune(notes, [key + shift for key in keys], seconds * pace)]
            samples = joined(twice, rng.uniform(0.5, 0.8))
            asked = ("A tune is played twice. How is it the second time?", "A melody is repeated. How has it changed?")
            question = ask(rng, "melody", asked, gold, list(changes))
            caption = f"Second time: {gold}"
        yield Clip(changed(samples, rng), (question,), caption)
