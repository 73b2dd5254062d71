"""A reply that comes in pieces, put together into the reply that it would be whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

JOINED = ("refusal", "reasoning_content", "reasoning", "thinking")
"""Texts that come in pieces, apart from the content."""
KEPT = ("role", "tool_calls", "function_call", "audio")
"""What else a piece may hold; that it is there is all that is asked."""


def whole_reply(chunks: Iterable[Any]) -> dict[str, Any]:
    """The chat completion that the pieces of a stream make up.

    Raises:
        LookupError, TypeError, ValueError: they make up none, or not a whole one.
    """
    told: dict[str, Any] = {}
    message: dict[str, Any] = {}
    texts: dict[str, list[str]] = defaultdict(list)
    content: list[Any] = []
    logprobs: list[Any] = []
    for chunk in chunks:
        if chunk.get("error"):
            raise ValueError(f"in the stream stands an error: {chunk['error']}")
        for name in ("model", "usage", "prompt_logprobs"):
            _set(told, name, chunk.get(name), again=name == "usage")
        for choice in chunk.get("choices") or ():
            if choice.get("index", 0) != 0:
                raise ValueError("the stream holds several replies")
            delta = choice.get("delta") or {}
            if choice.get("message") or choice.get("text"):
                raise ValueError("a piece of the stream is no piece of a chat reply")
            pieces = _pieces(delta.get("content"))
            said = {name: delta[name] for name in JOINED if delta.get(name)}
            if told.get("finish_reason") and (pieces or said):
                raise ValueError("the stream goes on after the reply has ended")
            content += pieces
            for name, text in said.items():
                texts[name].append(text)
            message |= {name: delta[name] for name in KEPT if delta.get(name)}
            logprobs += (choice.get("logprobs") or {}).get("content") or []
            _set(told, "finish_reason", choice.get("finish_reason"))
    if not told.get("finish_reason"):
        raise ValueError("the stream ended before the reply did")
    plain = all(isinstance(piece, str) for piece in content)
    message |= {name: "".join(pieces) for name, pieces in texts.items()}
    message["content"] = "".join(content) if plain else [_part(piece) for piece in content]
    choice = {"index": 0, "message": message, "finish_reason": told.pop("finish_reason")}
    return {"choices": [choice | {"logprobs": {"content": logprobs}}], **told}


def _set(told: dict[str, Any], name: str, value: Any, *, again: bool = False) -> None:
    """Keep what a chunk says; ValueError if another one said otherwise."""
    if not value:
        return
    if not again and told.get(name, value) != value:
        raise ValueError(f"the stream gives two values for {name}")
    told[name] = value


def _pieces(content: Any) -> list[Any]:
    if content is None or content == "":
        return []
    return list(content) if isinstance(content, list) else [content]


def _part(piece: Any) -> Any:
    return {"type": "text", "text": piece} if isinstance(piece, str) else piece
