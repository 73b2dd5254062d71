"""Letters scored instead of options, for servers that tell no more than the likeliest next tokens."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audiocontrib.audio import Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Scored
from audiocontrib.models.endpoint.client import Client, Refused
from audiocontrib.models.endpoint.dialect import Dialect
from audiocontrib.models.endpoint.likelihoods import TOP
from audiocontrib.models.endpoint.spot import Pair
from audiocontrib.prompts import Prompt

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERED = "{question}Choose one of these options:\n{options}\nAnswer with the letter of the option only."
"""What is read instead of the run's prompt."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The likeliest first tokens of a reply to lettered options: all that most commercial servers tell.

    Not the likelihood of the other ways: the options are shown under letters, and it is the letter that is scored.
    """

    client: Client
    dialect: Dialect

    @classmethod
    async def found(cls, client: Client, dialect: Dialect, prompt: Prompt, sound: Sound | None) -> Letters:
        """Refused if the server does not tell."""
        made = cls(client, dialect)
        await made._first(prompt, sound)
        return made

    async def score(self, prompt: Prompt, sound: Sound | None) -> Scored:
        """See :class:`Likelihood`."""
        first, tokens = await self._first(lettered(prompt), sound)
        chances: dict[str, float] = defaultdict(float)
        for text, logprob in first:
            chances[text.strip()] += math.exp(logprob)
        letters = LETTERS[: len(prompt.options)]
        missing = [letter for letter in letters if not chances[letter]]
        if missing:
            raise AudiocontribError(
                f"endpoint: the letter {missing[0]} is not among the {len(first)} likeliest tokens: log p is below "
                f"{min(value for _, value in first):.2f}, which is a bound and no score; ask by the method generate"
            )
        return Scored(tuple(math.log(chances[letter]) for letter in letters), (1,) * len(letters), tokens)

    async def again(self, prompt: Prompt, sound: Sound | None, scored: Scored) -> Sequence[Pair]:
        """Nothing: it is a reply's first token already, and commercial servers are not exact to the digit."""
        return ()

    async def _first(self, prompt: Prompt, sound: Sound | None) -> tuple[tuple[tuple[str, float], ...], int | None]:
        body = self.dialect.body(prompt, sound) | {"logprobs": True, "top_logprobs": TOP}
        reply = await self.client.complete(body)
        if len(reply.first) < 2:
            raise Refused("the server does not tell the likeliest tokens (top_logprobs)")
        return reply.first, reply.prompt_tokens


def lettered(prompt: Prompt) -> Prompt:
    """The same question, with its options under letters in the order shown."""
    question = f"{prompt.question}\n" if prompt.question is not None else ""
    options = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, prompt.options, strict=False))
    return replace(prompt, user=LETTERED.format(question=question, options=options))
