"""HTTP by the openai package: bounded, patient, from any thread, and silent about the key."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import openai
from openai import AsyncOpenAI

from audiocontrib.errors import AudiocontribError, one_line
from audiocontrib.models.endpoint.address import Address

T = TypeVar("T")

CONNECT = 10.0
"""Seconds for a connection to be made."""
NO_KEY = "none"
"""Stands for the key with servers that want none; the openai package insists on one."""
CANNOT = frozenset({400, 404, 405, 413, 415, 422, 500, 501})
"""Statuses by which servers say that they cannot do a thing (llama.cpp says so with 500)."""


WHOLE = 10_000
"""Characters of an error that are kept until the key, of which a part would not be found, is out of it."""


class Refused(AudiocontribError):
    """The server says that it will not do what it was asked; asking again would not help."""


class Senseless(AudiocontribError):
    """The server's answer is not what the answer to such a request looks like."""


class Client:
    """One server. Coroutines run in a thread of their own, so that notebooks, which have a loop, can use it too."""

    def __init__(self, address: Address, key: str | None) -> None:
        self.address, self._key = address, key
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="endpoint", daemon=True).start()
        self._ended = weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)
        self._free = asyncio.Semaphore(address.concurrency)
        self._gone: str | None = None
        self._openai = AsyncOpenAI(
            api_key=key or NO_KEY,
            base_url=address.url,
            timeout=openai.Timeout(address.timeout, connect=min(CONNECT, address.timeout)),
            max_retries=address.retries,
        )

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the coroutine gives back. AudiocontribError if the client is closed."""
        if not self._ended.alive:
            work.close()
            raise self._error(AudiocontribError, "the connection was closed; load the model again")
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

    async def get(self, path: str, read: Callable[[Any], T]) -> T:
        """The server's JSON at ``path``, as ``read`` makes it."""
        return await self._patiently(lambda: self._openai.get(path, cast_to=object), read)

    async def post(self, path: str, body: dict[str, Any], read: Callable[[Any], T]) -> T:
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
        body = {"model": self.address.model} | body
        return await self._patiently(lambda: self._openai.post(path, cast_to=object, body=body), read)

    @property
    def root(self) -> str:
        """The address without ``/v1``: where servers keep what OpenAI does not have."""
        return self.address.url.removesuffix("/v1")

    async def _patiently(self, send: Callable[[], Coroutine[Any, Any, object]], read: Callable[[Any], T]) -> T:
        """The package tries again after what went wrong on the way; we do after an answer that makes no sense."""
        async with self._free:
            for attempt in range(self.address.retries + 1):
                if self._gone:
                    raise AudiocontribError(self._gone)
                try:
                    return read(await send())
                except openai.OpenAIError as error:
                    raise self._told(error) from None  # its cause may hold the key
                except (LookupError, TypeError, ValueError, AttributeError) as error:
                    wrong = error
                await asyncio.sleep(min(8.0, 0.5 * 2**attempt))
            raise self._error(Senseless, f"the server's answer makes no sense ({one_line(wrong, WHOLE)})")

    def _told(self, error: openai.OpenAIError) -> AudiocontribError:
        """The error in a line of ours, without the key."""
        if isinstance(error, openai.AuthenticationError):
            held = "is not accepted" if self._key else "is not set"
            return self._error(AudiocontribError, f"the server wants a key, and ${self.address.key} {held}")
        if isinstance(error, openai.APIStatusError):
            kind = Refused if error.status_code in CANNOT else AudiocontribError
            body = error.body.get("message") if isinstance(error.body, dict) else error.body
            return self._error(kind, f"the server says {error.status_code}: {body or error.message}")
        if isinstance(error, openai.APITimeoutError):
            return self._error(AudiocontribError, f"no answer within {self.address.timeout:g} s; timeout=… sets it")
        told = self._error(AudiocontribError, f"the connection failed ({one_line(error.__cause__ or error, WHOLE)})")
        if type(error.__cause__).__name__ == "ConnectError":  # of whichever httpx the package uses: nobody listens
            told = self._error(AudiocontribError, "nothing answers there; start the server, or correct the address")
            self._gone = str(told)  # the others of the batch need not find out one by one
        return told

    def _error(self, kind: type[AudiocontribError], reason: str) -> AudiocontribError:
        text = f"endpoint {self.address.model} at {self.address.url}: {' '.join(reason.split())}"
        return kind(text.replace(self._key, "***") if self._key else text)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel what is under way, and wait until it is gone."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
