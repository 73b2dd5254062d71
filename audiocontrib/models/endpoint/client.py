"""HTTP by the openai package: bounded, patient, from any thread, and silent about the key."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import httpx2
import openai
from openai import AsyncOpenAI

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.endpoint.address import Address
from audiocontrib.models.endpoint.body import body_value
from audiocontrib.models.endpoint.bounded import BoundedClient, TooLarge, WholeTimeout
from audiocontrib.models.endpoint.masking import key_mask
from audiocontrib.models.endpoint.names import other_name
from audiocontrib.models.endpoint.reply import ChatReply

T = TypeVar("T")

PATH = "/chat/completions"
CONNECT = 10.0
"""Seconds for a connection to be made."""
NO_KEY = "none"
"""Stands for the key with servers that want none; the openai package insists on one."""
CANNOT = frozenset({400, 404, 405, 413, 415, 422, 500, 501})
"""Statuses by which servers say that they cannot do a thing (llama.cpp says so with 500)."""
RETRIES = "x-stainless-retry-count"
"""Header in which the openai package says how often it has tried before."""
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, RecursionError)
"""What reading an answer raises that is not what it should be."""
WHOLE = 10_000
"""Characters of an error that are kept until the key, of which a part would not be found, is out of it."""


class Refused(AudiocontribError):
    """The server says that it will not do what it was asked; asking again would not help."""


class Senseless(AudiocontribError):
    """The server's answer is not what the answer to such a request looks like."""


