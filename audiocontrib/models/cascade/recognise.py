"""Recogniser: speech to words, by any Whisper checkpoint of transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, WhisperForConditionalGeneration, WhisperProcessor
from transformers.models.whisper.tokenization_whisper import LANGUAGES

from audiocontrib.audio import RATE, Sound
from audiocontrib.models.cascade.parts import load_net, weights_sha256

TOKENS_A_SECOND = 10
"""Nobody speaks faster. It bounds the loops into which a recogniser falls where it hears no words."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What was said in a sound."""

    words: str
    language: str
    """In English; empty for a recogniser of one language."""
    nobody: float
    """The recogniser's probability that nobody speaks, in the window where it is smallest."""


class WhisperRecogniser:
    """Whisper on torch, greedy, window by window of 30 s.

    Args:
        folder: a checkpoint folder of transformers, safetensors.
    """

    def __init__(self, folder: Path, device: str) -> None:
        kind = AutoConfig.from_pretrained(folder, local_files_only=True).model_type
        if kind != "whisper":
            raise ValueError(f"{folder}: it holds a model of type {kind}, not whisper")
        self._net = load_net(WhisperForConditionalGeneration, folder, device)
        self._processor: Any = WhisperProcessor.from_pretrained(folder, local_files_only=True)
        self._settings = self._net.generation_config
        self.sha256 = weights_sha256(folder)

    @torch.inference_mode()
    def recognise(self, sound: Sound) -> Speech:
        """The words of all windows, and the language of the one where somebody most likely speaks."""
        width = self._processor.feature_extractor.n_samples
        heard = [self._window(sound.samples[at : at + width]) for at in range(0, len(sound.samples), width)]
        surest = min(heard, key=lambda speech: speech.nobody)
        return Speech(" ".join(s.words for s in heard if s.words), surest.language, surest.nobody)

    def _window(self, samples: Any) -> Speech:
        made = self._processor.feature_extractor(samples, sampling_rate=RATE, return_tensors="pt")
        encoded = self._net.get_encoder()(made.input_features.to(self._net.device))
        settings = self._settings
        first, _ = self._step(encoded, [settings.decoder_start_token_id], None)
        task, language = [], ""
        if getattr(settings, "is_multilingual", False):
            language = max(settings.lang_to_id, key=lambda name: float(first[settings.lang_to_id[name]]))
            task = [settings.lang_to_id[language], settings.task_to_id["transcribe"]]
        # Whisper's token for "no speech" is the one before "no timestamps"; its name has changed over time
        nobody = float(first.softmax(-1)[settings.no_timestamps_token_id - 1])
        asked = [settings.decoder_start_token_id, *task, settings.no_timestamps_token_id]
        ids = self._greedy(encoded, asked, limit=10 + round(TOKENS_A_SECOND * len(samples) / RATE))
        words = " ".join(self._processor.tokenizer.decode(ids, skip_special_tokens=True).split())
        return Speech(words, LANGUAGES.get(language.strip("<|>"), "").capitalize(), nobody)

    def _greedy(self, encoded: Any, asked: list[int], limit: int) -> list[int]:
        """Not transformers' own loop: it warns at every call, and reads settings that older checkpoints lack."""
        ids, tokens, cache = list[int](), asked, None
        for _ in range(limit):
            logits, cache = self._step(encoded, tokens, cache)
            logits[list(self._settings.suppress_tokens or [])] = -torch.inf
            if not ids:
                logits[list(self._settings.begin_suppress_tokens or [])] = -torch.inf
            tokens = [int(logits.argmax())]
            if tokens[0] == self._net.config.eos_token_id:
                break
            ids += tokens
        return ids

    def _step(self, encoded: Any, tokens: list[int], cache: Any) -> tuple[Tensor, Any]:
        """Logits (V,) after the last token, and the grown cache."""
        given = torch.tensor([tokens], device=self._net.device)
        out = self._net(encoder_outputs=encoded, decoder_input_ids=given, past_key_values=cache, use_cache=True)
        return out.logits[0, -1].float(), out.past_key_values
