"""Voxtral's processor without mistral-common: the same tokens, by way of texts.

The checkpoint brings no chat template. Its prompt is written here as mistral-common's v7 instruct tokenizer
writes it; that one forbids a system turn together with audio.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoFeatureExtractor, AutoTokenizer, VoxtralProcessor
from transformers.feature_extraction_utils import BatchFeature

NAMED = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}


class TextualVoxtralProcessor(VoxtralProcessor):
    """Text with one ``[AUDIO]`` and a clip in, tokens and features out, like the other families' processors."""

    @classmethod
    def from_pretrained(cls, folder: Any, **given: Any) -> TextualVoxtralProcessor:
        """From a checkpoint folder with ``tekken.json``, which need not be read by mistral-common."""
        tokenizer = AutoTokenizer.from_pretrained(folder, mistral_format=False, **NAMED, **given)
        return cls(AutoFeatureExtractor.from_pretrained(folder, **given), tokenizer)

    def apply_chat_template(self, conversation: Any, **_: Any) -> str:
        """The prompt of one user turn, ready for the answer."""
        (turn,) = conversation
        parts = [f"[BEGIN_AUDIO]{self.audio_token}" if p["type"] == "audio" else p["text"] for p in turn["content"]]
        return f"<s>[INST]{''.join(parts)}[/INST]"

    def __call__(self, text: list[str], audio: Any = None, **_: Any) -> BatchFeature:
        """Tokens of one text, and (windows, 128, 3000) ``input_features`` of its clip, if there is one."""
        (written,) = text
        made = {}
        if audio is not None:
            settings = {name: value for name, value in self.audio_kwargs.items() if name != "max_source_positions"}
            frames = self.audio_kwargs["max_source_positions"]
            made["input_features"] = self._retrieve_input_features(audio, frames, **settings)
            # the encoder halves a window's frames, the projector takes them in fours
            tokens = made["input_features"].shape[0] * frames // 8
            written = written.replace(self.audio_token, self.audio_token * tokens)
        ids = torch.tensor([self.tokenizer(written, add_special_tokens=False).input_ids])
        return BatchFeature({"input_ids": ids, "attention_mask": torch.ones_like(ids), **made})
