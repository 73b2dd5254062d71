"""An HTTP client that ends: a bound on the whole time of a request, and on the size of what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import openai

MEGA = 10**6
"""Bytes of a megabyte."""
KEPT_OPEN = 2.0
"""Seconds for which an idle connection is used again. Some servers (uvicorn) close it after 5: a request that is sent
in that moment is lost."""


HELD = ("_stream", "_httpcore_stream", "_pool_request", "connection", "_connection", "_h11_state")
"""From the body of a reply to what has read it, by names that are httpx's own; a test notices if they change."""


class TooLarge(openai.OpenAIError):
    """More came than is read. Of the openai package's own kind, so that it does not ask again."""


class WholeTimeout(httpx2.ReadTimeout):
    """The whole of a request took longer than it may, be it that bytes came."""


class BoundedClient(openai.DefaultAsyncHttpxClient):
    """httpx's client, with which each request ends in time, be it that a byte comes now and then.

    A redirection is an answer like any other: neither question nor key are sent on to somewhere else. Compression is
    not asked for, and refused: the size of what is packed says nothing of what comes out.
    """

    def __init__(self, seconds: float, megabytes: float, **given: Any) -> None:
        self._seconds, self._largest = seconds, round(megabytes * MEGA)
        fixed: dict[str, Any] = {
            "follow_redirects": False,
            "headers": {"accept-encoding": "identity"},
            "limits": httpx2.Limits(keepalive_expiry=KEPT_OPEN),
        }
        super().__init__(**fixed, **given)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **given: Any) -> httpx2.Response:
        """As httpx's.

        Raises:
            WholeTimeout: the whole of it took longer than it may.
            TooLarge: it is larger than it may be, or packed.
        """
        until = asyncio.get_running_loop().time() + self._seconds
        async with _ending(until, request):
            response = await super().send(request, stream=True, **given)
        try:
            packed = response.headers.get("content-encoding", "identity").lower()
            if packed not in ("", "identity"):
                raise TooLarge(f"the reply is packed ({packed}), and was asked for unpacked")
            response.stream = _BoundedStream(response, until, self._largest, request)
            if not stream:
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    """The body of a reply, up to a time and a size."""

    def __init__(self, response: httpx2.Response, until: float, largest: int, request: httpx2.Request) -> None:
        self._inner: Any = response.stream
        self._socket: Any = response.extensions.get("network_stream")
        self._until, self._left, self._request = until, largest, request
        self._largest = largest

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = aiter(self._inner)
        while True:
            async with _ending(self._until, self._request):
                chunk = await anext(chunks, None)
            if chunk is None:
                await self._check_end()
                return
            self._left -= len(chunk)
            if self._left < 0:
                raise TooLarge(f"the reply is larger than {self._largest / MEGA:g} MB; megabytes=… sets what is read")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _check_end(self) -> None:
        """Close the connection, and refuse the reply, if more came than it: the next question would get the rest."""
        held = self._inner
        for name in HELD:
            held = getattr(held, name, None)
        rest = held.trailing_data[0] if held is not None else b""
        if rest:
            await self._socket.aclose()
        if rest.strip():
            raise httpx2.RemoteProtocolError("more came than one reply", request=self._request)


@asynccontextmanager
async def _ending(until: float, request: httpx2.Request) -> AsyncIterator[None]:
    """WholeTimeout at a time of the loop's clock, also where nothing is ever waited for."""
    try:
        async with asyncio.timeout_at(until):
            yield
        if asyncio.get_running_loop().time() > until:
            raise TimeoutError
    except TimeoutError:
        raise WholeTimeout("the whole request took too long", request=request) from None
