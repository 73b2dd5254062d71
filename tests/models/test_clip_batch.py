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
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

ask = lazy("audiocontrib.scoring.ask")
groups = lazy("audiocontrib.models.groups")
plan = lazy("audiocontrib.scoring.plan")
prefetch = lazy("audiocontrib.scoring.prefetch")
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
    for part in made.net.modules():
        if hasattr(part, "index_topk"):  # of dots3, whose tiny model is asked about more than its index takes
            part.index_topk = made.fast.longest = 2048
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


def same(found: Sequence[Any], kind: str) -> None:
    for scored, expected in zip(found, plain(kind), strict=True):
        np.testing.assert_allclose(scored.logprobs, expected, atol=1e-4, rtol=0)
        assert np.argmax(scored.logprobs) == np.argmax(expected)


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
    same(held.likelihood(asked()), kind)
    assert max(rows for rows, hears in seen if hears) > 1 or kind == "inkling_mm_model"
    if kind in TREES:
        heard = [rows for rows, hears in seen if hears]
        assert len(heard) < sum(heard) == len(CLIPS) + 2
        assert sum(not hears for _, hears in seen) <= 3  # the trees, and the beginning and the tree of the texts


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tiny-qwen2.5-omni", "granite_speech", "gemma4"])
def test_who_stands_beside_a_clip_does_not_matter(kind: str) -> None:
    """Not under which bound, nor in which order, nor what is kept of them."""
    held = model(kind)
    for budget in (1, 100, 260):
        held.tokens_at_once = budget
        same(held.likelihood(asked()), kind)
        same(held.likelihood(asked()[::-1])[::-1], kind)
    held.tokens_at_once = 4096


@pytest.mark.slow
@pytest.mark.parametrize("kind", TREES)
def test_replies_begin_side_by_side_and_are_those_that_are_written_alone(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = model(kind)
    alone = [held.generate([one], 6)[0].text for one in asked()]
    held.forget()
    seen = rows_of_forwards(held, monkeypatch)
    assert [one.text for one in held.generate(asked(), 6)] == alone
    heard = [rows for rows, hears in seen if hears]
    assert len(heard) < sum(heard) == len(CLIPS) + 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "inkling_mm_model"])
def test_a_clip_that_gives_no_number_harms_no_other(kind: str) -> None:
    held = model(kind)
    held.forget()
    prepared = held.prepare(asked())
    for one in prepared:  # the clip "d", of which there is one question
        if one.sound is not None and one.sound.sha256 == noise("d", 2.0).sha256:
            broken = one
            for value in one.ready.features.values():
                if value.is_floating_point():
                    value.fill_(float("nan"))
    found = held.likelihood(prepared)
    held.forget()
    for request, scored, expected in zip(prepared, found, plain(kind), strict=True):
        if request is broken:
            assert np.isnan(scored.logprobs).all()
        else:
            np.testing.assert_allclose(scored.logprobs, expected, atol=1e-4, rtol=0)


def test_what_fails_beside_others_is_asked_alone_and_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    held = model("tiny-qwen2.5-omni")
    held.forget()
    call, bad = held.fast.call, len(held.prepare([request("audio", noise("d", 2.0), 2)])[0].ready.key[0])

    def short(ids: Any, positions: Any, mask: Any, cache: Any, features: Any = None) -> Any:
        if features and ids.shape[1] >= bad:  # as of a network whose positions end there
            raise ValueError("longer than its positions")
        return call(ids, positions, mask, cache, features)

    monkeypatch.setattr(held.fast, "call", short)
    asking = plan.RequestConfig((condition("audio"),), "likelihood", "given", "audiomcq")
    keys = [prefetch.AnswerKeys(str(place), str(place)) for place in range(len(asked()))]
    rows = ask.ask(held, asked(), keys, asking)
    held.forget()
    for one, row, expected in zip(asked(), rows, plain("tiny-qwen2.5-omni"), strict=True):
        if one.condition.spec == "audio" and one.sound and one.sound.seconds >= 2:
            assert row.outcome == "failed"
            assert "longer than its positions" in str(row.error)
        else:
            assert row.choice == (np.argmax(expected) + one.order) % len(expected)


def test_a_lack_of_memory_for_many_clips_goes_on_with_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    held = model("tiny-qwen2.5-omni")
    held.forget()
    call, rows = held.fast.call, []

    def tight(ids: Any, *more: Any) -> Any:
        rows.append(len(ids))
        if len(ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return call(ids, *more)

    monkeypatch.setattr(held.fast, "call", tight)
    monkeypatch.setattr(held, "tokens_at_once", 4096)
    same(held.likelihood(asked()), "tiny-qwen2.5-omni")
    assert max(rows) > 2
    assert 2 in rows
    assert 1 < held.tokens_at_once < 4096


@given(st.lists(st.integers(1, 40), min_size=1, max_size=50), st.integers(1, 200))
def test_rows_are_taken_once_the_longest_first_and_padded_within_the_budget(sizes: list[int], budget: int) -> None:
    waiting, batches = sorted(sizes), []
    while waiting:
        batches.append(groups.take_rows(waiting, lambda size: size, budget))
    assert [size for batch in batches for size in batch] == sorted(sizes, reverse=True)
    assert all(len(batch) == 1 or len(batch) * max(batch) <= budget for batch in batches)
    assert all(len(batch) <= 32 for batch in batches)
