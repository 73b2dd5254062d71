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
from audiocontrib.models.endpoint.drawn import Drawing
from audiocontrib.models.endpoint.letters import LETTERED
from audiocontrib.models.endpoint.likelihoods import Likelihood
from audiocontrib.models.endpoint.reply import ChatReply
from audiocontrib.models.endpoint.spot import EVERY, SpotChecks, wrong

T = TypeVar("T")


class EndpointModel(Model):
    """A model that a server answers for. Made by :func:`audiocontrib.models.endpoint.load_endpoint`."""

    def __init__(self, address: Address, client: Client, card: dict[str, Any], found: Found) -> None:
        self.address, self.client, self.found = address, client, found
        self.name, self.max_seconds = address.name, address.seconds
        able = {"generate": True, "sampling": True, "audio": found.dialect.audio, "likelihood": found.likelihood}
        self.capabilities = frozenset(name for name, ability in able.items() if ability)
        self.concurrency, self.refusals = address.concurrency, found.refusals
        self._card, self._spots, self._drawing = card, SpotChecks(), Drawing()

    def fingerprint(self) -> dict[str, Any]:
        """What the server says of itself, and how it is asked; neither its address, which may change, nor the key."""
        dialect = self.found.dialect
        made = {
            "class": "endpoint",
            "model": self.address.model,
            "answers_as": self.address.replying,
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
        answers = self._each(requests, lambda request: scorer.score(request.prompt, request.sound))
        return self._believed(scorer, requests, answers)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated | Exception]:
        """See :class:`audiocontrib.models.base.Model`."""

        async def reply(request: Request) -> Generated:
            body = self.found.dialect.body(request.prompt, request.sound, max_new_tokens)
            said = await (
                self._drawing.ask(self.client, body, request.draw) if request.draw else self.client.complete(body)
            )
            if fault := _fault(said, max_new_tokens):
                raise AudiocontribError(f"{self.name}: {fault}")
            sent = f"{request.prompt.system}\n{request.prompt.user}"
            return Generated(
                self.client.masked(said.text, sent),
                said.prompt_tokens,
                finish=said.finish,
                thought=said.thought and self.client.masked(said.thought, sent),
                thought_tokens=said.thought_tokens,
            )

        return self._each(requests, reply)

    def summary(self) -> str:
        """See :class:`audiocontrib.models.base.Model`."""
        return "; ".join(filter(None, (str(self._spots), self._drawing.note)))

    def close(self) -> None:
        """End the connections to the server."""
        self.client.close()

    def _believed(
        self, scorer: Likelihood, requests: Sequence[Request], answers: list[Scored | Exception]
    ) -> list[Scored | Exception]:
        """The answers, if one that is asked again now and then is the same; else the failures that they are."""
        scored = [(request, one) for request, one in zip(requests, answers, strict=True) if isinstance(one, Scored)]
        if not scored or not self._spots.count(len(scored)):
            return answers
        request, answer = scored[0]
        try:
            pairs = self.client.run(scorer.again(request.prompt, request.sound, answer))
        except AudiocontribError:  # nothing is known against it; the next batch is checked
            return answers
        self._spots.note(pairs)
        if (said := wrong(pairs)) is None:
            return answers
        self._spots.due = self._spots.questions  # until it is right again
        fault = AudiocontribError(f"{self.name}: {said}; up to {EVERY} questions before these may be wrong, too")
        return [fault if isinstance(one, Scored) else one for one in answers]

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


def _fault(said: ChatReply, most: int) -> str | None:
    """Why a reply is no answer, in words.

    Args:
        most: tokens that were asked for; some servers count the one that ends the reply, too.
    """
    if said.finish == "filter":
        return "the server's filter kept the reply back"
    if said.finish == "error":
        return "the server broke the reply off"
    if said.calls:
        return "the model called a tool instead of answering"
    if said.tokens is not None and said.tokens > most + 1:
        return f"the reply has {said.tokens} tokens, and at most {most} were asked for"
    return None
