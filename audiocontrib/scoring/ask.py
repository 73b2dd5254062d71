"""Asking: requests to a model, answers to Response rows. An error becomes a failed row, never a choice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from audiocontrib import answers
from audiocontrib.errors import AudiocontribError
from audiocontrib.models import Generated, Model, Request, Scored
from audiocontrib.models.check import check_answers, reason
from audiocontrib.prompts import unrotate
from audiocontrib.responses import BROKEN_OFF, Outcome, Response
from audiocontrib.scoring.plan import RequestConfig
from audiocontrib.scoring.prefetch import AnswerKeys, again_prepared

_Answer = Scored | Generated | Exception


def ask(model: Model, requests: Sequence[Request], keys: Sequence[AnswerKeys], asking: RequestConfig) -> list[Response]:
    """One Response per request. If the batch raises, or has not one answer for each, they are asked one by one."""
    start = time.perf_counter()
    ready = [again_prepared(model, request) for request in requests]
    answers: list[_Answer] = [request.ready for request in ready]  # an exception where the model cannot prepare it
    places = [place for place, answer in enumerate(answers) if not isinstance(answer, Exception)]
    answered = _answers(model, [ready[place] for place in places], asking)
    if isinstance(answered, Exception):
        if len(requests) > 1:
            return [row for r, k in zip(ready, keys, strict=True) for row in ask(model, [r], [k], asking)]
        answered = [answered]
    for place, answer in zip(places, answered, strict=True):
        answers[place] = answer
    seconds = (time.perf_counter() - start) / len(requests)
    return [
        _response(model, request, key, asking.method, answer, seconds)
        for request, key, answer in zip(requests, keys, answers, strict=True)
    ]


def _answers(model: Model, requests: Sequence[Request], asking: RequestConfig) -> list[_Answer] | Exception:
    try:
        if not requests:
            return []
        if asking.method == "likelihood":
            return check_answers(model.name, asking.method, requests, model.likelihood(requests))
        answer = model.think_likelihood if asking.method == "think-likelihood" else model.generate
        return check_answers(model.name, asking.method, requests, answer(requests, asking.max_new_tokens))
    except Exception as error:  # whatever a model raises is recorded in the row's `error` and asked again on resume
        return error
    except SystemExit:
        return AudiocontribError(f"{model.name}: its code ends the program (SystemExit)")


def _response(model: Model, request: Request, key: AnswerKeys, method: str, value: _Answer, seconds: float) -> Response:
    item = request.item
    facts: dict[str, Any] = {
        "item_id": item.id,
        "dataset": item.dataset,
        "model": model.name,
        "condition": request.condition.spec,
        "order": request.order,
        "repeat": request.repeat,
        "think_tokens": request.think_tokens,
        "method": method,
        "partner_id": request.partner_id,
        "audio_sha256": request.sound.sha256 if request.sound else None,
        "audio_seconds": request.sound.seconds if request.sound else None,
        "prompt_sha256": request.prompt.sha256,
        "seconds": seconds,
        "created_at": datetime.now(UTC),
        "request_key": key.request,
        "resume_key": key.resume,
    }
    if isinstance(value, Exception):
        return Response(**facts, outcome=Outcome.FAILED, error=reason(model, value))
    facts |= {"prompt_tokens": value.prompt_tokens, "evidence": value.evidence}
    if isinstance(value, Generated):
        spoken = answers.split_thought(value.text)
        facts |= {
            "reply": spoken.said if spoken.closed else "",
            "finish": value.finish,
            "thought": "\n".join(filter(None, (value.thought, spoken.thought))) or None,
            "thought_tokens": value.thought_tokens,
        }
        if value.finish in BROKEN_OFF:
            return Response(**facts, outcome=Outcome.FAILED, error=BROKEN_OFF[value.finish])
        answer = answers.parse(facts["reply"], request.prompt.options, finish=value.finish)
        choice = None if answer.choice is None else (answer.choice + request.order) % len(item.choices)
        facts |= {"outcome": answer.outcome}
    else:
        logprobs = unrotate(value.logprobs, request.order)
        posterior = softmax(logprobs)
        choice = int(np.argmax(posterior))
        facts |= {
            "outcome": Outcome.ANSWERED,
            "thought": value.thought,
            "thought_tokens": value.thought_tokens,
            "posterior": posterior,
            "option_logprob": logprobs,
            "option_tokens": tuple(int(n) for n in unrotate(value.tokens, request.order)),
        }
    correct = None if item.answer is None else choice == item.answer
    return Response(**facts, choice=choice, correct=correct)


def softmax(logprobs: Sequence[float]) -> tuple[float, ...]:
    """Posterior over the options from their log-likelihoods, with a uniform prior."""
    shifted = np.exp(np.array(logprobs) - max(logprobs))
    return tuple(float(p) for p in shifted / shifted.sum())
