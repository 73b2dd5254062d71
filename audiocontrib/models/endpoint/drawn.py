"""Replies that a server draws: temperature, top_p and, where it takes them, a seed and no other cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiocontrib.models.base import ReplyDraw
from audiocontrib.models.endpoint.client import Client, Refused
from audiocontrib.models.endpoint.reply import ChatReply

MORE: tuple[Mapping[str, Any], ...] = (
    {"seed": None, "top_k": -1, "min_p": 0.0},
    {"seed": None},
    {},
)
"""What is asked for besides: vLLM and SGLang would cut by the checkpoint's own top_k; OpenAI knows the seed alone; some
servers know neither. The first that a server does not refuse is kept."""


class Drawing:
    """How one server is asked for replies that are drawn; learnt from what it refuses."""

    def __init__(self) -> None:
        self._place = 0
        self._answered = False

    async def ask(self, client: Client, body: Mapping[str, Any], draw: ReplyDraw) -> ChatReply:
        """The reply to a chat request. Refused if the server refuses it in all ways."""
        refusal: Refused | None = None
        for place in range(self._place, self._place + 1 if self._answered else len(MORE)):
            more = {name: draw.seed if name == "seed" else value for name, value in MORE[place].items()}
            asked = {**body, "temperature": draw.temperature, "top_p": draw.top_p, **more}
            try:
                reply = await client.complete(asked)
            except Refused as error:
                refusal = refusal or error
                continue
            self._place, self._answered = max(place, self._place), True
            return reply
        assert refusal is not None
        raise refusal

    @property
    def note(self) -> str:
        """What of it the server does not take, in words; empty where it takes all, or nothing was drawn."""
        lacking = {name for name in MORE[0] if name not in MORE[self._place]}
        if not (self._answered and lacking):
            return ""
        seedless = "; without a seed, the same replies cannot be had again" if "seed" in lacking else ""
        return f"its server takes no {', '.join(sorted(lacking))}{seedless}"
