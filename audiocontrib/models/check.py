"""What a model must be, and what its answers must look like: checked, because both may be a user's own code."""

from __future__ import annotations

import inspect
import json
import math
import numbers
from collections.abc import Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from audiocontrib.errors import AudiocontribError, UsageError, code_place, one_line
from audiocontrib.models.base import Generated, Model, Request, Scored, own_methods
from audiocontrib.responses import FINISHES, METHODS, has_posterior

CAPABILITIES = frozenset({"audio", "sampling", "thinking", *METHODS})
ROUNDING = 1e-3
"""A log-probability may be so far above 0: sums in low precision."""
CALLED: dict[str, tuple[tuple[Any, ...], str]] = {
    "likelihood": (([],), "requests"),
    "generate": (([], 128), "requests, max_new_tokens"),
    "think-likelihood": (([], 128), "requests, max_new_tokens"),
    "prepare": (([],), "requests"),
}
"""Method -> arguments like those that it is called with, and their names."""


def check_model(model: Model) -> Model:
    """The model, if it can be asked at all.

    Raises:
        UsageError: a name, method or capability is missing or is none; nothing was asked yet.
    """
    name, cls = model.name, type(model).__name__
    if not (isinstance(name, str) and name.strip() and name.isprintable()):
        raise UsageError(f"the name of a model of {cls} is {name!r}, but must be a text of one line")
    if not isinstance(model.capabilities, Set) or model.capabilities - CAPABILITIES:
        held = ", ".join(sorted(CAPABILITIES))
        raise UsageError(f"{name}: its capabilities are {shown(model.capabilities)}, but must be a set out of {held}")
    if not model.capabilities & set(METHODS):
        raise UsageError(f"{name} answers nothing: {cls} has neither a method likelihood nor a method generate")
    for method in sorted(model.capabilities & set(METHODS)):
        if method not in own_methods(type(model)):
            raise UsageError(f"{name}: {cls} says that it is capable of {method}, and has no such method")
    bound = model.max_seconds
    if bound is not None and not (_is_number(bound) and bound > 0):
        raise UsageError(f"{name}: max_seconds is {shown(bound)}, but must be a number of seconds or None")
    if not isinstance(model.concurrency, int) or model.concurrency < 1:
        raise UsageError(f"{name}: concurrency is {shown(model.concurrency)}, but must be a whole number of at least 1")
    for method, (arguments, names) in CALLED.items():
        called = method.replace("-", "_")
        check_signature(getattr(model, called), arguments, names, f"{name}: {cls}.{called}")
    try:
        told: Any = model.fingerprint()
        json.dumps(dict(told), allow_nan=False)
    except AudiocontribError:
        raise
    except Exception as error:
        raise UsageError(
            f"{name}: its fingerprint gives no dictionary of JSON values, as a run could keep: {reason(model, error)}"
        ) from error
    return model


def check_signature(function: Any, arguments: Sequence[Any], names: str, what: str) -> None:
    """UsageError if a function cannot be called with such arguments, or gives a coroutine instead of a value."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of some functions made in C nothing is known
        return
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise UsageError(f"{what} is async, and would give no answers; write it without")
    try:
        signature.bind(*arguments)
    except TypeError:
        raise UsageError(f"{what} is called with ({names}), and takes {signature}") from None


def check_answers(model: str, method: str, requests: Sequence[Request], answers: Any) -> list[Any]:
    """The answers to requests, each a Scored, a Generated, or the exception that stands for what is wrong with it.

    Args:
        model: its name, for messages.

    Raises:
        AudiocontribError: there is not one answer for each request, so that nobody can tell which is which.
    """
    kind = Scored if has_posterior(method) else Generated
    if not isinstance(answers, Sequence) or isinstance(answers, str | bytes):
        raise AudiocontribError(
            f"{model}: {method} gave {_kind(answers)}, and must give a list with a {kind.__name__} for each request"
        )
    if len(answers) != len(requests):
        raise AudiocontribError(f"{model}: {method} gave {len(answers)} answers to {len(requests)} requests")
    return [_checked(model, method, request, answer) for request, answer in zip(requests, answers, strict=True)]


def check_prepared(model: str, requests: Sequence[Request], made: Any) -> Sequence[Request]:
    """The requests that a model's ``prepare`` gave back; AudiocontribError if more than ``ready`` is changed."""
    if not isinstance(made, Sequence) or not all(isinstance(one, Request) for one in made):
        raise AudiocontribError(f"{model}: prepare gave {_kind(made)}, and must give a list of requests")
    if [replace(one, ready=None) for one in made] != list(requests):
        raise AudiocontribError(f"{model}: prepare gave other requests than it got; it may only fill in ready")
    return made


