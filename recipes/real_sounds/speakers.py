"""Questions on who speaks: one person or several, and which passage is somebody else's. Known by construction.

Each language of the prompts has one voice; the reader of the book speaks English too, so that the language does not
tell who speaks. English and Spanish prompts, of which both are said to be by Allison, are never in one clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from random import Random

from choose import balanced
from material import Clip, Material, Question, numbered
from speech import PROMPTS, spoken

PAUSE = 0.6


class Passages:
    """Prompts by language, each taken as often as the others."""

    def __init__(self, rng: Random) -> None:
        known = {**PROMPTS["speaker"], "book": list(PROMPTS["book"])}
        known["book"] = sorted(known["book"])[1:]  # the first one takes seven seconds
        self._next = {language: cycle(rng.sample(names, len(names))) for language, names in known.items()}
        self._taken: set[tuple[tuple[str, str], ...]] = set()

    def take(self, languages: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The next prompts, (language, name) each; never the same ones twice."""
        while (taken := tuple((one, next(self._next[one])) for one in languages)) in self._taken:
            pass
        self._taken.add(taken)
        return taken


def speakers(material: Material, rng: Random) -> Iterator[Question]:
    """One or two people; one, two or three; which of three passages is by another one."""
    names = numbered("speaker")
    passages = Passages(rng)

    def clip(*languages: str) -> Clip:
        return spoken(material, passages.take(languages), next(names), PAUSE)

    same = [("en", "en"), ("book", "book"), ("en", "en"), ("fr", "fr"), ("es", "es"), ("ru", "ru")]
    different = [("en", "book"), ("book", "en"), ("en", "book"), ("book", "en"), ("fr", "it"), ("ru", "es")]
    for pair in same + different:
        gold, other = ("1", "2") if pair in same else ("2", "1")
        asked = "Two passages are spoken. By how many different people?"
        yield Question(clip(*pair), "speaker", asked, gold, (other,), "construction")

    threes = {
        "1": [("en", "en", "en"), ("book", "book", "book"), ("it", "it", "it")],
        "2": [("en", "book", "en"), ("book", "en", "book"), ("fr", "ru", "fr")],
        "3": [("en", "book", "fr"), ("ru", "es", "it"), ("book", "it", "en")],
    }
    for gold, clips in threes.items():
        wrong = tuple(other for other in threes if other != gold)
        for languages in clips:
            asked = "Three passages are spoken. By how many different people?"
            yield Question(clip(*languages), "speaker", asked, gold, wrong, "construction")

    places = ("the first", "the second", "the third")
    twos = [("en", "en", "book"), ("book", "book", "en")] * 3
    twos += [("fr", "fr", "es"), ("it", "it", "ru"), ("ru", "ru", "fr")]
    for (one, two, other), gold in zip(twos, balanced(places, len(twos), rng), strict=True):
        order = [one, two]
        order.insert(places.index(gold), other)
        wrong = tuple(place for place in places if place != gold)
        asked = "Three passages are spoken. Which one is spoken by another person than the other two?"
        yield Question(clip(*order), "speaker", asked, gold, wrong, "construction")
