"""The Qwen2.5-Omni processor without its image and video parts, which need torchvision.

For text and audio it runs the same code as the published processor; it loads from the published
checkpoint folders as well as from our own.
"""

from __future__ import annotations

from typing import Any

from transformers import Qwen2_5OmniProcessor
from transformers.processing_utils import ProcessorMixin


class AudioOnlyOmniProcessor(Qwen2_5OmniProcessor):
    """Feature extractor and tokenizer only; ProcessorMixin reads the parts from this signature."""

    def __init__(self, feature_extractor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
        ProcessorMixin.__init__(self, feature_extractor, tokenizer, chat_template=chat_template)
        for kind in ("image", "audio", "video"):
            setattr(self, f"{kind}_token", getattr(tokenizer, f"{kind}_token"))
            setattr(self, f"{kind}_token_id", getattr(tokenizer, f"{kind}_token_id"))
        for mark in ("vision_bos", "vision_eos", "audio_bos", "audio_eos"):
            setattr(self, f"{mark}_token", getattr(tokenizer, f"{mark}_token"))

    @property
    def model_input_names(self) -> list[str]:
        """Names of the tensors that the model's forward takes."""
        names = [*self.tokenizer.model_input_names, *self.feature_extractor.model_input_names]
        return list(dict.fromkeys([*names, "feature_attention_mask"]))
