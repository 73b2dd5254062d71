"""What a request looks like to one server: how a clip is sent, how a reply is bounded, what makes it greedy."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import soundfile

from audiocontrib.audio import RATE, Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.prompts import Prompt
from audiocontrib.responses import FINISH_WORDS


@lru_cache(maxsize=16)  # a batch asks many times about one clip
def wav(sound: Sound, subtype: str) -> str:
    """The clip as a WAV file in base64; FLOAT keeps every bit, PCM_16 rounds to 16 of them."""
    file = io.BytesIO()
    soundfile.write(file, sound.samples, RATE, format="WAV", subtype=subtype)
    return base64.b64encode(file.getvalue()).decode()


def _input_audio(data: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}


def _audio_url(data: str) -> dict[str, Any]:
    return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{data}"}}


AUDIO: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "input_audio, float": (_input_audio, "FLOAT"),
    "input_audio, 16 bit": (_input_audio, "PCM_16"),
    "audio_url, float": (_audio_url, "FLOAT"),
    "audio_url, 16 bit": (_audio_url, "PCM_16"),
}
"""Ways to send a clip, best first."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How this server is asked."""

    limit: str = "max_completion_tokens"
    """What it calls the bound on the reply's tokens."""
    greedy: Mapping[str, Any] = field(default_factory=dict)
    """What else switches off the checkpoint's own habits."""
    audio: str | None = None
    """Which of AUDIO it takes."""

    def body(self, prompt: Prompt, sound: Sound | None, tokens: int = 1, turn: str | None = None) -> dict[str, Any]:
        """A chat request for a greedy reply of at most ``tokens``.

        Args:
            turn: the beginning of the model's own turn, to be gone on from.
        """
        content: Any = prompt.user
        if prompt.has_audio:
            if sound is None or self.audio is None:
                raise AudiocontribError("the prompt has an audio part, and no sound was given or the server takes none")
            part, subtype = AUDIO[self.audio]
            content = [part(wav(sound, subtype)), {"type": "text", "text": prompt.user}]
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": content},
        ]
        body: dict[str, Any] = {"messages": messages, "temperature": 0, self.limit: tokens, **self.greedy}
        if turn is not None:
            messages.append({"role": "assistant", "content": turn})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return body


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What is needed of a chat completion."""

    text: str
    finish: str | None
    """As audiocontrib calls it (``FINISHES``); None: the server does not say, or says it in a word of its own."""
    prompt_tokens: int | None
    tokens: int | None
    """Of the reply."""
    first: Mapping[str, float]
    """Text, or ``token_id:N``, of the likeliest (or named) first tokens of the reply -> log-probability."""
    thought: str | None
    """What the server gives as the model's reasoning, apart from the reply."""
    thought_tokens: int | None
    prompt_logprobs: tuple[tuple[int, float] | None, ...] | None
    """Id and log-probability of every token of the prompt; None where it is not told, as of the first."""

    @classmethod
    def read(cls, data: Any) -> ChatReply:
        """From the server's JSON. LookupError, TypeError or ValueError if it is no chat completion."""
        choice, usage = data["choices"][0], data.get("usage") or {}
        message = choice["message"]
        content = (choice.get("logprobs") or {}).get("content") or []
        likeliest = [*content[0]["top_logprobs"], content[0]] if content else []
        listed = data.get("prompt_logprobs") or choice.get("prompt_logprobs")
        return cls(
            text=str(message.get("content") or message.get("refusal") or ""),
            finish=FINISH_WORDS.get(str(choice.get("finish_reason")).lower()),
            thought=str(message.get("reasoning_content") or message.get("reasoning") or "") or None,
            thought_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
            prompt_tokens=usage.get("prompt_tokens"),
            tokens=usage.get("completion_tokens"),
            first={one["token"]: _finite(one["logprob"]) for one in likeliest},
            prompt_logprobs=tuple(_only(entry) if entry else None for entry in listed) if listed else None,
        )


def _only(entry: Any) -> tuple[int, float]:
    """Of ``{"id": {"logprob": …}}``; ValueError if it is not exactly one token."""
    [(token, value)] = entry.items()
    return int(token), _finite(value["logprob"])


def _finite(logprob: float) -> float:
    """vLLM writes -9999 for minus infinity, which JSON cannot."""
    return float("-inf") if logprob <= -9999 else float(logprob)
