"""Questions on what is said: digits, days and months, code words, sentences, and in which language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import yaml
from choose import Deck, balanced
from material import Check, Clip, Material, Question, Recording, numbered
from sound import Samples, joined

PROMPTS: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "prompts.yaml").read_text(encoding="utf-8"))
LANGUAGES: Mapping[str, str] = PROMPTS["languages"]
BOOK = "pocketsphinx-testdata"


def prompt(material: Material, language: str, name: str) -> tuple[Recording, Samples]:
    """A prompt of a language's voice; of the language ``book``, a sentence of the audio book."""
    if language == "book":
        return material.file(BOOK, f"{name}.wav")
    return material.file(f"asterisk-core-sounds-{language}-g722", f"{name}.g722")


def spoken(material: Material, prompts: Sequence[tuple[str, str]], name: str, pause: float, *checks: Check) -> Clip:
    """Prompts (language, name) one after the other."""
    parts = [prompt(material, *one) for one in prompts]
    recordings = tuple(dict.fromkeys(recording for recording, _ in parts))
    return Clip(name, joined([samples for _, samples in parts], pause), recordings, checks)


def digits(material: Material, rng: Random) -> Iterator[Question]:
    """Which four digits are spoken, and which is the first or the last of them."""
    names = numbered("digits")
    ends = Deck([str(digit) for digit in range(10)], rng)
    for number, language in enumerate(["en"] * 10 + ["es"] * 4 + ["fr"] * 4 + ["it"] * 2 + ["ru"] * 2):
        gold, *wrong = _strings(4 + number % 2, rng)
        files = [(language, f"digits/{digit}") for digit in gold]
        clip = spoken(material, files, next(names), 0.15, Check("digits", (language, gold)))
        shown = [" ".join(string) for string in wrong]
        yield Question(clip, "digits", "Which digits are spoken?", " ".join(gold), tuple(shown), "construction")
        if number % 2 == 0:
            place, word = [(0, "first"), (3, "last")][number // 2 % 2]
            others = ends.wrong(gold[place], 4)
            yield Question(clip, "digits", f"Which digit is spoken {word}?", gold[place], others, "construction")


def _strings(count: int, rng: Random) -> list[str]:
    """Strings of four digits, each of which differs from a hidden one in two places: none of them is in the middle."""
    hidden = [rng.randrange(10) for _ in range(4)]
    made: list[str] = []
    while len(made) < count:
        string = list(hidden)
        for place in rng.sample(range(4), 2):
            string[place] = (hidden[place] + rng.randrange(1, 10)) % 10
        text = "".join(map(str, string))
        if text not in made:
            made.append(text)
    return rng.sample(made, count)


def words(material: Material, rng: Random) -> Iterator[Question]:
    """Which day and which month are named, in five languages; and code words of the spelling alphabet."""
    names = numbered("word")
    languages = ["en"] * 5 + ["es"] * 3 + ["fr"] * 3 + ["it"] * 2 + ["ru"]
    days = balanced([str(day) for day in range(7)], len(languages), rng)
    months = balanced([str(month) for month in range(12)], len(languages), rng)
    called = {kind: PROMPTS[kind]["en"] for kind in ("days", "months")}
    decks = {kind: Deck(called[kind], rng) for kind in called}
    for language, day, month in zip(languages, days, months, strict=True):
        said = tuple(PROMPTS[kind][language][int(at)] for kind, at in (("days", day), ("months", month)))
        files = [(language, f"digits/day-{day}"), (language, f"digits/mon-{month}")]
        clip = spoken(material, files, next(names), 0.3, Check("words", said))
        for kind, asked, at, k in (
            ("days", "Which day of the week is named?", day, 5),
            ("months", "Which month is named?", month, 4),
        ):
            gold = called[kind][int(at)]
            yield Question(clip, "word", asked, gold, decks[kind].wrong(gold, k - 1), "file name")
    code: Mapping[str, str] = PROMPTS["code words"]
    deck = Deck(code.values(), rng)
    for letter, gold in code.items():
        clip = spoken(material, [("en", f"phonetic/{letter}_p")], next(names), 0, Check("words", (gold,)))
        yield Question(clip, "word", "Which code word is spoken?", gold, deck.wrong(gold, 3), "file name")


def sentences(material: Material, rng: Random) -> Iterator[Question]:
    """Which sentence is said, or which word; each option of a block is the answer to one of its questions."""
    names = numbered("sentence")
    clips: dict[str, Clip] = {}
    for language, block in [("en", block) for block in PROMPTS["sentences"]] + [("book", PROMPTS["book"])]:
        for name, text in block.items():
            clips[name] = spoken(material, [(language, name)], next(names), 0, Check("sentence", (text,)))
            wrong = tuple(other for other in block.values() if other != text)
            yield Question(clips[name], "sentence", "Which sentence is said?", text, wrong, "transcript")
    for block in PROMPTS["words"]:
        for name, word in block.items():
            wrong = tuple(other for other in block.values() if other != word)
            yield Question(clips[name], "sentence", "Which of these words is said?", word, wrong, "transcript")


def languages(material: Material, rng: Random) -> Iterator[Question]:
    """Which language is spoken; and which of two is spoken first or second."""
    names = numbered("language")
    for short, language in LANGUAGES.items():
        for name in PROMPTS["language"][short]:
            clip = spoken(material, [(short, name)], next(names), 0, Check("language", (language,)))
            wrong = tuple(other for other in LANGUAGES.values() if other != language)
            yield Question(clip, "language", "Which language is spoken?", language, wrong, "file name")
    pairs = [pair for pair in permutations(LANGUAGES, 2) if set(pair) != {"en", "es"}]  # see speakers.py
    for number, pair in enumerate(rng.sample(pairs, 10)):
        clip = spoken(material, [(one, rng.choice(PROMPTS["language"][one])) for one in pair], next(names), 0.5)
        gold, other = (LANGUAGES[one] for one in (pair if number % 2 else pair[::-1]))
        absent = rng.sample([one for one in LANGUAGES.values() if one not in (gold, other)], 2)
        asked = f"Two people speak. Which language is spoken {'first' if number % 2 else 'second'}?"
        yield Question(clip, "language", asked, gold, (other, *absent), "construction")
