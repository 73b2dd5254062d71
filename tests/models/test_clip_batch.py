"""Prompts about several clips in one forward: each scored as by plain forwards, whoever stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from helpers.lazy import lazy
from helpers.tiny_families import BUILD, tiny
from helpers.tiny_omni import OMNI
from hypothesis import given
from hypothesis import strategies as st

from audiocontrib.audio import RATE, Sound, make_sound, silence
from audiocontrib.conditions import condition
from audiocontrib.hashing import seeded
from audiocontrib.items import Clip, Item
from audiocontrib.models import Request, load_model
from audiocontrib.models.families import FAMILIES
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

groups = lazy("audiocontrib.models.groups")
torch = lazy("torch")

PACKAGED = ["tiny-qwen2.5-omni", "tiny-qwen2-audio", "tiny-audio-flamingo-3"]
KINDS = [*PACKAGED, *BUILD]
TREES = [kind for kind in KINDS if kind not in OMNI and "gemma" not in kind]
QUESTIONS = [
    ("Which sound is heard?", ("bell", "hiss", "whistle")),
    ("In which order do the sounds come, Ünïcode?", ("bell, then hiss", "a longer option that shares no word")),
    ("How many?", ("one", "two", "three", "four", "five")),
]
CLIPS = {
    "a": (2.0, [0]),
    "b": (0.731, [0, 1, 2]),
    "c": (1.37, [1]),
    "d": (2.0, [2]),
    "e": (0.9, [0]),
    "f": (2.0, [1, 0]),
}
"""Name -> seconds, and which questions are asked about it."""


@cache
def model(kind: str) -> AudioLanguageModel:
    made = tiny(kind) if kind in BUILD else load_model(kind, device="cpu", dtype="float32")
    made.tokens_at_once = 4096  # as much as a GPU would do at once
    return made  # type: ignore[return-value]


def request(spec: str, sound: Sound | None, number: int, order: int = 0) -> Request:
    question, choices = QUESTIONS[number]
    item = Item(f"t/{number}", "t", question, choices, 0, Clip("x.wav"), "c")
    return Request(
        item, condition(spec), order, make_prompt(question, choices, order=order, has_audio=sound is not None), sound
    )


def noise(name: str, seconds: float) -> Sound:
    return make_sound((seeded(name).random(round(seconds * RATE)) - 0.5).astype(np.float32))


@cache
def asked() -> tuple[Request, ...]:
    """Clips of several lengths with one question or several, two lengths of silence, and texts, in no order."""
    made = [
        request("audio", noise(name, s), number, number % 2)
        for name, (s, numbers) in CLIPS.items()
        for number in numbers
    ]
    made += [request("silence:1", silence(1.0), 0), request("silence:0.6", silence(0.6), 1), request("text", None, 2)]
    made += [request("text", None, 1)]
    return tuple(made[::2] + made[1::2])


@cache
def plain(kind: str) -> list[tuple[float, ...]]:
    held = model(kind)
    held.take("plain")
    try:
        return [scored.logprobs for scored in held.likelihood(asked())]
    finally:
        held.take(held.fast.paths[0])


def rows_of_forwards(held: AudioLanguageModel, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bool]]:
    """Of each forward of the network to come: its rows, and whether it hears."""
    seen: list[tuple[int, bool]] = []
    call = held.fast.call

    def watched(ids: Any, positions: Any, mask: Any, cache: Any, features: Any = None) -> Any:
        seen.append((len(ids), bool(features)))
        return call(ids, positions, mask, cache, features)

    monkeypatch.setattr(held.fast, "call", watched)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_scores_and_choices_are_those_of_plain_forwards(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    held = model(kind)
    held.forget()
    seen = rows_of_forwards(held, monkeypatch)
    found = held.likelihood(asked())
    for scored, expected in zip(found, plain(kind), strict=True):
        np.testing.assert_allclose(scored.logprobs, expected, atol=1e-4, rtol=0)
        assert np.argmax(scored.logprobs) == np.argmax(expected)
    assert max(rows for rows, hears in seen if hears) > 1 or kind == "inkling_mm_model"
    if kind in TREES:
        heard = [rows for rows, hears in seen if hears]
        assert len(heard) < sum(heard) == len(CLIPS) + 2
        assert sum(not hears for _, hears in seen) <= 3  # the trees, and the beginning and the tree of the texts
