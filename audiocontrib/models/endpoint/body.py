"""What the body of a response holds: JSON, or a stream of events that becomes the reply it would be without."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from audiocontrib.models.endpoint.stream import whole_reply

STREAM = "text/event-stream"
"""Media type of a reply in pieces."""
LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\r|\n|\Z)")


def body_value(raw: bytes, media_type: str) -> Any:
    """The value of a body; of a stream, the chat completion that its pieces make up.

    Raises:
        ValueError: it is neither, or the stream ended before the reply did.
    """
    return whole_reply(events(raw)) if STREAM in media_type.lower() else strict_json(raw)


def strict_json(raw: bytes | str) -> Any:
    """The value; ValueError if it is no JSON, holds NaN or a name twice in one place, or nests too deeply."""
    try:
        return json.loads(raw, object_pairs_hook=_once, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def events(raw: bytes) -> Iterator[Any]:
    """The values of a stream of server-sent events, up to ``[DONE]``."""
    held: list[bytes] = []
    for found in LINE.finditer(raw):
        line = found[1]
        if line.startswith(b"data:"):
            held.append(line[5:].removeprefix(b" "))
        elif not line and held:  # an event ends with an empty line, or with the stream
            data = b"\n".join(held)
            if data.strip() == b"[DONE]":
                return
            yield strict_json(data)
            held = []


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{name!r} stands twice in one JSON object")
    return made


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
