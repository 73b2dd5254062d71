"""Questions on instruments, pitch and melody; notes are played on a sound font of recorded instruments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, cycle, permutations
from random import Random

from choose import Deck, balanced
from heard import single
from material import CATALOGUE, Check, Clip, Material, Question, numbered
from notes import Note
from sound import joined, level, tidy

INSTRUMENTS = CATALOGUE["instruments"]
TUNED = ("piano", "violin", "flute", "trumpet", "marimba", "organ", "clarinet", "accordion", "cello", "saxophone")
STEPS = (0, 2, 4, 5, 7, 9, 11, 12)
"""Semitones of a major scale."""
WAYS = sorted(set(permutations(("up", "up", "down", "down"))))
"""As options they are all equally long."""


def tune(keys: Sequence[int], seconds: float, first: float = 0.0) -> list[Note]:
    """Keys one after the other, each for ``seconds``."""
    return [Note(key, first + at * seconds, seconds * 0.9) for at, key in enumerate(keys)]


def instruments(material: Material, rng: Random) -> Iterator[Question]:
    """Which instrument plays, and of which family it is."""
    names = numbered("instrument")
    clips = {name: _played(material, name, next(names), rng) for name in INSTRUMENTS}
    deck = Deck(INSTRUMENTS, rng)
    for number, (name, clip) in enumerate(clips.items()):
        wrong = deck.wrong(name, 3 + number % 2)
        yield Question(clip, "instrument", "Which instrument is played?", name, wrong, "file name")
    families = sorted({entry["family"] for entry in INSTRUMENTS.values() if "family" in entry})
    deck = Deck(families, rng)
    for family in families:
        members = [name for name, entry in INSTRUMENTS.items() if entry.get("family") == family]
        for name in rng.sample(members, 2):
            asked = "To which family does the instrument that is played belong?"
            yield Question(clips[name], "instrument", asked, family, deck.wrong(family, 4), "file name")


def _played(material: Material, name: str, clip: str, rng: Random) -> Clip:
    """The recording of an instrument; or a tune on it, with a chord at the end where it can play one."""
    entry = INSTRUMENTS[name]
    if "file" in entry:
        return single(material, "instruments", name, clip)
    if "drum" in entry:
        keys = [Note(entry["drum"], at * 0.3, 0.25) for at in range(8) if rng.random() < 0.8]
    else:
        keys = tune([entry["key"] + rng.choice(STEPS) for _ in range(6)], 0.5)
        keys += [Note(entry["key"], 3, 1)]
    samples = tidy(material.play(keys, entry), longest=5)
    return Clip(clip, level(samples), (material.font(),), (Check("sound", tuple(entry["classes"])),))


def pitch(material: Material, rng: Random) -> Iterator[Question]:
    """Higher or lower; the highest and the lowest of three; a major or a minor chord on a recorded guitar."""
    names, players = numbered("pitch"), cycle(TUNED)
    asked = "Two notes are played. Is the second one higher or lower than the first?"
    for gold, size in zip(balanced(("higher", "lower"), 10, rng), balanced(list("2345789"), 10, rng), strict=True):
        up = int(size) if gold == "higher" else -int(size)
        clip = _notes(material, next(players), (0, up), next(names), rng)
        other = "lower" if gold == "higher" else "higher"
        yield Question(clip, "pitch", asked, gold, (other,), "construction")
    places = ("the first", "the second", "the third")
    for number, (top, bottom) in enumerate(_apart(places, 9, rng)):
        steps = sorted(rng.sample(range(-6, 7, 2), 3))
        order = {top: steps[2], bottom: steps[0]}
        keys = [order.get(place, steps[1]) for place in places]
        clip = _notes(material, next(players), keys, next(names), rng)
        for kind, gold in (("highest", top), ("lowest", bottom))[: 1 + number % 2]:
            wrong = tuple(place for place in places if place != gold)
            yield Question(clip, "pitch", f"Three notes are played. Which is the {kind}?", gold, wrong, "construction")
    for root in ("A", "B", "D", "Fsharp", "G", "E"):
        for gold, other in (("major", "minor"), ("minor", "major")):
            strum = material.file(
                "hydrogen-drumkits-effects", f"{root}{' ' * (len(root) > 1)}{gold}_00.flac", longest=4
            )
            clip = Clip(next(names), level(strum[1]), (strum[0],), (Check("chord", (gold, root)),))
            yield Question(clip, "pitch", "Is a major or a minor chord played?", gold, (other,), "file name")


def _apart(places: Sequence[str], count: int, rng: Random) -> list[tuple[str, str]]:
    """Where the highest and where the lowest note is: every pair of places about equally often."""
    pairs = [f"{top}|{bottom}" for top in places for bottom in places if top != bottom]
    return [(top, bottom) for top, bottom in (pair.split("|") for pair in balanced(pairs, count, rng))]


def _notes(material: Material, player: str, steps: Sequence[int], name: str, rng: Random) -> Clip:
    entry = INSTRUMENTS[player]
    base = entry["key"] + rng.randint(-3, 5)
    keys = tune([base + step for step in steps], 0.8)
    return Clip(name, level(tidy(material.play(keys, entry))), (material.font(),))


def melody(material: Material, rng: Random) -> Iterator[Question]:
    """Which way a tune goes; and how it differs when it is played again."""
    names, players = numbered("melody"), cycle(TUNED[::-1])
    for _ in range(14):
        ways = rng.sample(WAYS, 4)
        steps = [rng.choice((2, 3, 4)) * (1 if way == "up" else -1) for way in ways[0]]
        keys = [0, *accumulate(steps)]
        clip = _notes(material, next(players), keys, next(names), rng)
        gold, *wrong = [", ".join(way) for way in ways]
        yield Question(
            clip, "melody", "Which way does the tune go from note to note?", gold, tuple(wrong), "construction"
        )
    changes = {
        "It is higher.": (4, 1.0),
        "It is lower.": (-4, 1.0),
        "It is faster.": (0, 0.6),
        "It is slower.": (0, 1.6),
    }
    same = "It is the same."
    for gold in balanced((*changes, same), 15, rng):
        shift, pace = changes.get(gold, (0, 1.0))
        wrong = tuple(other for other in (*changes, same) if other != gold)
        entry = INSTRUMENTS[next(players)]
        keys = [entry["key"] + rng.choice(STEPS[:6]) for _ in range(5)]
        twice = [tidy(material.play(tune(keys, 0.4), entry))]
        twice.append(tidy(material.play(tune([key + shift for key in keys], 0.4 * pace), entry)))
        clip = Clip(next(names), joined(twice, 0.7), (material.font(),))
        asked = "A tune is played twice. How is it the second time?"
        yield Question(clip, "melody", asked, gold, wrong, "construction")
