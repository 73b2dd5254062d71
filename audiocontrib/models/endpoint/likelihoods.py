"""Learning from a server how likely each option is: what the ways of it have in common.

The answer's likelihood is that of local models: log p of option and closing tag, given prompt and opening tag.
Where an option shares a token with the opening tag, that token counts as the option's, for all options alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol

from audiocontrib.audio import Sound
from audiocontrib.models.base import Scored
from audiocontrib.prompts import Prompt

PATH = "/chat/completions"
TOP = 20
"""Likeliest tokens that are asked for: the most that OpenAI, and vLLM as it comes, tell."""


class Likelihood(Protocol):
    """One of the ways."""

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """Log-likelihoods of the prompt's options. AudiocontribError if they are not to be had exactly."""


async def all_of(work: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """The results of all coroutines; the first error ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
