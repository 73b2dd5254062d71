"""Granite Speech: its features without torchaudio, which the published extractor takes its spectrogram from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoTokenizer, GraniteSpeechProcessor
from transformers.audio_utils import mel_filter_bank
from transformers.feature_extraction_sequence_utils import SequenceFeatureExtractor
from transformers.feature_extraction_utils import BatchFeature


class GraniteFeatures(SequenceFeatureExtractor):
    """Log-mel frames in pairs, of one clip at a time; the settings are those of the published extractor.

    The spectrogram is that of ``torchaudio.transforms.MelSpectrogram``: power, centred and reflected at the ends, a
    periodic Hann window, HTK filters without normalisation.
    """

    model_input_names = ("input_features",)

    def __init__(
        self,
        feature_size: int | None = None,
        sampling_rate: int = 16000,
        padding_value: float = 0.0,
        *,
        n_mels: int = 80,
        melspec_kwargs: dict[str, int] | None = None,
        projector_window_size: int = 15,
        projector_downsample_rate: int = 5,
        **others: Any,
    ) -> None:
        super().__init__(feature_size or n_mels, sampling_rate, padding_value, **others)
        self.melspec_kwargs = {"n_fft": 512, "win_length": 400, "hop_length": 160, **(melspec_kwargs or {})}
        self.projector_window_size = projector_window_size
        self.projector_downsample_rate = projector_downsample_rate

    def __call__(self, audios: Any, device: str | None = "cpu") -> BatchFeature:
        """``input_features`` (1, pairs of frames, 2 x mel bins), how many tokens they become, and their mask."""
        (samples,) = np.atleast_2d(audios)
        logs = self._log_mel(torch.from_numpy(samples).float())
        pairs = logs[: len(logs) // 2 * 2].reshape(1, -1, 2 * self.feature_size)
        blocks = -(-pairs.shape[1] // self.projector_window_size)
        tokens = blocks * (self.projector_window_size // self.projector_downsample_rate)
        mask = torch.ones(1, tokens, dtype=torch.bool)
        return BatchFeature({"input_features": pairs, "audio_embed_sizes": [tokens], "input_features_mask": mask})

    def _log_mel(self, samples: Tensor) -> Tensor:
        """(frames, mel bins): log10 of the power, at most 8 below the loudest, brought to about -1 to 1."""
        n_fft, hop, width = (self.melspec_kwargs[name] for name in ("n_fft", "hop_length", "win_length"))
        window = torch.hann_window(width)
        power = torch.stft(samples, n_fft, hop, width, window, center=True, return_complex=True).abs() ** 2
        filters = mel_filter_bank(
            n_fft // 2 + 1,
            self.feature_size,
            0.0,
            self.sampling_rate / 2,
            self.sampling_rate,
            norm=None,
            mel_scale="htk",
        )
        logs = (power.T @ torch.from_numpy(filters).float()).clamp(min=1e-10).log10()
        return torch.maximum(logs, logs.max() - 8.0) / 4 + 1


class GraniteProcessor(GraniteSpeechProcessor):
    """The published processor around :class:`GraniteFeatures`."""

    @classmethod
    def from_pretrained(cls, folder: Any, **given: Any) -> GraniteProcessor:
        """From a checkpoint folder; the chat template lies with the tokenizer, as published."""
        tokenizer = AutoTokenizer.from_pretrained(folder, **given)
        extractor = GraniteFeatures.from_pretrained(folder, **given)
        return cls(extractor, tokenizer, chat_template=tokenizer.chat_template)


def scale_logits(net: Any) -> None:
    """Divide the logits by the text model's ``logits_scaling`` (8 or 16 in published checkpoints), by way of the head.

    The model was trained with it, and Granite's text classes do it; the speech class of transformers 5.23 leaves it
    out. Greedy replies are the same without, but all log-likelihoods are too far apart.
    """
    text = net.config.text_config
    net.lm_head.weight = torch.nn.Parameter(net.lm_head.weight.detach() / text.logits_scaling, requires_grad=False)
    text.logits_scaling = 1.0  # so that a class that divides by it does not do so twice
