"""Options scored token by token: one request for each beginning that they have."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import Field, TypeAdapter

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Scored
from audiocontrib.models.endpoint.client import Client, Refused
from audiocontrib.models.endpoint.dialect import Dialect
from audiocontrib.models.endpoint.likelihoods import all_of, by_id, next_tokens, salt
from audiocontrib.models.endpoint.spot import Pair
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import OPEN, Prompt

AT_ONCE = 16
"""Named tokens of one request; vLLM's own bound is 128."""
TOKENS = TypeAdapter(list[Annotated[int, Field(strict=True, ge=0)]])
TEXT = TypeAdapter(Annotated[str, Field(strict=True)])


@dataclass(frozen=True, slots=True)
class Forced:
    """The server tells how likely named tokens are to come next in a turn that has begun (vLLM since mid-2026).

    One request for each place of each option, all of them served from the prefix cache.
    """

    client: Client
    dialect: Dialect
    opening: tuple[int, ...]
    more: Mapping[str, str] = field(default_factory=dict)
    """What else stands in each request."""

    @classmethod
    async def found(cls, client: Client, dialect: Dialect, prompt: Prompt, sound: Sound | None) -> Forced:
        """Refused if the server does not tell, or does not go on from the turn that it is given."""
        bare = cls(client, dialect, ())
        bare = replace(bare, opening=tuple(await bare._tokens(OPEN)))
        unlikely = await bare._tokens("quixotic zebra")
        asked = client.complete(dialect.body(prompt, sound))
        plain, (_, tokens) = await all_of((asked, bare._next(prompt, sound, OPEN, unlikely)))
        if plain.prompt_tokens is None or tokens != plain.prompt_tokens + len(bare.opening):
            raise Refused("the server closes the turn that it should go on from (continue_final_message)")
        return bare

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """See :class:`Likelihood`."""
        options = await all_of(self._tokens(prompt.completion(option)) for option in prompt.options)
        shared = min(common_prefix(self.opening, option) for option in options)
        wanted: dict[tuple[int, ...], set[int]] = defaultdict(set)
        for option in options:
            for place in range(shared, len(option)):
                wanted[tuple(option[:place])].add(option[place])
        told = await all_of(self._after(prompt, sound, begun, nexts) for begun, nexts in wanted.items())
        starts = {tokens - len(begun) for begun, (_, tokens) in zip(wanted, told, strict=True)}
        if len(starts) > 1:
            raise AudiocontribError(
                "endpoint: the server reads the beginning of an answer as other tokens than its whole"
            )
        table = {begun: values for begun, (values, _) in zip(wanted, told, strict=True)}
        values = [[table[tuple(o[:place])][o[place]] for place in range(shared, len(o))] for o in options]
        return Scored(tuple(map(math.fsum, values)), tuple(map(len, values)), starts.pop())

    async def again(self, prompt: Prompt, sound: Sound | None, scored: Scored) -> Sequence[Pair]:
        """See :class:`Likelihood`. Asked again with a salt, so that nothing is served from the cache."""
        try:
            plain = await replace(self, more=salt()).score(prompt, sound)
        except Refused:  # it takes no salt
            plain = await self.score(prompt, sound)
        return [Pair(*values) for values in zip(scored.logprobs, plain.logprobs, scored.tokens, strict=True)]

    async def _after(
        self, prompt: Prompt, sound: Sound | None, begun: Sequence[int], nexts: set[int]
    ) -> tuple[dict[int, float], int]:
        """How likely each of ``nexts`` is after what has begun, and the number of tokens before it."""
        text = OPEN if begun == self.opening else await self._text(begun)
        if await self._tokens(text) != list(begun):
            raise AudiocontribError(
                f"endpoint: {self.client.masked(text)!r} is not read as the tokens that it stands for in an option; "
                "likelihood=prompt_logprobs scores such options, where the server can"
            )
        named = sorted(nexts)
        parts = [named[i : i + AT_ONCE] for i in range(0, len(named), AT_ONCE)]
        told = await all_of(self._next(prompt, sound, text, part) for part in parts)
        return {token: value for values, _ in told for token, value in values.items()}, told[0][1]

    async def _next(
        self, prompt: Prompt, sound: Sound | None, turn: str, named: Sequence[int]
    ) -> tuple[dict[int, float], int]:
        body = self.dialect.body(prompt, sound, turn=turn) | next_tokens(named) | dict(self.more)
        reply = await self.client.complete(body)
        ids = by_id(reply)
        missing = [token for token in named if token not in ids]
        if missing or reply.prompt_tokens is None:
            raise Refused("the server does not tell how likely a named token is (logprob_token_ids)")
        return {token: ids[token] for token in named}, reply.prompt_tokens

    async def _tokens(self, text: str) -> list[int]:
        body = {"prompt": text, "add_special_tokens": False}
        return await self.client.post(
            f"{self.client.root}/tokenize", body, lambda data: TOKENS.validate_python(data["tokens"])
        )

    async def _text(self, tokens: Sequence[int]) -> str:
        return await self.client.post(
            f"{self.client.root}/detokenize",
            {"tokens": list(tokens)},
            lambda data: TEXT.validate_python(data["prompt"]),
        )
