"""Scores and replies from shared prefixes equal plain forwards, for the three architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.audio import RATE, Sound, make_sound, silence
from audiocontrib.conditions import condition
from audiocontrib.hashing import seeded
from audiocontrib.items import Clip, Item
from audiocontrib.models import Request, load_model
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

torch = lazy("torch")

TINY = ["tiny-qwen2.5-omni", "tiny-qwen2-audio", "tiny-audio-flamingo-3"]
QUESTIONS = [
    ("Which sound is heard?", ("bell", "hiss", "whistle")),
    ("In which order do the sounds come?", ("bell, then hiss", "hiss, then bell")),
    ("How many beeps are there?", ("one", "two", "three", "four", "five")),
    ("Ünïcode – 3:1?", ("5", "15 s", "a longer option that shares no word")),
]


@pytest.fixture(scope="module", params=TINY)
def model(request: pytest.FixtureRequest) -> AudioLanguageModel:
    return load_model(request.param, device="cpu", dtype="float32")  # type: ignore[return-value]


def clip(name: str, seconds: float) -> Sound:
    return make_sound((seeded(name).random(round(seconds * RATE)) - 0.5).astype(np.float32))


def requests(spec: str, sounds: list[Sound | None]) -> list[Request]:
    how = condition(spec)
    made = []
    for number, (question, choices) in enumerate(QUESTIONS):
        item = Item(f"t/{number}", "t", question, choices, 0, Clip("x.wav"), f"c{number}")
        prompt = make_prompt(question, choices, order=number % 2, has_audio=how.has_audio)
        made.append(Request(item, how, number % 2, prompt, sounds[number % len(sounds)]))
    return made


CASES = {
    "audio": [clip("a", 2.0), clip("b", 0.731)],
    "silence": [silence(3.0)],
    "text": [None],
}


def cases(spec: str) -> list[Request]:
    """All questions without a sound; with one, whose window of 30 s costs most, a question for each of them."""
    return requests(spec, CASES[spec])[: 4 if spec == "text" else 2]


def plain_inputs(model: AudioLanguageModel, request: Request) -> dict[str, torch.Tensor]:
    """What a user of transformers would give the model: the processor's own output, nothing shared."""
    audio = [request.sound.samples] if request.sound else None
    extra = {"audio_kwargs": {"sampling_rate": RATE}} if audio else {}
    return dict(model.processor(text=[model.encoder.render(request.prompt)], audio=audio, return_tensors="pt", **extra))


def plain_score(model: AudioLanguageModel, request: Request, option: str) -> tuple[float, int]:
    """Sum of log p over option and closing tag by one full forward; tokens inside the opening tag left out."""
    inputs = plain_inputs(model, request)
    texts = [request.prompt.completion(o) for o in request.prompt.options]
    tokens = {t: model.tokenizer(t, add_special_tokens=False).input_ids for t in [*texts, "<answer>"]}
    opening = min(
        next(
            i for i, pair in enumerate(zip(tokens[t], [*tokens["<answer>"], None], strict=False)) if pair[0] != pair[1]
        )
        for t in texts
    )
    target = tokens[request.prompt.completion(option)]
    n = inputs["input_ids"].shape[1]
    inputs["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([target])], dim=1)
    inputs["attention_mask"] = torch.ones_like(inputs["input_ids"])
    with torch.inference_mode():
        logprobs = model.net(**inputs, use_cache=False).logits[0].float().log_softmax(-1)
    values = [logprobs[n - 1 + i, token].item() for i, token in enumerate(target)][opening:]
    return sum(values), len(values)


@pytest.mark.slow
@pytest.mark.parametrize("spec", CASES)
def test_likelihood_equals_a_full_forward_per_option(model: AudioLanguageModel, spec: str) -> None:
    asked = cases(spec)
    scored = model.likelihood(asked)
    for request, score in zip(asked, scored, strict=True):
        expected = [plain_score(model, request, option) for option in request.prompt.options]
        np.testing.assert_allclose(score.logprobs, [e[0] for e in expected], atol=1e-4, rtol=0)
        assert list(score.tokens) == [e[1] for e in expected]
        assert score.prompt_tokens == plain_inputs(model, request)["input_ids"].shape[1]


@pytest.mark.slow
@pytest.mark.parametrize("spec", CASES)
def test_generation_equals_generate(model: AudioLanguageModel, spec: str) -> None:
    asked = cases(spec)
    replies = model.generate(asked, max_new_tokens=16)
    for request, reply in zip(asked, replies, strict=True):
        inputs = plain_inputs(model, request)
        with torch.inference_mode():
            out = model.net.generate(**inputs, do_sample=False, max_new_tokens=16)
        expected = model.tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert reply.text == expected


@pytest.mark.slow
def test_batching_and_order_of_requests_do_not_matter(model: AudioLanguageModel) -> None:
    asked = [request for spec in CASES for request in cases(spec)]
    together = model.likelihood(asked)
    backwards = model.likelihood(asked[::-1])[::-1]
    alone = [model.likelihood([r])[0] for r in asked]
    for a, b, c in zip(together, backwards, alone, strict=True):
        np.testing.assert_allclose(a.logprobs, b.logprobs, atol=1e-4, rtol=0)
        np.testing.assert_allclose(a.logprobs, c.logprobs, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_the_sound_matters_and_the_gold_does_not(model: AudioLanguageModel) -> None:
    from dataclasses import replace

    heard = requests("audio", CASES["audio"])
    other = requests("audio", [clip("z", 2.0)])
    assert model.likelihood(heard)[0].logprobs != model.likelihood(other)[0].logprobs
    regilded = [replace(r, item=replace(r.item, answer=1)) for r in heard]
    assert model.likelihood(heard) == model.likelihood(regilded)
