"""Listener: the listening parts together. What is heard is named; what is spoken is written down."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audiocontrib.audio import Sound
from audiocontrib.errors import UsageError
from audiocontrib.hashing import stable_hash
from audiocontrib.models.cascade import recipe
from audiocontrib.models.cascade.evidence import SoundFindings
from audiocontrib.models.cascade.recognise import Speech
from audiocontrib.models.cascade.tag import Tagger

STRETCH = 1.92
"""Seconds of one entry of the course of sounds."""


class Recogniser(Protocol):
    """Writes down what is spoken."""

    sha256: str

    def recognise(self, sound: Sound) -> Speech:
        """The words of a sound."""


class Listener:
    """Tagger, gate and recogniser as one: a sound -> findings.

    Args:
        tagger: names sounds; ``naming`` says how many and how likely.
        recogniser: asked only for sounds that pass the gate.

    Raises:
        UsageError: the gate, or what is to be ignored, names a sound that the tagger does not know.
    """

    def __init__(
        self,
        tagger: Tagger | None,
        naming: recipe.TaggerConfig | None,
        recogniser: Recogniser | None,
        gate: recipe.Gate,
    ) -> None:
        self._tagger, self._naming, self._recogniser, self._gate = tagger, naming, recogniser, gate
        labels = tagger.labels if tagger else ()
        ignored = naming.ignore if naming else ()
        for field, names in (("tagger.ignore", ignored), ("gate.voices", gate.voices if tagger else ())):
            for name in names:
                if name not in labels:
                    close = ", ".join(map(repr, get_close_matches(name, labels)))
                    raise UsageError(
                        f"{field}: the tagger knows no sound {name!r}{f'; near: {close}' if close else ''}"
                    )
        self._told = np.array([i for i, name in enumerate(labels) if name not in ignored], dtype=np.intp)
        self._voices = [labels.index(name) for name in gate.voices] if tagger else []

    def fingerprint(self) -> dict[str, Any]:
        """JSON values that fix the findings."""
        return {
            "tagger": self._tagger and self._tagger.sha256,
            "naming": self._naming
            and [self._naming.window, self._naming.hop, self._naming.top, self._naming.least, STRETCH],
            "ignore": self._naming and list(self._naming.ignore),
            "scales": self._naming and [*self._naming.input, *self._naming.output],
            "recogniser": self._recogniser and self._recogniser.sha256,
            "gate": [self._gate.quiet, list(self._gate.voices), self._gate.least, self._gate.doubt],
            "version": 1,
        }

    @property
    def key(self) -> str:
        """Hash of the fingerprint."""
        return stable_hash(self.fingerprint())

    def listen(self, sound: Sound) -> SoundFindings:
        """What is in a sound. Digital silence, and what is nearly so, holds nothing, whatever the parts would say."""
        if peak_dbfs(sound) < self._gate.quiet:
            return SoundFindings()
        sounds: tuple[str, ...] = ()
        course: tuple[str, ...] = ()
        voiced = True
        if self._tagger and self._naming:
            scores = self._tagger.scores(sound)
            sounds = self._named(scores.max(axis=0), self._naming.top)
            course = self._course(scores)
            voiced = not self._voices or scores[:, self._voices].max() >= self._gate.least
        speech = self._recogniser.recognise(sound) if self._recogniser and voiced else None
        if speech is None or speech.nobody > self._gate.doubt or not speech.words:
            return SoundFindings(sounds, course)
        return SoundFindings(sounds, course, speech.words, speech.language)

    def _named(self, scores: NDArray[np.float32], top: int) -> tuple[str, ...]:
        assert self._tagger
        assert self._naming
        likeliest = self._told[np.argsort(-scores[self._told], kind="stable")[:top]]
        return tuple(self._tagger.labels[i] for i in likeliest if scores[i] >= self._naming.least)

    def _course(self, scores: NDArray[np.float32]) -> tuple[str, ...]:
        assert self._tagger
        step = max(1, round(STRETCH / self._tagger.hop))
        stretches = [scores[at : at + step].mean(axis=0) for at in range(0, len(scores), step)]
        return tuple((*self._named(stretch, 1), "")[0] for stretch in stretches)


def peak_dbfs(sound: Sound) -> float:
    """The largest sample, in dBFS; -inf for digital silence."""
    largest = float(np.abs(sound.samples).max(initial=0.0))
    return 20 * float(np.log10(largest)) if largest else -np.inf
