"""A chat completion, read strictly: what is not understood is refused, and nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import ValidationError

from audiocontrib.models.endpoint.completion import (
    Completion,
    PromptToken,
    TokenChoices,
    TokenLogprobs,
    Usage,
    UsageDetails,
)
from audiocontrib.models.endpoint.parts import said_and_thought
from audiocontrib.responses import FINISH_WORDS, OTHER_FINISH

TOO_MUCH = 1.05
"""Probabilities of different tokens that add up to more are none; sums in low precision are a little above 1."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What is needed of a chat completion."""

    text: str
    finish: str | None
    """As audiocontrib calls it (``FINISHES``); None: the server does not say."""
    model: str | None
    """Who says that it replies; None: the server does not say."""
    prompt_tokens: int | None
    tokens: int | None
    """Of the reply."""
    first: tuple[tuple[str, float], ...]
    """Text, or ``token_id:N``, of the likeliest (or named) first tokens of the reply, and their log-probabilities."""
    thought: str | None
    """What the server gives as the model's reasoning, apart from the reply."""
    thought_tokens: int | None
    calls: bool
    """Whether the server has read calls of tools, and taken them out of the text."""
    prompt_logprobs: tuple[tuple[int, float] | None, ...] | None
    """Id and log-probability of every token of the prompt; None where it is not told, as of the first."""

    @classmethod
    def read(cls, data: Any) -> Self:
        """From the server's JSON. ValueError, in one line, if it is no chat completion that is understood."""
        if isinstance(data, dict) and data.get("error"):
            raise ValueError(f"it is an error: {data['error']}")
        try:
            told = Completion.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from None
        choice, usage = told.choices[0], told.usage or Usage()
        if choice.index:
            raise ValueError(f"the one reply has the number {choice.index}")
        listed = told.prompt_logprobs or choice.prompt_logprobs
        text, thought = said_and_thought(choice.message)
        return cls(
            text=text,
            finish=_finish(choice.finish_reason),
            model=told.model or None,
            thought=thought or None,
            thought_tokens=(usage.completion_tokens_details or UsageDetails()).reasoning_tokens,
            prompt_tokens=usage.prompt_tokens,
            tokens=usage.completion_tokens,
            first=_first((choice.logprobs or TokenLogprobs()).content or []),
            calls=bool(choice.message.tool_calls or choice.message.function_call),
            prompt_logprobs=tuple(map(_only, listed)) if listed else None,
        )


def _finish(word: str | None) -> str | None:
    """As audiocontrib calls it."""
    return FINISH_WORDS.get(word.strip().lower(), OTHER_FINISH) if word else None


def _first(places: Sequence[TokenChoices]) -> tuple[tuple[str, float], ...]:
    """The tokens that are told of for the first place, each once."""
    if not places:
        return ()
    told = tuple(dict.fromkeys((one.token, one.logprob) for one in (*(places[0].top_logprobs or ()), places[0])))
    if (total := math.fsum(math.exp(value) for _, value in told)) > TOO_MUCH:
        raise ValueError(f"the probabilities of {len(told)} tokens add up to {total:.4g}")
    return told


def _only(entry: dict[str, PromptToken] | None) -> tuple[int, float] | None:
    """Of ``{"id": {"logprob": …}}``; ValueError if it is not exactly one token."""
    if not entry:
        return None
    if len(entry) > 1:
        raise ValueError(f"of one place of the prompt, {len(entry)} tokens are told")
    [(token, value)] = entry.items()
    return int(token), value.logprob
