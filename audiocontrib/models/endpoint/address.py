"""Which model at which server, and how hard it may be asked: read from one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from audiocontrib.errors import UsageError

KEY = "OPENAI_API_KEY"
"""Variable of the environment that holds the key, unless another is named."""
LIKELIHOODS = ("auto", "prompt_logprobs", "forced", "letters")

FORM = re.compile(r"(?P<model>.+)@(?P<url>https?://[^,\s]+)(?P<options>(?:,[^,=\s]+=[^,]*)*)")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Address:
    """``MODEL@URL,option=value,…``; the fields after ``url`` are the options."""

    model: str
    """As the server calls it."""
    url: str
    """Up to and with ``/v1``."""
    name: str
    """In the run; the server's name for the model if none is given."""
    key: str = KEY
    """Name of the variable of the environment that holds the key. The key itself is kept nowhere."""
    concurrency: int = 16
    """Requests that are under way at once."""
    timeout: float = 300.0
    """Seconds until a request is given up and tried again."""
    retries: int = 5
    """Further attempts, ever longer apart, after a timeout, a lost connection, 408, 409, 429 or 5xx."""
    seconds: float | None = None
    """Longer clips are cut by us to this length; None: the server is trusted to hear all of any clip."""
    likelihood: str = "auto"
    """How options are scored: one of LIKELIHOODS. auto takes the first of the exact ones that the server can do."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """From its one line. UsageError, which never repeats what may be a secret, if it is no such thing."""
        found = FORM.fullmatch(text)
        if not found:
            raise UsageError(
                "endpoint: write MODEL@URL,option=value, as in my-model@http://localhost:8000/v1,concurrency=64"
            )
        model, url = found["model"], found["url"].rstrip("/")
        where = urlsplit(url)
        if "@" in where.netloc or where.query or where.fragment:
            # the line is kept in run.json
            raise UsageError(
                f"endpoint {model}: no user, password or query may stand in the address; keys come from ${KEY}"
            )
        values: dict[str, Any] = {"name": model}
        for option in filter(None, found["options"].split(",")):
            key, _, value = option.partition("=")
            if key not in OPTIONS:
                raise UsageError(f"endpoint {model}: no option is called {key!r}; there are: {', '.join(OPTIONS)}")
            read, meaning = OPTIONS[key]
            try:
                values[key] = read(value)
            except ValueError:
                raise UsageError(f"endpoint {model}: {key} is not {meaning}") from None
        return cls(model, url, **values)

    def secret(self) -> str | None:
        """The key, from the environment. UsageError if a variable is named and is not set."""
        found = os.environ.get(self.key)
        if not found and self.key != KEY:
            raise UsageError(f"endpoint {self.model}: key=… names a variable of the environment, and it is not set")
        return found or None


def _checked(read: Callable[[str], Any], good: Callable[[Any], bool]) -> Callable[[str], Any]:
    def value(text: str) -> Any:
        made = read(text)
        if not good(made):
            raise ValueError
        return made

    return value


OPTIONS: dict[str, tuple[Callable[[str], Any], str]] = {
    "name": (_checked(str, bool), "a name"),
    "key": (_checked(str, lambda v: bool(VARIABLE.fullmatch(v))), "the name of a variable of the environment"),
    "concurrency": (_checked(int, lambda v: v >= 1), "a whole number of at least 1"),
    "timeout": (_checked(float, lambda v: 0 < v < float("inf")), "a number of seconds"),
    "retries": (_checked(int, lambda v: v >= 0), "a whole number"),
    "seconds": (_checked(float, lambda v: 0 < v < float("inf")), "a number of seconds"),
    "likelihood": (_checked(str, LIKELIHOODS.__contains__), f"one of {', '.join(LIKELIHOODS)}"),
}
"""Name -> how it is read, and what it is in words."""
