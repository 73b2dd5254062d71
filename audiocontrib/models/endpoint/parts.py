"""What a message of the model's says, and what it thinks: text, or parts of known kinds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from audiocontrib.models.endpoint.completion import ReplyMessage

TEXT, REFUSAL = ("text", "output_text"), "refusal"
THOUGHT = ("thinking", "reasoning", "reasoning_text", "reasoning_content")
"""Kinds of parts, and names of fields, that hold what was thought and not said."""


def said_and_thought(message: ReplyMessage) -> tuple[str, str]:
    """What is said, and what is thought, in a message of the model's."""
    if message.role not in (None, "", "assistant"):
        raise ValueError(f"the message is not the model's, but of the role {message.role!r}")
    if message.audio:
        raise ValueError("the reply is spoken, and only what is written is read")
    if message.content and message.refusal:
        raise ValueError("the message both answers and refuses")
    said, thought = list[str](), list[str]()
    for kind, text in _parts(message.content):
        (thought if kind in THOUGHT else said).append(text)
    for given in dict.fromkeys("".join(text for _, text in _parts(one)) for one in _reasoning(message)):
        thought.append(given)
    return "".join(said) or message.refusal or "", "\n".join(filter(None, thought))


def _reasoning(message: ReplyMessage) -> Iterator[Any]:
    yield message.reasoning_content
    yield message.reasoning
    yield message.thinking


def _parts(content: Any) -> Iterator[tuple[str, str]]:
    """Kind and text of each part. ValueError if one is of a kind that is neither said nor thought."""
    if content is None or isinstance(content, str):
        yield "text", content or ""
        return
    if not isinstance(content, list):
        raise ValueError(f"the content is of the type {type(content).__name__}, and no text")
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in (*TEXT, REFUSAL, *THOUGHT):
            raise ValueError(f"the content holds a part of the kind {kind!r}, and no text")
        held = part.get("text") if kind in TEXT else part.get(kind, part.get("text"))
        if isinstance(held, list) and kind in THOUGHT:  # a thought in parts of its own
            yield kind, "".join(text for _, text in _parts(held))
        elif isinstance(held, str):
            yield kind, held
        else:
            raise ValueError(f"a part of the kind {kind!r} holds no text")