def reason(model: Model, error: BaseException) -> str:
    """A model's exception in one line that can be stored, with the line of the user's own code that it comes from."""
    place = code_place(error) if model.is_own and not isinstance(error, AudiocontribError) else ""
    return f"{place}{one_line(error)}".encode(errors="replace").decode()


def shown(value: object) -> str:
    """A value as Python writes it, in one line that is not too long."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _checked(model: str, method: str, request: Request, answer: Any) -> Scored | Generated | Exception:
    if isinstance(answer, Exception):
        return answer
    cut = method == "think-likelihood" and isinstance(answer, Generated)  # a thought that never came to an end
    scores = has_posterior(method) and not cut
    wrong = _score_fault(answer, len(request.prompt.options)) if scores else _reply_fault(answer)
    if wrong:
        return AudiocontribError(f"{model}: {wrong}")
    if isinstance(answer, Scored):
        return replace(answer, logprobs=tuple(map(float, answer.logprobs)), tokens=tuple(map(int, answer.tokens)))
    made: Generated = answer
    return made


def _score_fault(answer: Any, options: int) -> str:
    """What is wrong with the scores of so many options, in words."""
    if not isinstance(answer, Scored):
        return f"likelihood gave {_kind(answer)} in the place of a Scored"
    for field, values in (("logprobs", answer.logprobs), ("tokens", answer.tokens)):
        if not isinstance(values, Sequence | np.ndarray) or isinstance(values, str | bytes):
            return f"{field} is {_kind(values)}, and must be a tuple with a number for each option"
        if len(values) != options:
            return f"{field} has {len(values)} numbers for {options} options"
        if bad := [value for value in values if isinstance(value, bool) or not isinstance(value, numbers.Real)]:
            return f"{field} holds {_kind(bad[0])} in the place of a number"
    if not all(math.isfinite(value) for value in answer.logprobs):
        return "the model gave a log-probability that is not finite"
    if (most := max(answer.logprobs)) > ROUNDING:
        return f"a log-probability is {most:.6g}, and none can be above 0 (is it a probability?)"
    if not all(_is_count(value) and value >= 1 for value in answer.tokens):
        return f"tokens is {shown(tuple(answer.tokens))}, and must hold whole numbers of at least 1"
    return _shared_fault(answer)


def _reply_fault(answer: Any) -> str:
    """What is wrong with a reply, in words."""
    if not isinstance(answer, Generated):
        return f"generate gave {_kind(answer)} in the place of a Generated"
    if not _is_text(answer.text):
        return f"the reply is {_kind(answer.text)}, and must be a text"
    if answer.finish is not None and answer.finish not in FINISHES:
        return f"finish is {answer.finish!r}, and must be one of {', '.join(FINISHES)}, or None"
    return _shared_fault(answer)


def _shared_fault(answer: Scored | Generated) -> str:
    count, evidence = answer.prompt_tokens, answer.evidence
    if count is not None and not _is_count(count):
        return f"prompt_tokens is {shown(count)}, and must be a whole number or None"
    if evidence is not None and not _is_text(evidence):
        return f"evidence is {_kind(evidence)}, and must be a text or None"
    if answer.thought is not None and not _is_text(answer.thought):
        return f"thought is {_kind(answer.thought)}, and must be a text or None"
    if answer.thought_tokens is not None and not _is_count(answer.thought_tokens):
        return f"thought_tokens is {answer.thought_tokens!r}, and must be a whole number or None"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return _is_number(value) and value == int(value) and 0 <= value < 2**31


def _is_text(value: Any) -> bool:
    """Whether it can be stored: half of a character (a lone surrogate) cannot."""
    return isinstance(value, str) and value.encode(errors="replace").decode() == value


def _kind(value: Any) -> str:
    """What a value is, in words: ``None``, ``a str``, ``an int``."""
    if value is None:
        return "None"
    if isinstance(value, str) and not _is_text(value):
        return "a str with half characters (surrogates)"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
