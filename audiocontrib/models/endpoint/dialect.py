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
    stream: Mapping[str, Any] = field(default_factory=dict)
    """What asks for the reply in pieces; empty: it comes whole."""

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
        fixed = {**self.greedy, **self.stream}
        body: dict[str, Any] = {"messages": messages, "temperature": 0, self.limit: tokens, **fixed}
        if turn is not None:
            messages.append({"role": "assistant", "content": turn})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return body
