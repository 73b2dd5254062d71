"""Tags: what a model thinks aloud is taken away, what it puts into ``<answer>`` is taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass

_THINK = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)\s{0,3}>", re.IGNORECASE)
_ANSWER = re.compile(r"<\s{0,3}(/?)\s{0,3}answer\s{0,3}>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tagged:
    """A reply taken apart. Contents are None where there is no such tag."""

    prose: str
    """What was said outside reasoning blocks, the answer tags themselves removed."""
    complete: str | None
    """Content of the last ``<answer>…</answer>``."""
    unclosed: str | None
    """Content of a last ``<answer>`` that was never closed, as in a reply cut off at the token limit."""


def take_apart(reply: str) -> Tagged:
    """Separate a reply into prose and answer tags; reasoning blocks are dropped from both.

    A reasoning block that never closes hides everything after it, except answer tags.
    """
    prose, hidden = _without_reasoning(reply)
    opened: int | None = None
    complete = unclosed = None
    spoken = prose + hidden
    for tag in _ANSWER.finditer(spoken):
        if not tag[1]:
            opened = tag.end()
        elif opened is not None:
            complete, opened = spoken[opened : tag.start()], None
    if opened is not None:
        unclosed = spoken[opened:]
    return Tagged(_ANSWER.sub("\n", prose), complete, unclosed)


def _without_reasoning(reply: str) -> tuple[str, str]:
    """The reply without its reasoning blocks, and the text of a block that never closes."""
    kept: list[str] = []
    position = depth = 0
    closed_at: int | None = None
    for tag in _THINK.finditer(reply):
        if not tag[1]:
            if depth == 0:
                kept.append(reply[position : tag.start()])
                position, closed_at = tag.end(), None
            depth += 1
        elif depth == 0:
            # The template opened the block in the prompt: all up to here was reasoning.
            kept, position = [], tag.end()
        else:
            depth, closed_at = depth - 1, tag.end()
            if depth == 0:
                position = tag.end()
    if depth and closed_at is None:
        return "\n".join(kept), "\n" + reply[position:]
    # A block opened twice but closed once ends where it was closed.
    kept.append(reply[closed_at if depth and closed_at else position :])
    return "\n".join(kept), ""
