"""Learning from a server how likely each option is: what the ways of it have in common.

The answer's likelihood is that of local models: log p of option and closing tag, given prompt and opening tag.
Where an option shares a token with the opening tag, that token counts as the option's, for all options alike.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Protocol

from audiocontrib.audio import Sound
from audiocontrib.models.base import Scored
from audiocontrib.models.endpoint.reply import ChatReply
from audiocontrib.models.endpoint.spot import Pair
from audiocontrib.prompts import Prompt

TOP = 20
"""Likeliest tokens that are asked for: the most that OpenAI, and vLLM as it comes, tell."""
TOKEN_ID = re.compile(r"token_id[:_](\d+)")


class Likelihood(Protocol):
    """One of the ways."""

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """Log-likelihoods of the prompt's options. AudiocontribError if they are not to be had exactly."""

    async def again(self, prompt: Prompt, sound: Sound | None, scored: Scored) -> Sequence[Pair]:
        """What was scored, beside what a plain way gives for the same; empty where there is none."""


def next_tokens(named: Sequence[int] = ()) -> dict[str, Any]:
    """What asks for the log-probabilities of the likeliest next tokens, or of named ones, by their ids."""
    asked = {"logprobs": True, "top_logprobs": TOP, "return_tokens_as_token_ids": True}
    return asked | ({"logprob_token_ids": list(named)} if named else {})


def by_id(reply: ChatReply) -> dict[int, float]:
    """Id -> log-probability of the first tokens that a reply tells of; none where it does not tell ids."""
    return {int(found[1]): value for name, value in reply.first if (found := TOKEN_ID.fullmatch(name))}


def salt() -> Mapping[str, str]:
    """What keeps a request from the blocks of a prompt that the server has computed before (vLLM's ``cache_salt``)."""
    return {"cache_salt": secrets.token_hex(16)}


async def all_of(work: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all coroutines; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
