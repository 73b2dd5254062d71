"""The tiny prompts of a model's self-check: the kinds of requests that a run would make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from audiocontrib.audio import RATE, Sound, make_sound, silence
from audiocontrib.conditions import condition
from audiocontrib.items import Clip, Item
from audiocontrib.models.base import Request
from audiocontrib.prompts import make_prompt

if TYPE_CHECKING:
    from audiocontrib.models.local import LocalModel

LONGEST = 1200
"""Tokens of the longest prompt: windows that are wider are left to what the config says of them."""
QUESTIONS = (
    ("Which sound is heard?", ("bell", "hiss", "whistle")),
    ("In which order do the sounds come?", ("bell, then hiss", "bell, then hiss, then whistle", "be")),
)


def check_requests(model: LocalModel) -> list[Request]:
    """The tiny prompts, as far as the model takes them, and one that reaches beyond its shortest window."""
    asked = plain_requests("audio" in model.capabilities)
    if "audio" in model.capabilities:  # beside clips of 1 s
        asked.append(_request("audio", white_noise(1.5), *QUESTIONS[0], 1))
    window = _shortest_window(model.net.config.get_text_config())
    if window and window < LONGEST:
        question, options = QUESTIONS[1]
        one = _request("text", None, question, options, 2)
        short = len(model.encode(one.prompt, None)[0])
        times = 1 + max(0, window + 8 - short) // 4  # a word is one token at least, and these are seven
        asked.append(_request("text", None, f"{question} " * min(times, LONGEST // 7), options, 2))
    return asked


def plain_requests(hears: bool) -> list[Request]:
    """Questions with a clip, in silence and as text; the last alone for a model that hears nothing."""
    heard: list[tuple[str, Sound | None]] = [("text", None)]
    if hears:
        heard += [("audio", white_noise(1.0)), ("silence:1", silence(1.0))]
    return [
        _request(spec, sound, question, options, order)
        for spec, sound in heard
        for order, (question, options) in enumerate(QUESTIONS)
        if order or spec != "silence:1"
    ]


def white_noise(seconds: float) -> Sound:
    """White noise, the same each time."""
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, round(seconds * RATE))
    return make_sound(samples.astype(np.float32))


def _request(spec: str, sound: Sound | None, question: str, options: Sequence[str], order: int) -> Request:
    item = Item(id="check/0", dataset="check", question=question, choices=tuple(options), answer=0,
                audio=Clip("check.wav"), clip_id="check")  # fmt: skip
    prompt = make_prompt(question, options, order=order, has_audio=sound is not None)
    return Request(item, condition(spec), order, prompt, sound)


def _shortest_window(config: Any) -> int | None:
    """The smallest number of tokens that a part of the network sees at once, as far as its config says."""
    found = [
        value
        for name, value in config.to_dict().items()
        if ("window" in name or "chunk" in name) and "layers" not in name
        if isinstance(value, int) and value > 1
    ]
    return min(found, default=None)
