"""Listening models hold the labels to what they hear: a tagger, a speech recogniser, and the notes of a chord."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path

import numpy as np
from material import Check, Clip
from speech import PROMPTS

from audiocontrib.audio import RATE, Sound, decode, make_sound
from audiocontrib.items import Clip as Encoded
from audiocontrib.models.cascade import recipe

PRESET = recipe.read_cascade_recipe(Path(recipe.__file__).parent / "presets" / "cascade-small.yaml")

SHIFTS = (0.0, 0.12, 0.24, 0.36)
"""Seconds that are left away at the start: what a tagger of 0.96 s hears in a short sound depends on where it falls."""
LEAST = 0.1
"""The probability that an expected class must reach."""
ALIKE = 0.75
"""Share of a sentence's words, or of a word's letters, that must be recognised, as difflib counts them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was found in a clip."""

    clip: str
    sha256: str
    """Of the encoded clip."""
    kind: str
    expected: tuple[str, ...]
    found: str
    agrees: bool


class Listener:
    """Hears each clip once: what is known of a clip with the same bytes is taken from ``known``.

    Args:
        known: a file of JSON lines, one a Heard; it is written anew by ``save``. Where it knows all clips, no weights
            are needed; otherwise the parts of `cascade-small` are (recipes/offline_weights).
    """

    def __init__(self, known: Path) -> None:
        self._file = known
        lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
        rows = [Heard(**{**row, "expected": tuple(row["expected"])}) for row in map(json.loads, lines)]
        self._known = {(row.sha256, row.kind, row.expected): row for row in rows}
        self._used: list[Heard] = []

    def hear(self, clip: Clip, data: bytes) -> list[Heard]:
        """The clip's checks, in their order."""
        sha256 = hashlib.sha256(data).hexdigest()
        found = []
        for check in clip.checks:
            row = self._known.get((sha256, check.kind, check.expected))
            if row is None:
                said, agrees = self._ways[check.kind](decode(Encoded(data=data)), check)
                row = Heard(clip.name, sha256, check.kind, check.expected, said, agrees)
            found.append(row)
        self._used += found
        return found

    def save(self) -> None:
        """Write what was heard of this build's clips."""
        lines = [json.dumps(asdict(row), ensure_ascii=False) for row in self._used]
        self._file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def _ways(self) -> Mapping[str, Callable[[Sound, Check], tuple[str, bool]]]:
        return {
            "sound": self._sound,
            "language": self._language,
            "words": self._words,
            "sentence": self._sentence,
            "digits": self._digits,
            "chord": self._chord,
        }

    def _sound(self, sound: Sound, check: Check) -> tuple[str, bool]:
        shifted = [make_sound(sound.samples[round(shift * RATE) :]) for shift in SHIFTS]
        scores = np.max(
            [self._tagger.scores(one).max(axis=0) for one in shifted if one.samples.size > RATE / 10], axis=0
        )
        labels = self._tagger.labels
        best = max(check.expected, key=lambda name: scores[labels.index(name)])
        others = [labels[at] for at in np.argsort(-scores)[:3] if labels[at] != best]
        least = scores[labels.index(best)]
        return f"{best} {least:.2f}; likeliest: {', '.join(others)}", bool(least >= LEAST)

    def _language(self, sound: Sound, check: Check) -> tuple[str, bool]:
        speech = self._recogniser.recognise(sound)
        return f"{speech.language}: {speech.words}", speech.language == check.expected[0]

    def _words(self, sound: Sound, check: Check) -> tuple[str, bool]:
        said = self._recogniser.recognise(sound).words
        return said, alike(plain(said), plain(" ".join(check.expected))) >= ALIKE

    def _sentence(self, sound: Sound, check: Check) -> tuple[str, bool]:
        said = self._recogniser.recognise(sound).words
        return said, alike(spelt(said), spelt(check.expected[0])) >= ALIKE

    def _digits(self, sound: Sound, check: Check) -> tuple[str, bool]:
        said = self._recogniser.recognise(sound).words
        language, digits = check.expected
        return said, numerals(said, language) == digits

    def _chord(self, sound: Sound, check: Check) -> tuple[str, bool]:
        kind, root = check.expected
        found = third(sound, root)
        return f"a {found} third", found == kind

    @cached_property
    def _tagger(self):
        from audiocontrib.models.cascade.tag import load_tagger

        return load_tagger(PRESET.tagger.find(Path(__file__).parent), PRESET.tagger, "cpu")

    @cached_property
    def _recogniser(self):
        from audiocontrib.models.cascade.recognise import WhisperRecogniser

        return WhisperRecogniser(PRESET.recogniser.find(Path(__file__).parent), "cpu")


def plain(text: str) -> str:
    """Lower case, letters and digits alone, without accents, one space between words."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in bare).split())


def numerals(text: str, language: str) -> str:
    """The digits in a text, in order, also where they are written as words."""
    named = {plain(word): str(digit) for digit, word in enumerate(PROMPTS["digits"][language])}
    return "".join(c for word in plain(text).split() for c in named.get(word, word) if c.isdigit())


def spelt(text: str) -> list[str]:
    """The words of an English text; digits as words."""
    named = {str(digit): word for digit, word in enumerate(PROMPTS["digits"]["en"])}
    return [named.get(word, word) for word in plain(text).split()]


def alike(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of equal words or letters, in order, from 0 to 1."""
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


def third(sound: Sound, root: str) -> str:
    """``major`` or ``minor``: which third of a chord on this root is louder, in all octaves together."""
    from librosa.feature import chroma_stft

    tones = chroma_stft(y=sound.samples, sr=RATE, n_fft=8192).mean(axis=1)
    place = ROOTS.index(root)
    return "major" if tones[(place + 4) % 12] > tones[(place + 3) % 12] else "minor"


ROOTS = ("C", "Csharp", "D", "Dsharp", "E", "F", "Fsharp", "G", "Gsharp", "A", "Asharp", "B")
