"""Taggers: which sounds are heard when, by YAMNet as ONNX or any audio-classification checkpoint of transformers."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from audiocontrib.audio import RATE, Sound
from audiocontrib.errors import AudiocontribError
from audiocontrib.models.cascade import recipe
from audiocontrib.models.cascade.parts import load_net, weights_sha256

Floats = NDArray[np.float32]


class Tagger(Protocol):
    """Names sounds, window by window."""

    labels: tuple[str, ...]
    hop: float
    """Seconds from one window to the next."""
    sha256: str
    """Of the weights."""

    def scores(self, sound: Sound) -> Floats:
        """(windows, labels): the probability of each label in each window; at least one window."""


class Yamnet:
    """YAMNet, or another ONNX model that takes its patches: (1, 1, 96, 64) log-mel frames of 10 ms -> logits.

    Args:
        folder: holds ``model.onnx`` and ``classes.csv`` with a column ``display_name``.
        part: scales and zero points of a quantised model.
    """

    hop = 0.48

    def __init__(self, folder: Path, part: recipe.TaggerConfig) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise AudiocontribError("the tagger yamnet needs onnxruntime; run: pip install onnxruntime") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a patch takes half a millisecond: more threads only wait for each other
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._name = self._session.get_inputs()[0].name
        self._input, self._output = part.input, part.output
        with (folder / "classes.csv").open(encoding="utf-8", newline="") as file:
            self.labels = tuple(row["display_name"] for row in csv.DictReader(file))
        self.sha256 = weights_sha256(folder)

    def scores(self, sound: Sound) -> Floats:
        """See :class:`Tagger`."""
        return np.stack([self._patch(patch) for patch in patches(log_mel(sound.samples))])

    def _patch(self, patch: Floats) -> Floats:
        given: Any = patch[None, None]
        if self._input:
            scale, zero = self._input
            given = np.clip(np.round(given / scale + zero), 0, 255).astype(np.uint8)
        logits = self._session.run(None, {self._name: given})[0].reshape(-1).astype(np.float32)
        if self._output:
            scale, zero = self._output
            logits = (logits - zero) * scale
        return expit(logits)


def log_mel(samples: NDArray[np.float32]) -> Floats:
    """YAMNet's features, (frames, 64): magnitudes of 25 ms every 10 ms in mel bands, as log(· + 0.001).

    Source: `features.py` of tensorflow/models, audioset/yamnet.
    """
    least = 400 + 95 * 160  # one patch
    samples = np.pad(samples, (0, max(0, least - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160]
    spectrum = np.abs(np.fft.rfft(frames * _hann(), 512))
    return np.log(spectrum @ _mel().T + 0.001).astype(np.float32)


def patches(frames: Floats) -> list[Floats]:
    """Of 96 frames, every 48; the last one ends with the sound, so that nothing is left out."""
    last = len(frames) - 96
    starts = sorted({*range(0, last + 1, 48), last})
    return [frames[at : at + 96] for at in starts]


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)


@lru_cache(maxsize=1)
def _mel() -> NDArray[np.float64]:
    from librosa.filters import mel

    return mel(sr=RATE, n_fft=512, n_mels=64, fmin=125, fmax=7500, htk=True, norm=None)


class Classifier:
    """Any audio-classification checkpoint of transformers; its labels come from its config."""

    def __init__(self, folder: Path, part: recipe.TaggerConfig, device: str) -> None:
        from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

        self._net = load_net(AutoModelForAudioClassification, folder, device)
        self._extractor: Any = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
        self._window, self.hop = round(part.window * RATE), part.hop
        config = self._net.config
        self.labels = tuple(config.id2label[i] for i in range(config.num_labels))
        # AudioSet models are trained with several labels a clip, and few of them say so in their config
        self._several = config.problem_type == "multi_label_classification" or config.model_type == (
            "audio-spectrogram-transformer"
        )
        self.sha256 = weights_sha256(folder)

    def scores(self, sound: Sound) -> Floats:
        """See :class:`Tagger`."""
        import torch

        step = round(self.hop * RATE)
        last = max(0, len(sound.samples) - self._window)
        starts = sorted({*range(0, last + 1, step), last})
        rows = [sound.samples[at : at + self._window] for at in starts]
        rows = [np.pad(row, (0, self._window - len(row))) for row in rows]
        made = self._extractor(rows, sampling_rate=RATE, return_tensors="pt")
        with torch.inference_mode():
            logits = self._net(**made.to(self._net.device)).logits.float().cpu()
        return (logits.sigmoid() if self._several else logits.softmax(-1)).numpy()


def load_tagger(folder: Path, part: recipe.TaggerConfig, device: str) -> Tagger:
    """The tagger in ``folder``."""
    return Yamnet(folder, part) if part.kind == "yamnet" else Classifier(folder, part, device)
