"""The model behind a server, with the same two methods as any other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import stable_hash
from audiocontrib.models.base import Generated, Model, Request, Scored
from audiocontrib.models.endpoint.address import Address
from audiocontrib.models.endpoint.client import Client
from audiocontrib.models.endpoint.detect import Found
from audiocontrib.models.endpoint.dialect import ChatReply
from audiocontrib.models.endpoint.drawn import Drawing
from audiocontrib.models.endpoint.letters import LETTERED
from audiocontrib.models.endpoint.likelihoods import PATH

T = TypeVar("T")


class EndpointModel(Model):
    """A model that a server answers for. Made by :func:`audiocontrib.models.endpoint.load_endpoint`."""

    def __init__(self, address: Address, client: Client, card: dict[str, Any], found: Found) -> None:
        self.address, self.client, self.found = address, client, found
        self.name, self.max_seconds = address.name, address.seconds
        able = {"generate": True, "sampling": True, "audio": found.dialect.audio, "likelihood": found.likelihood}
        self.capabilities = frozenset(name for name, ability in able.items() if ability)
        self.concurrency, self.refusals = address.concurrency, found.refusals
        self._card = card
        self._drawing = Drawing()

    def fingerprint(self) -> dict[str, Any]:
        """What the server says of itself, and how it is asked; neither its address, which may change, nor the key."""
        dialect = self.found.dialect
        made = {
            "class": "endpoint",
            "model": self.address.model,
            "server": self._card,
            "audio": dialect.audio,
            "greedy": {"temperature": 0, **dialect.greedy},
            "likelihood": self.found.way,
        }
        return made | ({"letters_sha256": stable_hash([LETTERED])} if self.found.way == "letters" else {})

    def likelihood(self, requests: Sequence[Request]) -> list[Scored | Exception]:
        """See :class:`audiocontrib.models.base.Model`."""
        scorer = self.found.likelihood
        if scorer is None:
            raise AudiocontribError(f"{self.name} gives no likelihood: {'; '.join(self.refusals.values())}")
        return self._each(requests, lambda request: scorer.score(request.prompt, request.sound))

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated | Exception]:
        """See :class:`audiocontrib.models.base.Model`."""

        async def reply(request: Request) -> Generated:
            body = self.found.dialect.body(request.prompt, request.sound, max_new_tokens)
            if request.draw:
                said = await self._drawing.ask(self.client, body, request.draw)
            else:
                said = await self.client.post(PATH, body, ChatReply.read)
            if said.finish == "filter":
                raise AudiocontribError(f"{self.name}: the server's filter kept the reply back")
            if said.finish == "error":
                raise AudiocontribError(f"{self.name}: the server broke the reply off")
            return Generated(
                said.text,
                said.prompt_tokens,
                finish=said.finish,
                thought=said.thought,
                thought_tokens=said.thought_tokens,
            )

        return self._each(requests, reply)

    def summary(self) -> str:
        """See :class:`audiocontrib.models.base.Model`."""
        return self._drawing.note

    def close(self) -> None:
        """End the connections to the server."""
        self.client.close()

    def _each(self, requests: Sequence[Request], answer: Callable[[Request], Awaitable[T]]) -> list[T | Exception]:
        """Answers in order; an error stands in the place of its own request."""

        at_work = asyncio.Semaphore(self.address.concurrency)  # the others' clips are not encoded yet: memory

        async def one(request: Request) -> T:
            async with at_work:
                return await answer(request)

        async def every() -> list[T | BaseException]:
            return await asyncio.gather(*map(one, requests), return_exceptions=True)

        answers = self.client.run(every())
        for value in answers:
            if isinstance(value, BaseException) and not isinstance(value, Exception):
                raise value
        return answers  # type: ignore[return-value]  # of the exceptions, only Exception is left
