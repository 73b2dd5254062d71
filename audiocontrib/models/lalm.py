"""Large audio-language models through transformers: the published classes, fed by our own samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from audiocontrib.audio import RATE, Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.base import Generated, Request, Scored
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
        self.adapted = bool(getattr(net, "_hf_peft_config_loaded", False))
        super().__init__(name, net, processor.tokenizer, identity, mrope=family.mrope)

    def render(self, prompt: Prompt) -> str:
        """The prompt as the checkpoint's own chat template writes it, one placeholder for the audio."""
        system, user = prompt.system, prompt.user
        if not self.family.system:
            system, user = "", f"{system}\n{user}"
        if self.family.inline:
            content: Any = self.processor.audio_token * prompt.has_audio + user
        else:
            audio = [{"type": "audio", "audio": "clip"}] if prompt.has_audio else []
            content = [*audio, {"type": "text", "text": user}]
        turns = [{"role": "system", "content": system}] if system else []
        turns.append({"role": "user", "content": content})
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
        placeholder = self.processor.audio_token
        count = audio_tokens(len(self._given(sound).samples), self.family)
        heard = self.family.around.format(audio=placeholder, p=self.processor, t=self.tokenizer)
        # nothing merges over a special token: the prefix ends right after the last audio token, and hundreds of
        # them need not be read as text for every question
        before, after = text.replace(placeholder, heard).split(placeholder)
        shared = [*self._tokens(before), *[self.audio_id] * count]
        return shared + self._tokens(after), len(shared)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """What the model's audio tower takes; checked, because the models themselves check nothing."""
        if not prompt.has_audio:
            return {}
        samples = self._given(sound).samples
        options: dict[str, Any] = {"sampling_rate": RATE}
        if self.family.fits_length:
            options["max_length"] = len(samples) + 400
        made = self.processor(
            text=[self.render(prompt)],
            audio=[samples],
            audio_kwargs=options,
            text_kwargs={"add_special_tokens": False},  # a chat template writes its own begin-of-text token
            return_tensors="pt",
        )
        if made["input_ids"][0].tolist() != self.encode(prompt, sound)[0]:
            counted = int((made["input_ids"] == self.audio_id).sum())
            raise AudiocontribError(
                f"{self.name}: the processor made {counted} audio tokens of {len(samples) / RATE:.2f} s, "
                f"not {audio_tokens(len(samples), self.family)}, or other text tokens than its tokenizer"
            )
        if len(samples) > self.family.max_seconds * RATE:
            raise AudiocontribError(
                f"{self.name} hears {self.family.max_seconds:g} s; cut the clip of {len(samples) / RATE:.2f} s"
            )
        return {name: self._to_net(made[name]) for name in self.family.features}

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """See :class:`audiocontrib.models.base.Model`."""
        return self._adapted(requests, super().likelihood)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """See :class:`audiocontrib.models.base.Model`."""
        whole = super().generate
        return self._adapted(requests, lambda part: whole(part, max_new_tokens))

    def _adapted(self, requests: Sequence[Request], answer: Any) -> list[Any]:
        """Answers with the adapter on for requests with audio and off for those without, as the model was made for."""
        if not self.adapted:
            return answer(requests)
        answers: list[Any] = [None] * len(requests)
        for audio in (True, False):
            places = [i for i, request in enumerate(requests) if request.prompt.has_audio is audio]
            if places:
                (self.net.enable_adapters if audio else self.net.disable_adapters)()
                for place, value in zip(places, answer([requests[i] for i in places]), strict=True):
                    answers[place] = value
        return answers

    def _tokens(self, text: str) -> list[int]:
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def _to_net(self, values: Any) -> Tensor:
        values = torch.as_tensor(values)
        return values.to(self.net.device, self.net.dtype if values.is_floating_point() else None)

    def _given(self, sound: Sound | None) -> Sound:
        """The sound that the prompt's audio part stands for."""
        if sound is None:
            raise AudiocontribError("the prompt has an audio part, and no sound was given")
        if audio_tokens(len(sound.samples), self.family) < 1:
            raise AudiocontribError(
                f"{self.name} hears nothing of a clip of {len(sound.samples) / RATE:.3f} s; leave the item out"
            )
        return sound
