"""What differs between families of audio-language models, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audiocontrib.registry import Registry


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture: which classes load it and how it takes audio."""

    model_class: str
    """Name of the class in transformers. Named outright: the Auto classes give the speech model for
    Qwen2.5-Omni (which has no forward) and do not know Audio Flamingo 3 at all."""
    processor: Callable[[], Any]
    """Gives the processor class; called late, because transformers takes seconds to import."""
    mask: str
    """Name of the mask that comes with ``input_features``."""
    window_seconds: float
    """The feature extractor's window. Longer audio is cut silently there, unless ``windows`` > 1."""
    windows: int = 1
    """How many windows a clip may fill."""
    fits_length: bool = False
    """Whether features may be padded to the clip's own length instead of a whole window. The valid
    frames are then bit-identical if 400 samples (one STFT frame) of padding follow the clip."""
    mrope: bool = False
    """Whether position ids have three rows (M-RoPE); for text and audio the rows are equal."""

    @property
    def max_seconds(self) -> float:
        """Audio beyond this is not heard."""
        return self.window_seconds * self.windows


FAMILIES: Registry[Family] = Registry("audio model family")
"""transformers' ``model_type`` -> Family."""


def audio_tokens(samples: int, family: Family) -> int:
    """Placeholder tokens for a clip of so many samples at 16 kHz: 25 a second.

    The published formula of all three encoders: frames of 10 ms, a convolution of stride 2, pooling by 2.
    A clip of several windows is encoded window by window.
    """
    window = round(family.window_seconds * 16_000)
    lengths = [min(window, samples - start) for start in range(0, samples, window)]
    frames = [-(-length // 160) for length in lengths]
    return ((sum(frames) - 1) // 2 + 1 - 2) // 2 + 1


def _omni() -> Any:
    from audiocontrib.models.omni import AudioOnlyOmniProcessor

    return AudioOnlyOmniProcessor


def _of_transformers(name: str) -> Callable[[], Any]:
    def load() -> Any:
        import transformers

        return getattr(transformers, name)

    return load


FAMILIES["qwen2_5_omni"] = FAMILIES["qwen2_5_omni_thinker"] = Family(
    # the thinker alone: it loads from the published (whole) checkpoint as well as from its own
    model_class="Qwen2_5OmniThinkerForConditionalGeneration",
    processor=_omni,
    mask="feature_attention_mask",
    window_seconds=300,
    fits_length=True,
    mrope=True,
)
FAMILIES["qwen2_audio"] = Family(
    model_class="Qwen2AudioForConditionalGeneration",
    processor=_of_transformers("Qwen2AudioProcessor"),
    mask="feature_attention_mask",
    window_seconds=30,
)
FAMILIES["audioflamingo3"] = Family(
    model_class="AudioFlamingo3ForConditionalGeneration",
    processor=_of_transformers("AudioFlamingo3Processor"),
    mask="input_features_mask",
    window_seconds=30,
    windows=20,
)
