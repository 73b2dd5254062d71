"""PromptEncoder: a prompt and a sound as the token ids and features that a network takes, without the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from audiocontrib.audio import RATE, Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.chat import ChatWriter, chat_writer
from audiocontrib.models.control_tokens import ControlTokens
from audiocontrib.models.families import Family, audio_tokens
from audiocontrib.models.trie import common_prefix
from audiocontrib.prompts import Prompt


@dataclass(frozen=True, slots=True)
class PromptEncoder:
    """Processor, family and chat template of an audio-language model. It holds no weights: processes can have copies.

    Scoring and training read their prompts by it, and so the same tokens and features.
    """

    name: str
    """Of the model, for messages."""
    processor: Any
    """The published processor, or ours in its place (:mod:`audiocontrib.models.processors`)."""
    family: Family
    device: torch.device
    """Where features are put."""
    dtype: torch.dtype
    """Of features that are floats."""

    writer: ChatWriter = field(init=False)
    control: ControlTokens = field(init=False)

    def __post_init__(self) -> None:
        writer = chat_writer(
            self.name,
            self.processor,
            placeholder=self.processor.audio_token,
            system=self.family.system,
            inline=self.family.inline,
        )
        object.__setattr__(self, "writer", writer)
        object.__setattr__(self, "control", ControlTokens(self.name, self.tokenizer))

    @property
    def tokenizer(self) -> Any:
        """The processor's own."""
        return self.processor.tokenizer

    @property
    def max_seconds(self) -> float:
        """Audio beyond this is not heard: what the checkpoint's processor says, else what holds for the family."""
        return float(getattr(self.processor, "max_audio_len", None) or self.family.max_seconds)

    @property
    def audio_id(self) -> int:
        """The token that stands for a piece of audio."""
        return int(self.tokenizer.convert_tokens_to_ids(self.processor.audio_token))

    def render(self, prompt: Prompt) -> str:
        """The prompt as the checkpoint's own chat template writes it, one placeholder for the audio.

        Raises:
            AudiocontribError: the template drops or changes a text.
        """
        return self.writer.write(prompt).text

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens of the prompt, and how many of them stand before the question.

        Control tokens within a text of a data set become letters.

        Raises:
            AudiocontribError: one of them would not.
        """
        count = audio_tokens(len(self._given(sound).samples), self.family) if prompt.has_audio else 0
        forged = self.control.forged(prompt.data)
        ids, shared = self._tokens(prompt, count, forged)
        harmless, _ = self._tokens(prompt.harmless, count)
        self.control.check(ids, harmless, prompt.user, forged)
        return ids, shared if prompt.has_audio else min(common_prefix(ids, harmless), len(ids) - 1)

    def _tokens(self, prompt: Prompt, count: int, forged: frozenset[str] = frozenset()) -> tuple[list[int], int]:
        """All tokens, ``count`` of them of audio, and how many stand up to the last of these."""
        written = self.writer.write(prompt)

        def split(text: str) -> list[str]:
            return self.control.split(text, forged)

        if written.audio is None:
            return self.control.tokens(written.pieces(0, len(written.text), split)), 0
        placeholder = self.processor.audio_token
        heard = self.family.around.format(audio=placeholder, p=self.processor, t=self.tokenizer)
        before, after = heard.split(placeholder)
        # nothing merges over a special token: the prefix ends right after the last audio token, and hundreds of
        # them need not be read as text for every question
        left = written.pieces(0, written.audio, split)
        right = written.pieces(written.audio + len(placeholder), len(written.text), split)
        left[-1] += before
        right[0] = after + right[0]
        shared = [*self.control.tokens(left), *[self.audio_id] * count]
        return shared + self.control.tokens(right), len(shared)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """What the model's audio tower takes, by the names of its forward; empty without audio.

        Raises:
            AudiocontribError: the processor makes other tokens than :meth:`encode`, or cuts the clip: the models
                themselves check nothing.
        """
        if not prompt.has_audio:
            return {}
        samples, harmless = self._given(sound).samples, prompt.harmless  # features are the audio's alone
        options: dict[str, Any] = {"sampling_rate": RATE}
        if self.family.fits_length:
            options["max_length"] = len(samples) + 400
        made = self.processor(
            text=[self.render(harmless)],
            audio=[samples.copy()],  # some extractors want to be able to write
            audio_kwargs=options,
            text_kwargs={"add_special_tokens": False},  # a chat template writes its own begin-of-text token
            return_tensors="pt",
        )
        if made["input_ids"][0].tolist() != self.encode(harmless, sound)[0]:
            counted = int((made["input_ids"] == self.audio_id).sum())
            raise AudiocontribError(
                f"{self.name}: the processor made {counted} audio tokens of {len(samples) / RATE:.2f} s, "
                f"not {audio_tokens(len(samples), self.family)}, or other text tokens than its tokenizer"
            )
        if len(samples) > self.max_seconds * RATE:
            raise AudiocontribError(
                f"{self.name} hears {self.max_seconds:g} s; cut the clip of {len(samples) / RATE:.2f} s"
            )
        return {name: self._placed(made[name]) for name in self.family.features}

    def tokens(self, text: str) -> list[int]:
        """Token ids of a text that holds its special tokens already."""
        return self.control.tokens([text])

    def ending(self) -> str:
        """What closes a reply, as the chat template writes it; the tokenizer's end of text if it writes nothing."""
        asked: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": "q"}]}]
        if not self.writer.style.parts:
            asked[0]["content"] = "q"
        write = self.processor.apply_chat_template
        before = write(asked, tokenize=False, add_generation_prompt=True)
        reply = "<answer>a</answer>"
        for content in (reply, [{"type": "text", "text": reply}]):
            whole = write([*asked, {"role": "assistant", "content": content}], tokenize=False)
            if whole.startswith(before + reply):
                ending: str = whole.removeprefix(before + reply).rstrip("\n")
                if ending:
                    return ending
        return str(self.tokenizer.eos_token)

    def _placed(self, values: Any) -> Tensor:
        values = torch.as_tensor(values)
        placed: Tensor = values.to(self.device, self.dtype if values.is_floating_point() else None)
        return placed

    def _given(self, sound: Sound | None) -> Sound:
        """The sound that the prompt's audio part stands for."""
        if sound is None:
            raise AudiocontribError("the prompt has an audio part, and no sound was given")
        if audio_tokens(len(sound.samples), self.family) < 1:
            raise AudiocontribError(
                f"{self.name} hears nothing of a clip of {len(sound.samples) / RATE:.3f} s; leave the item out"
            )
        return sound
