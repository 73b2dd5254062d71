"""Options scored as a part of the prompt: one request an option."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Scored
from audiocontrib.models.endpoint.client import Client, Refused
from audiocontrib.models.endpoint.dialect import Dialect
from audiocontrib.models.endpoint.likelihoods import all_of, by_id, next_tokens, salt
from audiocontrib.models.endpoint.spot import Pair
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import OPEN, Prompt

Tokens = list[tuple[int, float]]
"""Ids and log-probabilities."""


@dataclass(frozen=True, slots=True)
class PromptLogprobs:
    """The server tells how likely each token of a prompt is, the model's turn with the option included (vLLM).

    As many requests as there are options, each computed from the start: vLLM reads no prefix cache then, and a salt of
    its own keeps each from what others have left there.
    """

    client: Client
    dialect: Dialect
    opening: tuple[int, ...]
    """Tokens of the opening tag."""
    salted: bool = True
    """Whether the server takes a salt."""

    @classmethod
    async def found(cls, client: Client, dialect: Dialect, prompt: Prompt, sound: Sound | None) -> PromptLogprobs:
        """Refused if the server does not tell, or does not go on from the turn that it is given."""
        try:
            return await cls(client, dialect, ())._opened(prompt, sound)
        except Refused as refusal:
            try:
                return await cls(client, dialect, (), salted=False)._opened(prompt, sound)
            except Refused:
                raise refusal from None

    async def _opened(self, prompt: Prompt, sound: Sound | None) -> PromptLogprobs:
        """The same, knowing the tokens of the opening tag."""
        turns = (OPEN, "0", f"{OPEN}Paris")
        count, tag, other, longer = await all_of(
            (self._count(prompt, sound), *(self._prompt(prompt, sound, turn) for turn in turns))
        )
        ids, others, on = [token for token, _ in tag], [token for token, _ in other], [token for token, _ in longer]
        start = common_prefix(ids, others)
        # had the turn been closed, its end would follow the tag in one and the option in the other
        if not (start < len(ids) < len(on) and common_prefix(ids, on) >= len(ids) - 1):
            raise Refused("the server closes the turn that it should go on from (continue_final_message)")
        if count != len(ids):
            raise Refused("the server counts other tokens than it tells of (usage, prompt_logprobs)")
        return replace(self, opening=tuple(ids[start:]))

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """See :class:`Likelihood`."""
        start, shared, told = await self._told(prompt, sound)
        values = [[value for _, value in tokens[shared:]] for tokens in told]
        if any(math.isnan(value) for each in values for value in each):
            raise AudiocontribError("endpoint: the server does not tell how likely each token of an option is")
        return Scored(tuple(map(math.fsum, values)), tuple(map(len, values)), start)

    async def again(self, prompt: Prompt, sound: Sound | None, scored: Scored) -> Sequence[Pair]:
        """See :class:`Likelihood`. Asked again with other salts, and single tokens as those of a reply."""
        start, shared, told = await self._told(prompt, sound)
        sums = [math.fsum(value for _, value in tokens[shared:]) for tokens in told]
        pairs = [Pair(*values) for values in zip(scored.logprobs, sums, scored.tokens, strict=True)]
        whole = prompt.completion(prompt.options[0])
        wanted = [(whole[:-1], start + len(told[0]) - 1, dict(told[0][-1:]))]
        if shared == len(self.opening):  # else the options begin within the tag, and no reply goes on so
            wanted.append((OPEN, start + shared, dict(tokens[shared] for tokens in told)))
        try:
            for turn, tokens, values in wanted:
                pairs += await self._replied(prompt, sound, turn, tokens, values)
        except Refused:  # it does not tell
            pass
        return pairs

    async def _replied(
        self, prompt: Prompt, sound: Sound | None, turn: str, tokens: int, values: Mapping[int, float]
    ) -> list[Pair]:
        """Values of single tokens beside those that they have as the first of a reply, after so many tokens."""
        reply = await self.client.complete(self.dialect.body(prompt, sound, turn=turn) | next_tokens())
        told = by_id(reply) if reply.prompt_tokens == tokens else {}
        return [Pair(values[token], value) for token, value in told.items() if token in values]

    async def _told(self, prompt: Prompt, sound: Sound | None) -> tuple[int, int, list[Tokens]]:
        """Tokens before the turn, tokens of the opening tag that all options share, and the turn with each option."""
        turns = [prompt.completion(option) for option in prompt.options]
        opened, *told = await all_of(
            (self._count(prompt, sound), *(self._prompt(prompt, sound, turn) for turn in turns))
        )
        start = opened - len(self.opening)
        shared = min(common_prefix(self.opening, [token for token, _ in tokens[start:]]) for tokens in told)
        if shared < len(self.opening) - 1 or not all(len(tokens) > start + shared for tokens in told):
            raise AudiocontribError(
                "endpoint: the tokens that the server tells of and those that it counts do not agree"
            )
        return start, shared, [tokens[start:] for tokens in told]

    async def _count(self, prompt: Prompt, sound: Sound | None) -> int:
        """Tokens of the prompt and the opening tag; the server has them in its cache."""
        reply = await self.client.complete(self.dialect.body(prompt, sound, turn=OPEN))
        if reply.prompt_tokens is None:
            raise Refused("the server does not count the tokens of a prompt (usage)")
        return reply.prompt_tokens

    async def _prompt(self, prompt: Prompt, sound: Sound | None, turn: str) -> Tokens:
        body = self.dialect.body(prompt, sound, turn=turn) | {"prompt_logprobs": 0, **(salt() if self.salted else {})}
        reply = await self.client.complete(body)
        if reply.prompt_logprobs is None:
            raise Refused("the server does not tell how likely the tokens of a prompt are (prompt_logprobs)")
        # what comes before the model's turn may have been taken from a cache, and is not needed
        return [entry or (-1, math.nan) for entry in reply.prompt_logprobs]
