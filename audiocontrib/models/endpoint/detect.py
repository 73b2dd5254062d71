"""What a server can do, found out by a few small requests. What it merely ignores counts as what it cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from audiocontrib.audio import RATE, Sound, make_sound
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.endpoint.client import Client, Refused, Senseless
from audiocontrib.models.endpoint.dialect import AUDIO, Dialect
from audiocontrib.models.endpoint.forced import Forced
from audiocontrib.models.endpoint.letters import Letters
from audiocontrib.models.endpoint.likelihoods import Likelihood
from audiocontrib.models.endpoint.names import served_entry
from audiocontrib.models.endpoint.prompt_logprobs import PromptLogprobs
from audiocontrib.models.endpoint.reply import ChatReply
from audiocontrib.models.endpoint.spot import wrong
from audiocontrib.prompts import SYSTEM, Prompt

EXACT: dict[str, type[PromptLogprobs | Forced]] = {"prompt_logprobs": PromptLogprobs, "forced": Forced}
"""Ways that give what a local model gives; the first that works is taken."""
WAYS: dict[str, type[PromptLogprobs | Forced | Letters]] = {**EXACT, "letters": Letters}
STREAMS: tuple[dict[str, Any], ...] = ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True})
"""What asks for a reply in pieces; some refuse the word by which vLLM and OpenAI count the tokens then, too."""
WORDS = [
    Dialect(limit, greedy)
    for limit in ("max_completion_tokens", "max_tokens")  # OpenAI refuses the second, older servers ignore the first
    for greedy in (
        {"repetition_penalty": 1.0},
        {},
    )  # vLLM takes the checkpoint's, even for greedy replies; some refuse it
]
"""What a bound is called, and what else makes a reply greedy."""
LONG = Prompt(SYSTEM, "Count from one to one hundred, in words.", False, ("one", "two"), "Which number comes first?")
"""A question whose answer is long, so that an ignored bound is seen."""
PROBE = replace(LONG, options=("one", "two", "twenty-one"))
"""A question whose options are scored, and asked about again, before any other."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a server can do."""

    dialect: Dialect
    way: str | None = None
    """Which of WAYS scores options."""
    likelihood: Likelihood | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    """What it cannot do -> why not, in words."""


async def detect(client: Client, likelihood: str) -> tuple[dict[str, Any], Found]:
    """The server's entry for the model, and what it can do.

    Args:
        likelihood: as in :class:`audiocontrib.models.endpoint.address.EndpointOptions`.

    Raises:
        UsageError: it has no such model.
        AudiocontribError: it cannot be reached, answers no chat request, or cannot score as it was told to.
    """
    card = await _card(client)
    dialect, refusals, sound = await _dialect(client)
    prompt = replace(PROBE, has_audio=sound is not None)
    for way in EXACT if likelihood == "auto" else (likelihood,):
        try:
            scorer = await WAYS[way].found(client, dialect, prompt, sound)
            if way in EXACT and (said := wrong(await scorer.again(prompt, sound, await scorer.score(prompt, sound)))):
                raise Refused(said)
        except (Refused, Senseless) as error:
            refusals[way] = str(error)
        else:
            return card, Found(dialect, way, scorer, refusals)
    if likelihood != "auto":
        raise AudiocontribError(f"likelihood={likelihood} is not to be had: {refusals[likelihood]}")
    return card, Found(dialect, refusals=refusals)


async def _card(client: Client) -> dict[str, Any]:
    if not client.address.listed:
        return {}
    try:
        listed = await client.get("/models", _entries)
    except Refused:
        return {}  # it is no part of what is needed
    try:
        return client.masked.inside(served_entry(client.address, listed))
    except LookupError as error:
        raise client.error(UsageError, str(error.args[0])) from None


def _entries(data: Any) -> dict[str, dict[str, Any]]:
    """The models of a server's list, by their names."""
    listed = data.get("data") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) and "id" in one for one in listed):
        raise TypeError("it is no list of models with their ids")
    entries = {entry["id"]: dict(entry) for entry in listed}
    if not all(isinstance(name, str) for name in entries):
        raise TypeError("the name of a model is no text")
    return entries


async def _dialect(client: Client) -> tuple[Dialect, dict[str, str], Sound | None]:
    """How to ask, what is refused and why, and the sound that every question must have (None: it may have none)."""
    refusals: dict[str, str] = {}
    every = [replace(one, stream=way) for way in (STREAMS if client.address.stream else ({},)) for one in WORDS]
    try:
        dialect, text = await _bounded(client, every, None)
    except Refused as error:
        dialect, text, refusals["text"] = Dialect(), None, str(error)
    tone = make_sound((0.1 * np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32))
    for form in AUDIO:
        try:
            words = [dialect] if text else every
            heard, reply = await _bounded(client, [replace(one, audio=form) for one in words], tone)
        except Refused as error:
            refusals.setdefault("audio", str(error))
            continue
        if text is None:
            return heard, refusals, tone
        if (reply.prompt_tokens or 0) > (text.prompt_tokens or 0) > 0:
            refusals.pop("audio", None)
            return heard, refusals, None
        refusals["audio"] = f"the server counts no more tokens of a prompt with {form.split(',')[0]} than without"
    if text is None:
        raise AudiocontribError(refusals["text"])
    return dialect, refusals, None


async def _bounded(client: Client, dialects: Iterable[Dialect], sound: Sound | None) -> tuple[Dialect, ChatReply]:
    """The first dialect in which the server keeps a reply to one token, and the reply. Refused if there is none."""
    prompt = replace(LONG, has_audio=sound is not None)
    refusal: Refused | None = None
    for dialect in dialects:
        try:
            reply = await client.complete(dialect.body(prompt, sound))
        except Refused as error:
            refusal = refusal or error
            continue
        if reply.tokens in (0, 1) or (reply.tokens is None and reply.finish == "length"):
            return dialect, reply
    raise refusal or Refused(f"endpoint {client.address.model}: the server keeps to no bound on the reply's length")
