"""Response: one answer of one model to one item under one condition and option order."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

import pyarrow as pa

from audiocontrib.arrow import schema_of

METHODS = ("likelihood", "generate", "think-likelihood")
"""How a model can be asked: the log-likelihood of every option, a reply that is read, or the log-likelihood of every
option after a thought."""


def has_posterior(method: str) -> bool:
    """Whether answers by the method are posteriors over the options, and no replies."""
    return method.endswith("likelihood")


LATER = {"repeat": 0}
"""Columns that parts of older versions lack, and what these rows have: each was asked once, greedily."""

OTHER_FINISH = "other"
"""A reply that ended for a reason which only the server knows: perhaps before its end."""
FINISHES = ("stop", "length", "filter", "error", OTHER_FINISH)
"""How a reply can have ended: by itself, at the token limit, kept back by a filter, broken off, otherwise."""

FINISH_WORDS = {
    **dict.fromkeys(("stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete"), "stop"),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens"), "length"),
    **dict.fromkeys(("filter", "content_filter", "safety", "content_filtered", "recitation", "sensitive"), "filter"),
    **dict.fromkeys(("error", "abort", "aborted", "cancelled", "timeout"), "error"),
}
"""What servers call it -> one of FINISHES."""
BROKEN_OFF = {"filter": "the server's filter kept the reply back", "error": "the reply was broken off by an error"}
"""Of FINISHES, those that are failures, and what is then said."""


class Outcome(StrEnum):
    """What became of a question. No outcome is ever turned into a choice."""

    ANSWERED = "answered"
    """The reply names exactly one option."""
    REFUSED = "refused"
    """The reply says that it cannot or will not answer. Final."""
    UNPARSED = "unparsed"
    """The reply names no option, or more than one. Final."""
    FAILED = "failed"
    """An error; asked again on resume."""


RESPONSE_SCHEMA = schema_of(
    item_id=pa.string(),
    dataset=pa.string(),
    model=pa.string(),
    condition=pa.string(),
    order=pa.int16(),
    method=pa.string(),
    outcome=pa.string(),
    choice=pa.int16(),
    correct=pa.bool_(),
    posterior=pa.list_(pa.float64()),
    option_logprob=pa.list_(pa.float64()),
    option_tokens=pa.list_(pa.int32()),
    reply=pa.string(),
    error=pa.string(),
    evidence=pa.string(),
    partner_id=pa.string(),
    audio_sha256=pa.string(),
    audio_seconds=pa.float64(),
    prompt_sha256=pa.string(),
    prompt_tokens=pa.int32(),
    seconds=pa.float64(),
    created_at=pa.timestamp("us", tz="UTC"),
    request_key=pa.string(),
    resume_key=pa.string(),
    # optional: null in parts of older versions
    finish=pa.string(),
    thought=pa.string(),
    thought_tokens=pa.int32(),
    repeat=pa.int16(),
    think_tokens=pa.int32(),
)


@dataclass(frozen=True, slots=True)
class Response:
    """A row of RESPONSE_SCHEMA. Choices and lists are in the item's own order of options."""

    item_id: str
    dataset: str
    model: str
    condition: str
    order: int
    """Rotation: place i of the list that was shown held option (i + order) mod K."""
    method: str
    """One of METHODS."""
    outcome: str
    created_at: datetime
    request_key: str
    """Hash of everything that can change the answer: the identity for resume."""
    resume_key: str | None = None
    """The same with the recording's stamp in place of its samples: what is found by it need not be decoded."""
    choice: int | None = None
    correct: bool | None = None
    """choice == gold; False where there is no choice; None if the item has no key or the call failed."""
    posterior: tuple[float, ...] | None = None
    """Softmax of option_logprob; sums to 1."""
    option_logprob: tuple[float, ...] | None = None
    """Natural log-probability of each option inside the answer tag, closing tag included (sum over tokens)."""
    option_tokens: tuple[int, ...] | None = None
    """Tokens that each of those sums runs over."""
    reply: str | None = None
    error: str | None = None
    evidence: str | None = None
    """What a cascade's listening parts found, as its text model read it."""
    partner_id: str | None = None
    """Item whose clip was played instead (condition ``swap``)."""
    audio_sha256: str | None = None
    """Hash of the float32 samples at 16 kHz that were sent; None if none were."""
    audio_seconds: float | None = None
    prompt_sha256: str = ""
    prompt_tokens: int | None = None
    seconds: float | None = None
    """Wall time of the batch that held the request, divided by its size."""
    finish: str | None = None
    """How the reply ended, one of FINISHES; None where that is not known, or no reply was asked for."""
    thought: str | None = None
    """What the model thought aloud before or in its reply, which ``reply`` no longer holds."""
    thought_tokens: int | None = None
    repeat: int = 0
    """Which of the replies to one and the same question, from 0; above 0 only where replies are sampled or imported."""
    think_tokens: int | None = None
    """Tokens that the thought was allowed; None: it had no bound of its own."""


def response_rows(responses: list[Response]) -> pa.Table:
    """Responses as an Arrow table of RESPONSE_SCHEMA."""
    names = [f.name for f in fields(Response)]
    return pa.Table.from_pylist([{n: getattr(r, n) for n in names} for r in responses], schema=RESPONSE_SCHEMA)
