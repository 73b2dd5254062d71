"""Large audio-language models through transformers: the published classes, fed by our own samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from audiocontrib.audio import Sound
from audiocontrib.models.base import Request
from audiocontrib.models.chat import ChatWriter
from audiocontrib.models.encoder import PromptEncoder
from audiocontrib.models.families import Family
from audiocontrib.models.local import LocalModel
from audiocontrib.models.network import check_audio_token
from audiocontrib.prompts import Prompt


class AudioLanguageModel(LocalModel):
    """A model of one of :data:`audiocontrib.models.families.FAMILIES`: a network, and the encoder that feeds it."""

    capabilities = frozenset({"audio", "likelihood", "generate", "sampling"})

    def __init__(self, name: str, net: Any, processor: Any, family: Family, identity: dict[str, Any]) -> None:
        self.encoder = PromptEncoder(name, processor, family, net.device, net.dtype)
        check_audio_token(net.config, self.encoder.audio_id)
        self.max_seconds = self.encoder.max_seconds
        self.adapted = family.adapter is not None and bool(getattr(net, "_hf_peft_config_loaded", False))
        """Whether the family's own speech adapter is there; anybody else's is merged, and on under every condition."""
        super().__init__(name, net, processor.tokenizer, identity, mrope=family.mrope, mixes=family.mixes)

    @property
    def processor(self) -> Any:
        """The encoder's."""
        return self.encoder.processor

    @property
    def writer(self) -> ChatWriter:
        """What writes its prompts."""
        return self.encoder.writer

    def encode(self, prompt: Prompt, sound: Sound | None) -> tuple[list[int], int]:
        """See :meth:`PromptEncoder.encode`."""
        return self.encoder.encode(prompt, sound)

    def features(self, prompt: Prompt, sound: Sound | None) -> dict[str, Tensor]:
        """See :meth:`PromptEncoder.features`."""
        return self.encoder.features(prompt, sound)

    def together(self, requests: Sequence[Request]) -> Iterator[list[int]]:
        """See :class:`LocalModel`; its own adapter is on where audio is heard and off elsewhere, as it was made for."""
        if not self.adapted:
            yield from super().together(requests)
            return
        for audio in (True, False):
            places = [i for i, request in enumerate(requests) if request.prompt.has_audio is audio]
            if places:
                (self.net.enable_adapters if audio else self.net.disable_adapters)()
                yield places
