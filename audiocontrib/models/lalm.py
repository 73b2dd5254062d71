"""Large audio-language models through transformers: the published classes, fed by our own samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from audiocontrib.audio import Sound
from audiocontrib.models.base import Generated, Request, Scored
from audiocontrib.models.encoder import PromptEncoder
from audiocontrib.models.families import Family
from audiocontrib.models.local import LocalModel
from audiocontrib.prompts import Prompt


class AudioLanguageModel(LocalModel):
    """A model of one of :data:`audiocontrib.models.families.FAMILIES`: a network, and the encoder that feeds it."""

    capabilities = frozenset({"audio", "likelihood", "generate", "sampling"})

    def __init__(self, name: str, net: Any, processor: Any, family: Family, identity: dict[str, Any]) -> None:
        self.encoder = PromptEncoder(name, processor, family, net.device, net.dtype)
        self.max_seconds = family.max_seconds
        self.adapted = family.adapter is not None and bool(getattr(net, "_hf_peft_config_loaded", False))
        """Whether the family's own speech adapter is there; anybody else's is merged, and on under every condition."""
        super().__init__(name, net, processor.tokenizer, identity, mrope=family.mrope)

    @property
    def processor(self) -> Any:
        """The encoder's."""
        return self.encoder.processor

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """See :meth:`PromptEncoder.encode`."""
        return self.encoder.encode(prompt, sound)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """See :meth:`PromptEncoder.features`."""
        return self.encoder.features(prompt, sound)

    def likelihood(self, requests: Sequence[Request]) -> list[Scored]:
        """See :class:`audiocontrib.models.base.Model`."""
        return self._adapted(requests, super().likelihood)

    def generate(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Generated]:
        """See :class:`audiocontrib.models.base.Model`."""
        whole = super().generate
        return self._adapted(requests, lambda part: whole(part, max_new_tokens))

    def think_likelihood(self, requests: Sequence[Request], max_new_tokens: int = 128) -> list[Scored | Generated]:
        """See :class:`audiocontrib.models.base.Model`."""
        whole = super().think_likelihood
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
