"""Replies on different clips side by side: each is the one that it would be alone, whoever comes and goes beside it."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

import pytest
from helpers.lazy import lazy
from test_engine import CASES, cases, plain_inputs

from audiocontrib.models import load_model
from audiocontrib.models.base import ReplyDraw

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

torch = lazy("torch")
replies = lazy("audiocontrib.models.replies")
reply_batch = lazy("audiocontrib.models.reply_batch")
sampling = lazy("audiocontrib.models.sampling")

pytestmark = pytest.mark.slow
LONG = 80
"""Tokens: more than a layer has room for without growing."""


@pytest.fixture(scope="module", params=["tiny-qwen2.5-omni", "tiny-audio-flamingo-3"])
def model(request: pytest.FixtureRequest) -> AudioLanguageModel:
    return load_model(request.param, device="cpu", dtype="float32")  # type: ignore[return-value]


@pytest.mark.parametrize("rows", [2, 3, 64])
def test_a_finished_reply_makes_room_for_the_next(
    model: AudioLanguageModel, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [request for spec in CASES for request in cases(spec)]
    monkeypatch.setattr(replies, "ROWS", rows)
    for request, reply in zip(asked, model.generate(asked, max_new_tokens=16), strict=True):
        inputs = plain_inputs(model, request)
        with torch.inference_mode():
            out = model.net.generate(**inputs, do_sample=False, max_new_tokens=16)
        said = out[0, inputs["input_ids"].shape[1] :]
        assert reply.text == model.tokenizer.decode(said, skip_special_tokens=True)


def test_replies_of_any_length_are_those_that_are_written_alone(model: AudioLanguageModel) -> None:
    asked = model.prepare([request for spec in CASES for request in cases(spec)])
    alone = [replies.written(model, [request], frozenset(), LONG)[0] for request in asked]
    lengths = [LONG - 9 * place for place in range(len(asked))]
    ends: dict[int, int] = {}

    class Ending:
        """Ends a reply after so many tokens: untrained ones would all run to the limit."""

        def __init__(self, length: int) -> None:
            self.left = length

    def draw(logits: torch.Tensor, dice: list[Ending]) -> list[int]:
        tokens = logits.argmax(-1).tolist()
        for row, one in enumerate(dice):
            one.left -= 1
            tokens[row] = -1 if one.left < 0 else tokens[row]
        return tokens  # type: ignore[no-any-return]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reply_batch, "draw_tokens", draw)
        groups = []
        for place, request in enumerate(asked):
            job = reply_batch.ReplyJob(place, request.ready.suffix, Ending(lengths[place]))
            groups.append(((lambda request=request: model.prefix_of(request)), [job]))
        for place, ids in reply_batch.write_replies(model.fast, groups, frozenset({-1}), LONG, 3, math.inf):
            assert ids == alone[place][: lengths[place]]
            ends[place] = len(ids)
    assert ends == dict(enumerate(lengths))


def test_drawn_replies_do_not_hang_on_who_is_beside_them(
    model: AudioLanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    asked = [
        replace(request, draw=ReplyDraw(seed=place, temperature=1.5, top_p=0.9)) if place % 2 else request
        for place, request in enumerate(request for spec in CASES for request in cases(spec))
    ]
    together = [one.text for one in model.generate(asked, 24)]
    monkeypatch.setattr(replies, "ROWS", 2)
    assert [one.text for one in model.generate(asked[::-1], 24)] == together[::-1]
    assert [model.generate([one], 24)[0].text for one in asked] == together


def test_keys_and_values_stay_within_their_memory(model: AudioLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = model.prepare([request for spec in CASES for request in cases(spec)])
    most = deque[int]([0], maxlen=1)
    step = model.fast.step

    def watched(tokens: list[int], *given: object) -> object:
        most.append(max(most[0], len(tokens)))
        return step(tokens, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(model.fast, "step", watched)
    whole = replies.written(model, asked, model.stop, 16)
    assert most[0] > 1
    most.append(0)
    monkeypatch.setattr(model, "memory", 2)
    assert replies.written(model, asked, model.stop, 16) == whole
    assert most[0] == 1
