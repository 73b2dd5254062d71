"""Large audio-language models through transformers: the published classes, fed by our own samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from audiocontrib.audio import RATE, Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.families import Family, audio_tokens
from audiocontrib.models.local import LocalModel, common
from audiocontrib.prompts import Prompt


class AudioLanguageModel(LocalModel):
    """A model of one of :data:`audiocontrib.models.families.FAMILIES`."""

    capabilities = frozenset({"audio", "likelihood", "generate"})

    def __init__(self, name: str, net: Any, processor: Any, family: Family, identity: dict[str, Any]) -> None:
        self.processor, self.family = processor, family
        self.max_seconds = family.max_seconds
        self.audio_id = processor.tokenizer.convert_tokens_to_ids(processor.audio_token)
        super().__init__(name, net, processor.tokenizer, identity, mrope=family.mrope)

    def render(self, prompt: Prompt) -> str:
        """The prompt as the checkpoint's own chat template writes it, one placeholder for the audio."""
        audio = [{"type": "audio", "audio": "clip"}] if prompt.has_audio else []
        turns = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": [*audio, {"type": "text", "text": prompt.user}]},
        ]
        text = self.processor.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        if text.count(self.processor.audio_token) != prompt.has_audio:
            raise AudiocontribError(
                f"{self.name}: a text holds {self.processor.audio_token}, or the chat template drops the audio"
            )
        return text

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """All tokens, and how many stand before the question (see :class:`LocalModel`)."""
        text = self.render(prompt)
        if not prompt.has_audio:
            ids = self._tokens(text)
            other = self._tokens(self.render(replace(prompt, user="0")))
            return ids, min(common(ids, other), len(ids) - 1)
        count = audio_tokens(len(_given(sound).samples), self.family)
        ids = self._tokens(text.replace(self.processor.audio_token, self.processor.audio_token * count))
        # nothing merges over a special token: the prefix ends right after the last audio token
        return ids, len(ids) - ids[::-1].index(self.audio_id)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """Log-mel features and their mask; checked, because the models themselves check nothing."""
        if not prompt.has_audio:
            return {}
        samples = _given(sound).samples
        options: dict[str, Any] = {"sampling_rate": RATE}
        if self.family.fits_length:
            options["max_length"] = len(samples) + 400
        made = self.processor(text=[self.render(prompt)], audio=[samples], audio_kwargs=options, return_tensors="pt")
        if made["input_ids"][0].tolist() != self.encode(prompt, sound)[0]:
            counted = int((made["input_ids"] == self.audio_id).sum())
            raise AudiocontribError(
                f"{self.name}: the processor made {counted} audio tokens of {len(samples) / RATE:.2f} s, "
                f"not {audio_tokens(len(samples), self.family)}, or other text tokens than its tokenizer"
            )
        features = made["input_features"].to(self.net.device, self.net.dtype)
        return {"input_features": features, self.family.mask: made[self.family.mask].to(self.net.device)}

    def _tokens(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids


def _given(sound: Sound | None) -> Sound:
    if sound is None:
        raise AudiocontribError("the prompt has an audio part, and no sound was given")
    return sound
