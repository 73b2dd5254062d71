"""The shape of a chat completion, as far as it is read: each field held strictly against its type."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from audiocontrib.models.check import ROUNDING

LOWEST = -9999
"""vLLM writes it for minus infinity, which JSON cannot."""


def _logprob(value: float) -> float:
    if value > ROUNDING:
        raise ValueError(f"a log-probability is {value:.6g}, and none can be above 0")
    return -math.inf if value <= LOWEST else value


class Told(BaseModel):
    """What is read of an object; more may stand there."""

    model_config = ConfigDict(strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=())


Logprob = Annotated[float, AfterValidator(_logprob)]
Count = Annotated[int, Field(ge=0, lt=2**31)]


class TokenLogprob(Told):
    """A token, and how likely it is."""

    token: str
    logprob: Logprob


class TokenChoices(TokenLogprob):
    """The token in one place of a reply, and others that could stand there."""

    top_logprobs: list[TokenLogprob] | None = None


class TokenLogprobs(Told):
    """The tokens of a reply."""

    content: list[TokenChoices] | None = None


class PromptToken(Told):
    """How likely a token of the prompt is, as vLLM tells it."""

    logprob: Logprob


Listed = list[dict[str, PromptToken] | None]


class ReplyMessage(Told):
    """What the model says; texts may come in parts."""

    role: str | None = None
    content: Any = None
    refusal: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    thinking: Any = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    audio: Any = None


class ReplyChoice(Told):
    """One of the replies to a request; there must be one only."""

    index: int = 0
    message: ReplyMessage
    finish_reason: str | None = None
    logprobs: TokenLogprobs | None = None
    prompt_logprobs: Listed | None = None


class UsageDetails(Told):
    """What the tokens of a reply are for."""

    reasoning_tokens: Count | None = None


class Usage(Told):
    """Tokens, counted."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None
    completion_tokens_details: UsageDetails | None = None


class Completion(Told):
    """The whole of it."""

    model: str | None = None
    choices: Annotated[list[ReplyChoice], Field(min_length=1, max_length=1)]
    usage: Usage | None = None
    prompt_logprobs: Listed | None = None
