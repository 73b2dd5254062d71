"""The part of a look-over that needs the network itself: what it reads, hears, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import torch

from audiocontrib.audio import silence
from audiocontrib.doctor import Row
from audiocontrib.models import Request
from audiocontrib.models.check_prompts import plain_requests, white_noise
from audiocontrib.models.local import LocalModel
from audiocontrib.models.self_check import TOLERANCE, self_check

SIDE = {"cpu": 1024, "cuda": 8192}
"""Of the square matrices by which the device's rate is measured."""
REPLIES, REPLY_TOKENS = 8, 32
WINDOW = 30.0
"""Seconds of the clip by which speed is measured, where the model hears so long."""


def prompt(model: LocalModel) -> Iterator[Row]:
    """The first prompts as the model sees them, token by token; a token that comes again and again once."""
    for request in _firsts(model):
        ids, shared = model.encode(request.prompt, request.sound)
        yield f"{request.condition.spec}, {len(ids)} tokens, {shared} shared", _shown(model, ids), None
        option = request.prompt.options[0]
        answer = model.tokenizer(request.prompt.completion(option), add_special_tokens=False).input_ids
        yield f"{request.condition.spec}, an answer", _shown(model, answer), None


def hears(model: LocalModel) -> Iterator[Row]:
    """How far a clip changes the scores of the options: against silence of its length, and against another clip."""
    if "audio" not in model.capabilities:
        yield "audio", "none: it reads text only", None
        return
    request = next(r for r in plain_requests(True) if r.condition.spec == "audio")
    scores = {
        name: np.array(model.likelihood([replace(request, sound=sound, ready=None)])[0].logprobs)
        for name, sound in (("noise", white_noise(1.0)), ("silence", silence(1.0)), ("more", white_noise(2.0)))
    }
    moved = float(np.max(np.abs(scores["noise"] - scores["silence"])))
    deaf = "the clip changes no score: it does not hear" if moved <= TOLERANCE else None
    yield "noise against silence, 1 s", f"{moved:.3g} nats", deaf
    yield "1 s against 2 s of noise", f"{np.max(np.abs(scores['noise'] - scores['more'])):.3g} nats", None


def paths(model: LocalModel) -> Iterator[Row]:
    """Each path's largest difference from plain forwards."""
    found = self_check(model)
    yield "tolerance", f"{found.tolerance:.2g} nats (plain forwards among themselves: {found.spread:.2g})", None
    for path, difference in found.differences.items():
        why = found.faults.get(path)
        yield path, f"{difference:.2g} nats from plain forwards{f'; not taken: {why}' if why else ''}", None
    for path in sorted(set(found.faults) - set(found.differences)):
        yield path, f"not to be had: {found.faults[path]}", None
    yield "taken", found.path, None


def speed(model: LocalModel) -> Iterator[Row]:
    """Tokens a second, and what share of the device's own rate for matrices that is."""
    rate = _matrix_rate(model)
    yield "matrices of the device", f"{rate / 1e12:.2f} TFLOP/s in {str(model.net.dtype).removeprefix('torch.')}", None
    size = sum(w.numel() for w in model.net.parameters())
    request = _firsts(model)[-1]
    if request.prompt.has_audio:
        seconds = min(WINDOW, model.max_seconds or WINDOW)
        request = replace(request, sound=white_noise(seconds))
    (ready,) = model.prepare([request])
    count = len(ready.ready.key[0]) + len(ready.ready.suffix)
    took = _timed(model, lambda: _afresh(model, [ready]))
    options = sum(map(len, ready.ready.completions))
    yield (
        f"likelihoods of {len(ready.prompt.options)} options after {count:,} tokens",
        f"{took:.3g} s, {(count + options) / took:,.0f} tokens a second, "
        f"{2 * size * (count + options) / took / rate:.0%} of that rate (all weights counted at every token)",
        None,
    )
    several = [ready] * REPLIES
    took = _timed(model, lambda: [model.decoder.greedy(p, [r.suffix for r in g], frozenset(), REPLY_TOKENS)
                                  for p, g in _groups(model, several)])  # fmt: skip
    yield f"{REPLIES} replies side by side", f"{REPLIES * REPLY_TOKENS / took:,.0f} tokens a second", None


def _firsts(model: LocalModel) -> list[Request]:
    """A text, and where the model hears, a clip."""
    asked = plain_requests("audio" in model.capabilities)
    firsts: dict[str, Request] = {}
    for request in asked:
        firsts.setdefault(request.condition.spec, request)
    return list(firsts.values())


def _shown(model: LocalModel, ids: Sequence[int]) -> str:
    """Tokens as text, apart by bars; one that comes again and again once."""
    texts = [model.tokenizer.decode([i]).replace("\n", "\\n") for i in ids]
    runs = [(text, len(list(same))) for text, same in groupby(texts)]
    return "|".join(f"{text}×{count}" if count > 3 else "|".join([text] * count) for text, count in runs)


def _afresh(model: LocalModel, asked: Sequence[Request]) -> None:
    model.forget()
    model.likelihood(asked)


def _groups(model: LocalModel, asked: Sequence[Request]) -> list[tuple[Any, list[Any]]]:
    found: list[tuple[Any, list[Any]]] = []

    def answer(prefix: Any, group: list[Any]) -> list[None]:
        found.append((prefix, group))
        return [None] * len(group)

    model.by_prefix(asked, answer, lambda prefix, group: iter([list(range(len(group)))]))
    return found


def _timed(model: LocalModel, work: Callable[[], object]) -> float:
    """Seconds of the second time: the first one warms up."""
    work()
    _wait(model)
    start = time.perf_counter()
    work()
    _wait(model)
    return time.perf_counter() - start


def _matrix_rate(model: LocalModel) -> float:
    """Floating-point operations a second of a product of two large matrices, in the network's own precision."""
    device = model.net.device
    side = SIDE.get(device.type, SIDE["cuda"])
    a = torch.rand(side, side, device=device).to(model.net.dtype)
    return 2 * side**3 / _timed(model, lambda: a @ a)


def _wait(model: LocalModel) -> None:
    if model.net.device.type == "cuda":
        torch.cuda.synchronize(model.net.device)
