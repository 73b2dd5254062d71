"""Who may ask: the browser that was given the token, by the address that was printed, from the page itself."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 65_536
"""Bytes of what may be sent to the server."""
POLICY = (
    "default-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
}
LOST = "this page is for whoever started it: open the address that `audiocontrib view` printed, or reload this one\n"


@dataclass(frozen=True, slots=True)
class Door:
    """The app behind it sees only what comes from the page itself, opened with the token.

    Host names other than the loopback's are refused because a name of somebody else's may be made to point here
    (DNS rebinding); pages of other ports because a cookie does not know ports.
    """

    app: ASGIApp
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16), repr=False)
    """Of the one style that a script of the page makes."""

    @property
    def address(self) -> str:
        """Where the page is opened."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def _hosts(self) -> tuple[str, str]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def _cookie(self) -> str:
        return f"audiocontrib_{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on to the app."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = Headers(scope=scope)
        refused = self._entry(scope, headers) or self._refused(scope, headers)
        scope.setdefault("state", {})["nonce"] = self.nonce
        await (refused or self.app)(scope, receive, self._guarded(send))

    def _entry(self, scope: Scope, headers: Headers) -> Response | None:
        """The token in an address becomes a cookie, and leaves the address."""
        given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        tokens = [value for name, value in given if name == "token"]
        if not tokens or scope["path"] != "/" or scope["method"] != "GET" or headers.get("host") not in self._hosts:
            return None
        if not self._is_token(tokens[0]):
            return PlainTextResponse(LOST, 403)
        rest = urlencode([(name, value) for name, value in given if name != "token"])
        address = f"/?{rest}" if rest else "/"
        answer: Response = RedirectResponse(address, 303)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            # a link on another page: the browser keeps the cookie back from what follows at once, so the page itself
            # goes on
            answer = PlainTextResponse("one moment\n", headers={"refresh": f"0; url={address}"})
        answer.set_cookie(self._cookie, self.token, httponly=True, samesite="strict", path="/")
        return answer

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """What is said to those who may not ask; None where they may."""
        if headers.getlist("host") not in ([host] for host in self._hosts):
            return PlainTextResponse("this server answers to 127.0.0.1 and localhost alone\n", 400)
        if not self._is_token(_cookie(headers.get("cookie", ""), self._cookie)):
            return PlainTextResponse(LOST, 403)
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return PlainTextResponse("another site's page asks for this\n", 403)
        if scope["method"] in ("GET", "HEAD"):
            return None
        if scope["method"] != "POST":
            return PlainTextResponse("it takes GET and POST\n", 405)
        if headers.get("origin") not in (f"http://{headers['host']}",):
            return PlainTextResponse("only the page itself may change something\n", 403)
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return PlainTextResponse("what is sent must be application/json\n", 415)
        length = headers.get("content-length", "")
        if not (length.isdecimal() and int(length) <= LONGEST):
            return PlainTextResponse(f"what is sent may have {LONGEST} bytes\n", 413)
        return None

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(errors="replace"), self.token.encode())

    def _guarded(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("content-security-policy", POLICY.format(nonce=self.nonce))
            await send(message)

        return guarded


def _cookie(header: str, name: str) -> str:
    jar = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""
