"""Which model at which server, and how hard it may be asked: read from one line."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from audiocontrib.config import Name, build, config, options
from audiocontrib.errors import UsageError

KEY = "OPENAI_API_KEY"
"""Variable of the environment that holds the key, unless another is named."""

FORM = re.compile(r"(?P<model>.+)@(?P<url>https?://[^,\s]+)(?P<options>(?:,[^,=\s]+=[^,]*)*)")
Variable = Annotated[
    str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$", description="the name of a variable of the environment")
]


@config
class EndpointOptions:
    """What may follow ``MODEL@URL``, as ``option=value``."""

    name: Name | None = None
    """In the run; None: the server's name for the model."""
    key: Variable = KEY
    """Name of the variable of the environment that holds the key. The key itself is kept nowhere."""
    concurrency: PositiveInt = 16
    """Requests that are under way at once."""
    timeout: PositiveFloat = 300.0
    """Seconds that the whole of a request may take, until it is given up and tried again."""
    idle: PositiveFloat | None = None
    """Seconds that may pass without a byte, until it is given up sooner; None: as many as the whole may take."""
    megabytes: PositiveFloat = 8.0
    """The largest reply that is read, in 10^6 bytes."""
    retries: NonNegativeInt = 5
    """Further attempts, ever longer apart, after a timeout, a lost connection, 408, 409, 429, 5xx or nonsense."""
    seconds: PositiveFloat | None = None
    """Longer clips are cut by us to this length; None: the server is trusted to hear all of any clip."""
    likelihood: Literal["auto", "prompt_logprobs", "forced", "letters"] = "auto"
    """How options are scored. auto takes the first of the exact ones that the server can do."""
    stream: bool = False
    """Whether replies are asked for in pieces, as some servers demand; they are the same."""
    listed: bool = True
    """Whether the model must be in the server's list of models."""
    answers_as: Name | None = None
    """The name under which the server replies; None: that of the model."""


@config
class Address(EndpointOptions):
    """``MODEL@URL,option=value,…``."""

    model: Name
    """As the server calls it."""
    url: Name
    """Up to and with ``/v1``."""
    name: Name
    """In the run."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """From its one line. UsageError, which never repeats what may be a secret, if it is no such thing."""
        found = FORM.fullmatch(text)
        if not found:
            raise UsageError(
                "endpoint: write MODEL@URL,option=value, as in my-model@http://localhost:8000/v1,concurrency=64"
            )
        model, url = found["model"], found["url"].rstrip("/")
        if not _is_plain(url):  # the line is kept in run.json
            raise UsageError(
                f"endpoint {model}: the address must be http://HOST:PORT/PATH; no user, password or query may stand "
                f"in it; keys come from ${KEY}"
            )
        where = f"endpoint {model}"
        given = asdict(build(EndpointOptions, options(found["options"], where), where, secret=True))
        return cls(**given | {"model": model, "url": url, "name": given["name"] or model})

    @property
    def replying(self) -> str:
        """The name that must stand in each reply."""
        return self.answers_as or self.model

    def secret(self) -> str | None:
        """The key, from the environment. UsageError if a variable is named and is not set, or holds no key."""
        found = os.environ.get(self.key)
        if not found and self.key != KEY:
            raise UsageError(f"endpoint {self.model}: key=… names a variable of the environment, and it is not set")
        if found and not re.fullmatch(r"[!-~]+", found):
            raise UsageError(
                f"endpoint {self.model}: ${self.key} holds blanks, line ends or other characters that no key can have"
            )
        return found or None


def _is_plain(url: str) -> bool:
    """Whether a URL names a host, and no user, query or fragment."""
    try:
        where = urlsplit(url)
        known = where.hostname and where.port != 0
    except ValueError:  # brackets that do not close, a port that is none
        return False
    return bool(known) and not ("@" in where.netloc or where.query or where.fragment)
