"""What a server can do, found out by a few small requests. What it merely ignores counts as what it cannot do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from audiocontrib.audio import RATE, Sound, make_sound
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.endpoint.client import Client, Refused, Senseless
from audiocontrib.models.endpoint.dialect import AUDIO, ChatReply, Dialect
from audiocontrib.models.endpoint.forced import Forced
from audiocontrib.models.endpoint.letters import Letters
from audiocontrib.models.endpoint.likelihoods import PATH, Likelihood
from audiocontrib.models.endpoint.prompt_logprobs import PromptLogprobs
from audiocontrib.prompts import SYSTEM, Prompt

EXACT: dict[str, type[PromptLogprobs | Forced]] = {"prompt_logprobs": PromptLogprobs, "forced": Forced}
"""Ways that give what a local model gives; the first that works is taken."""
WAYS: dict[str, type[PromptLogprobs | Forced | Letters]] = {**EXACT, "letters": Letters}
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
UNSTABLE = ("created", "permission")
"""Fields of a server's entry for a model that differ from one start to the next."""


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
    prompt = replace(LONG, has_audio=sound is not None)
    for way in EXACT if likelihood == "auto" else (likelihood,):
        try:
            scorer = await WAYS[way].found(client, dialect, prompt, sound)
        except (Refused, Senseless) as error:
            refusals[way] = str(error)
        else:
            return card, Found(dialect, way, scorer, refusals)
    if likelihood != "auto":
        raise AudiocontribError(f"likelihood={likelihood} is not to be had: {refusals[likelihood]}")
    return card, Found(dialect, refusals=refusals)


async def _card(client: Client) -> dict[str, Any]:
    try:
        listed = await client.get("/models", lambda data: {str(entry["id"]): dict(entry) for entry in data["data"]})
    except Refused:
        return {}  # it is no part of what is needed
    name = client.address.model
    if name not in listed:
        served = ", ".join(sorted(listed)[:10]) + (", …" if len(listed) > 10 else "")
        raise UsageError(
            f"endpoint at {client.address.url}: no model is called {name!r}; there are: {served or 'none'}"
        )
    return {key: value for key, value in listed[name].items() if key not in UNSTABLE}


async def _dialect(client: Client) -> tuple[Dialect, dict[str, str], Sound | None]:
    """How to ask, what is refused and why, and the sound that every question must have (None: it may have none)."""
    refusals: dict[str, str] = {}
    try:
        dialect, text = await _bounded(client, WORDS, None)
    except Refused as error:
        dialect, text, refusals["text"] = Dialect(), None, str(error)
    tone = make_sound((0.1 * np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32))
    for form in AUDIO:
        try:
            words = [dialect] if text else WORDS
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
            reply = await client.post(PATH, dialect.body(prompt, sound), ChatReply.read)
        except Refused as error:
            refusal = refusal or error
            continue
        if reply.tokens in (0, 1) or (reply.tokens is None and reply.finish == "length"):
            return dialect, reply
    raise refusal or Refused(f"endpoint {client.address.model}: the server keeps to no bound on the reply's length")