class Client:
    """One server. Coroutines run in a thread of their own, so that notebooks, which have a loop, can use it too."""

    def __init__(self, address: Address, key: str | None) -> None:
        self.address, self._key, self.masked = address, key, key_mask(key)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True).start()
        self._ended = weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)
        self._free = asyncio.Semaphore(address.concurrency)
        self._gone: str | None = None
        idle = min(address.idle or address.timeout, address.timeout)
        waits = openai.Timeout(idle, connect=min(CONNECT, address.timeout), pool=address.timeout)
        self._openai = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=address.url,
            timeout=waits,
            max_retries=address.retries,
            http_client=BoundedClient(address.timeout, address.megabytes, timeout=waits),
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine gives back. AudiocontribError if the client is closed."""
        if not self._ended.alive:
            work.close()
            raise self.error(AudiocontribError, "the connection was closed; load the model again")
        self._gone = None  # a server may have come back since
        begun: list[asyncio.Task[T]] = []

        async def noted() -> T:
            begun.append(asyncio.ensure_future(work))
            return await begun[0]

        try:  # around the start too: an interruption may come before we hold what was started
            return asyncio.run_coroutine_threadsafe(noted(), self._loop).result()
        except BaseException:
            asyncio.run_coroutine_threadsafe(_end(begun), self._loop).result(CONNECT)
            raise

    def close(self) -> None:
        """End the connections and the thread."""
        if self._ended.alive:
            self.run(self._openai.close())
            self._ended()

    async def complete(self, body: Mapping[str, Any]) -> ChatReply:
        """The model's reply to a chat request. See :meth:`post`; AudiocontribError too if another model replied."""
        reply = await self.post(PATH, body, ChatReply.read)
        if wrong := other_name(self.address, reply.model):
            raise self.error(AudiocontribError, wrong)
        return reply

    async def get(self, path: str, read: Callable[[Any], T]) -> T:
        """The server's JSON at ``path``, as ``read`` makes it."""
        return await self._patiently(
            lambda left: self._openai.get(path, cast_to=httpx2.Response, options={"max_retries": left}), read
        )

    async def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], T]) -> T:
        """The server's JSON answer to ``body``, as ``read`` makes it.

        Args:
            path: below the address, or a whole URL.
            read: raises LookupError, TypeError or ValueError if the answer is not what it should be; it is then
                asked for again.

        Raises:
            Refused: the server will not do it.
            Senseless: it does something else, again and again.
            AudiocontribError: no answer was to be had.
        """
        asked = {"model": self.address.model, **body}
        return await self._patiently(
            lambda left: self._openai.post(path, cast_to=httpx2.Response, body=asked, options={"max_retries": left}),
            read,
        )

    @property
    def root(self) -> str:
        """The address without ``/v1``: where servers keep what OpenAI does not have."""
        return self.address.url.removesuffix("/v1")

    def error(self, kind: type[AudiocontribError], reason: str) -> AudiocontribError:
        """An error of this server, in one line, without the key."""
        told = self.masked(" ".join(reason[:WHOLE].split()))
        return kind(f"endpoint {self.address.model} at {self.address.url}: {told}")

    async def _patiently(
        self, send: Callable[[int], Coroutine[Any, Any, httpx2.Response]], read: Callable[[Any], T]
    ) -> T:
        """The package tries again after what went wrong on the way; we do after an answer that makes no sense.

        Args:
            send: gets the attempts that are left; all of them together are as many as the address says.
        """
        async with self._free:
            left, waited = self.address.retries, 0
            while True:
                if self._gone:
                    raise AudiocontribError(self._gone)
                try:
                    response = await send(left)
                    return read(body_value(response.content, response.headers.get("content-type", "")))
                except openai.OpenAIError as error:
                    raise self._told(error) from None  # its cause may hold the key
                except UNREADABLE as error:
                    wrong = error
                left -= 1 + int(response.request.headers.get(RETRIES, 0))
                if left < 0:
                    raise self.error(Senseless, f"the server's answer makes no sense ({one_line(wrong, WHOLE)})")
                await asyncio.sleep(min(8.0, 0.5 * 2**waited))
                waited += 1

    def _told(self, error: openai.OpenAIError) -> AudiocontribError:
        """The error in a line of ours, without the key."""
        if isinstance(error, TooLarge):
            return self.error(AudiocontribError, str(error))
        if isinstance(error, openai.AuthenticationError):
            held = "is not accepted" if self._key else "is not set"
            return self.error(AudiocontribError, f"the server wants a key, and ${self.address.key} {held}")
        if isinstance(error, openai.APIStatusError):
            return self._status(error)
        if isinstance(error, openai.APITimeoutError):
            return self.error(AudiocontribError, self._late(error.__cause__))
        told = self.error(AudiocontribError, f"the connection failed ({one_line(error.__cause__ or error, WHOLE)})")
        if isinstance(error.__cause__, httpx2.ConnectError):  # nobody listens
            told = self.error(AudiocontribError, "nothing answers there; start the server, or correct the address")
            self._gone = str(told)  # the others of the batch need not find out one by one
        return told

    def _status(self, error: openai.APIStatusError) -> AudiocontribError:
        """A status that is no success, with what the server says of it."""
        if error.response.is_redirect:
            place = error.response.headers.get("location", "nowhere")
            said = f"it sends elsewhere ({error.status_code}, {place}); if that is right, name that address"
            return self.error(AudiocontribError, said)
        body: Any = error.body
        if isinstance(body, dict):
            body = body.get("message") or body.get("detail") or body
        said = f"the server says {error.status_code}: {str(body or error.message)[:WHOLE]}"
        if "stream" in said.lower() and not self.address.stream:
            said += " (stream=yes asks for replies in pieces)"
        return self.error(Refused if error.status_code in CANNOT else AudiocontribError, said)

    def _late(self, cause: BaseException | None) -> str:
        """Which of the bounds in time was kept to."""
        idle, whole = self.address.idle, self.address.timeout
        if isinstance(cause, httpx2.ConnectTimeout):
            return f"no connection within {min(CONNECT, whole):g} s"
        if isinstance(cause, WholeTimeout) or not idle or idle >= whole:
            return f"no answer within {whole:g} s; timeout=… sets it"
        return f"no byte came for {idle:g} s; idle=… sets it"


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel what is under way, and wait until it is gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
