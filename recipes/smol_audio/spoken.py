"""Clips of speech: words, digits, sentences, languages, speakers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import words
from clips import Clip, Question, Samples, ask, changed, joined
from voices import LANGUAGES, Voice, english, foreign, held_out

WORD = ("Which word is said?", "Which word is spoken?", "Which of these words is said?", "What word do you hear?")
MAIN = ("English", "Spanish", "French", "Italian", "Russian")
"""Languages whose digits, days and months are asked about."""


def said(text: str) -> str:
    """What a listener writes down of speech."""
    return f'Speech: "{text}"'


def spoken_words(taught: Sequence[str], kept: Sequence[str], count: int, rng: Random) -> Iterator[Clip]:
    """A word by a voice; every word of ``taught`` is heard about as often as the others."""
    letters: dict[str, list[str]] = {}
    for word in taught:
        letters.setdefault(word[0], []).append(word)
    order = [word for _ in range(count // len(taught) + 1) for word in rng.sample(list(taught), len(taught))]
    for word in order[:count]:
        alike = letters[word[0]] if rng.random() < 0.3 and len(letters[word[0]]) > 5 else taught
        questions = (ask(rng, "word", WORD, word, alike), ask(rng, "word", WORD, word, taught))
        yield Clip(changed(english(rng).say(word), rng), questions, said(word))
    for number, word in enumerate([*kept, *rng.sample(list(taught), len(kept))]):
        new = number < len(kept)  # a word that was never taught, in a voice that was; or the other way round
        sound = (english(rng) if new else held_out(rng)).say(word)
        question = ask(rng, "word", WORD[0], word, kept if new else taught, 4)
        yield Clip(sound, (question,), said(word), "word" if new else "voice")


def pairs_of_words(taught: Sequence[str], count: int, rng: Random) -> Iterator[Clip]:
    """Two to four words; which one is said first, last, right after another, or is not said."""
    for _ in range(count):
        voice, heard = english(rng), rng.sample(list(taught), rng.randint(2, 4))
        samples = joined([voice.say(word) for word in heard], rng.uniform(0.1, 0.4))
        at = rng.choice((0, len(heard) - 1))
        which = "first" if at == 0 else "last"
        never = rng.sample([word for word in taught if word not in heard], 3)
        questions = [
            ask(rng, "word", f"Which word is said {which}?", heard[at], [*heard, *never[:1]]),
            ask(rng, "mixture", "Which of these is not heard?", never[0], heard, len(heard) + 1),
            ask(rng, "mixture", "Which of these is heard?", rng.choice(heard), never, 4),
        ]
        yield Clip(changed(samples, rng), tuple(questions), said(", ".join(heard)))


def calendar(count: int, rng: Random) -> Iterator[Clip]:
    """A day or a month in five languages, and code words; the options are in English."""
    for number in range(count):
        kind = ("day", "month", "code")[number % 3]
        if kind == "code":
            gold, voice = rng.choice(words.CODE), english(rng)
            asked, pool, texts = gold, words.CODE, ("Which code word is spoken?", "Which code word is said?", *WORD[:2])
        else:
            language = rng.choice(("English", "English", *MAIN))
            names, pool = (words.DAYS_IN, words.DAYS) if kind == "day" else (words.MONTHS_IN, words.MONTHS)
            at = rng.randrange(len(pool))
            gold, asked = pool[at], names[language][at]
            voice = english(rng) if language == "English" else foreign(language, rng)
            texts = ("Which day of the week is named?", "Which day is said?", "Which weekday do you hear?")
            if kind == "month":
                texts = ("Which month is named?", "Which month is said?", "Which month do you hear?")
        yield Clip(changed(voice.say(asked), rng), (ask(rng, "word", texts, gold, pool),), said(asked))


def digits(count: int, rng: Random) -> Iterator[Clip]:
    """Two to five digits; which ones, and which is the first or the last."""
    for number in range(count):
        language = rng.choice(("English",) * 6 + MAIN[1:])
        length = rng.choice((2, 3, 4, 4, 4, 5))
        strings = _strings(length, 5, rng)
        gold, *wrong = [" ".join(string) for string in strings]
        voice = english(rng) if language == "English" else foreign(language, rng)
        first = number % 2 == 0
        asked = f"Which digit is spoken {'first' if first else 'last'}?"
        questions = (
            ask(rng, "digits", ("Which digits are spoken?", "Which number is read out?"), gold, wrong),
            ask(rng, "digits", asked, gold[0] if first else gold[-1], "0123456789"),
        )
        yield Clip(changed(voice.say(gold), rng), questions, said(gold))


def _strings(length: int, count: int, rng: Random) -> list[str]:
    """Strings of digits, each of which differs from a hidden one in one or two places: none is in the middle."""
    hidden = [rng.randrange(10) for _ in range(length)]
    made: list[str] = []
    while len(made) < count:
        string = list(hidden)
        for place in rng.sample(range(length), min(2, length)):
            string[place] = (hidden[place] + rng.randrange(1, 10)) % 10
        if (text := "".join(map(str, string))) not in made:
            made.append(text)
    return made


def sentences(taught: Sequence[str], count: int, rng: Random) -> Iterator[Clip]:
    """A sentence; which one of several is said, and which word is in it."""
    for _ in range(count):
        block: list[str] = []
        while len(block) < 5:
            if (text := words.sentence(rng)) not in block:
                block.append(text)
        inside = [{word.strip(".,").lower() for word in text.split()} for text in block]
        telling = sorted(word for word in inside[0] - set().union(*inside[1:]) if len(word) > 3)
        texts = ("Which sentence is said?", "Which sentence is spoken?", "What is said?")
        questions = [ask(rng, "sentence", texts, block[0], block[1:], rng.choice((2, 3, 4, 4)))]
        others = sorted({word for one in inside[1:] for word in one - inside[0] if len(word) > 3})
        if telling and len(others) >= 3:
            questions.append(ask(rng, "sentence", "Which of these words is said?", rng.choice(telling), others))
        yield Clip(changed(english(rng).say(block[0]), rng), tuple(questions), said(block[0]))


def languages(count: int, rng: Random) -> Iterator[Clip]:
    """Which language is spoken; which of two comes first or second."""
    texts = ("Which language is spoken?", "Which language do you hear?", "In which language is this said?")
    common = list(MAIN)
    for number in range(count):
        pool = common if number % 3 else list(LANGUAGES)
        two = number % 4 == 3
        chosen = rng.sample(pool, 2 if two else 1)
        samples = [_phrase(one, rng) for one in chosen]
        if two:
            first = rng.random() < 0.5
            asked = f"Two people speak. Which language is spoken {'first' if first else 'second'}?"
            question = ask(rng, "language", asked, chosen[0 if first else 1], pool, 4)
            heard = joined(samples, rng.uniform(0.3, 0.6))
        else:
            question, heard = ask(rng, "language", texts, chosen[0], pool), samples[0]
        yield Clip(changed(heard, rng), (question,), f"Language: {', then '.join(chosen)}.")


def _phrase(language: str, rng: Random, voice: Voice | None = None) -> Samples:
    if language == "English":
        return (voice or english(rng)).say(words.sentence(rng))
    voice, kind = voice or foreign(language, rng), rng.random()
    if kind < 0.3 and language in words.DAYS_IN:
        named = [rng.choice(words.DAYS_IN[language]), rng.choice(words.MONTHS_IN[language])]
        return voice.say(", ".join(named))
    if kind < 0.6:
        return voice.say(str(rng.randint(100, 9999)))
    return voice.say(rng.choice(words.ABROAD[language]))


def speakers(count: int, rng: Random) -> Iterator[Clip]:
    """How many people speak; which passage is another one's."""
    places = ("the first", "the second", "the third")
    for number in range(count):
        who = _people(rng)
        if number % 3 == 0:
            gold = rng.choice("12")
            heard = [who[0], who[0] if gold == "1" else who[1]]
            question = Question("speaker", "Two passages are spoken. By how many different people?", gold,
                                ("2" if gold == "1" else "1",))  # fmt: skip
        elif number % 3 == 1:
            gold = rng.choice("123")
            heard = {"1": [who[0]] * 3, "2": rng.choice(([who[0], who[1], who[0]], [who[0], who[0], who[1]],
                     [who[1], who[0], who[0]])), "3": who}[gold]  # fmt: skip
            question = ask(rng, "speaker", "Three passages are spoken. By how many different people?", gold, "123", 3)
        else:
            gold = rng.choice(places)
            heard = [who[1] if place == gold else who[0] for place in places]
            asked = "Three passages are spoken. Which one is spoken by another person than the other two?"
            question = ask(rng, "speaker", asked, gold, places, 3)
        parts = [voice.say(_short(rng) if language == "English" else rng.choice(words.ABROAD[language]))
                 for voice, language in heard]  # fmt: skip
        named = {voice: str(place + 1) for place, voice in enumerate(dict.fromkeys(voice for voice, _ in heard))}
        caption = "Speakers: " + ", ".join(named[voice] for voice, _ in heard) + "."
        yield Clip(changed(joined(parts, rng.uniform(0.3, 0.6)), rng), (question,), caption)


def _people(rng: Random) -> list[tuple[Voice, str]]:
    """Three people that are told apart: men, women and Flite's voices; a third of the time in other languages."""
    names = rng.sample(("m1", "m3", "m5", "f2", "f5", "flite:awb", "flite:slt", "flite:kal16"), 3)
    made = []
    for name, pitch in zip(names, rng.sample((20, 50, 80), 3), strict=True):
        speed = rng.randint(150, 190)
        language = rng.choice(MAIN[1:]) if rng.random() < 0.3 and not name.startswith("flite") else "English"
        voice = Voice(name if name.startswith("flite") else f"{LANGUAGES[language]}+{name}", speed, pitch)
        made.append((voice, language))
    return made


def _short(rng: Random) -> str:
    return f"{rng.choice(words.THINGS)} {rng.choice(words.WHEN)}"
