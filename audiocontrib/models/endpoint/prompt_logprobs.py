"""Options scored as a part of the prompt: one request an option."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Scored
from audiocontrib.models.endpoint.client import Client, Refused
from audiocontrib.models.endpoint.dialect import ChatReply, Dialect
from audiocontrib.models.endpoint.likelihoods import PATH, all_of
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import OPEN, Prompt


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """The server tells how likely each token of a prompt is, the model's turn with the option included (vLLM).

    As many requests as there are options, each computed from the start: vLLM reads no prefix cache then.
    """

    client: Client
    dialect: Dialect
    opening: tuple[int, ...]
    """Tokens of the opening tag."""

    @classmethod
    async def found(cls, client: Client, dialect: Dialect, prompt: Prompt, sound: Sound | None) -> PromptLogprobs:
        """Refused if the server does not tell, or does not go on from the turn that it is given."""
        bare = cls(client, dialect, ())
        turns = (OPEN, "0", f"{OPEN}Paris")
        count, tag, other, longer = await all_of(
            (bare._count(prompt, sound), *(bare._prompt(prompt, sound, turn) for turn in turns))
        )
        ids, others, on = [token for token, _ in tag], [token for token, _ in other], [token for token, _ in longer]
        start = common_prefix(ids, others)
        # had the turn been closed, its end would follow the tag in one and the option in the other
        if not (start < len(ids) < len(on) and common_prefix(ids, on) >= len(ids) - 1):
            raise Refused("the server closes the turn that it should go on from (continue_final_message)")
        if count != len(ids):
            raise Refused("the server counts other tokens than it tells of (usage, prompt_logprobs)")
        return replace(bare, opening=tuple(ids[start:]))

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """See :class:`Likelihood`."""
        turns = [prompt.completion(option) for option in prompt.options]
        opened, *told = await all_of(
            (self._count(prompt, sound), *(self._prompt(prompt, sound, turn) for turn in turns))
        )
        start = opened - len(self.opening)
        shared = min(common_prefix(self.opening, [token for token, _ in tokens[start:]]) for tokens in told)
        values = [[value for _, value in tokens[start + shared :]] for tokens in told]
        if shared < len(self.opening) - 1 or not all(map(len, values)):
            raise AudiocontribError(
                "endpoint: the tokens that the server tells of and those that it counts do not agree"
            )
        return Scored(tuple(map(math.fsum, values)), tuple(map(len, values)), start)

    async def _count(self, prompt: Prompt, sound: Sound | None) -> int:
        """Tokens of the prompt and the opening tag; the server has them in its cache."""
        reply = await self.client.post(PATH, self.dialect.body(prompt, sound, turn=OPEN), ChatReply.read)
        if reply.prompt_tokens is None:
            raise Refused("the server does not count the tokens of a prompt (usage)")
        return reply.prompt_tokens

    async def _prompt(self, prompt: Prompt, sound: Sound | None, turn: str) -> list[tuple[int, float]]:
        body = self.dialect.body(prompt, sound, turn=turn) | {"prompt_logprobs": 0}
        reply = await self.client.post(PATH, body, ChatReply.read)
        if reply.prompt_logprobs is None:
            raise Refused("the server does not tell how likely the tokens of a prompt are (prompt_logprobs)")
        # what comes before the model's turn may have been taken from a cache, and is not needed
        return [entry or (-1, math.nan) for entry in reply.prompt_logprobs]
