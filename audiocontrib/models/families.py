"""What differs between families of audio-language models, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from math import inf
from typing import Any

from audiocontrib.audio import RATE
from audiocontrib.registry import Registry

WINDOW = 30 * RATE
"""Samples of the window that Whisper's feature extractor, and most that came after it, hear at once."""


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture: which classes load it and how it takes audio."""

    model_class: str
    """Name of the class in transformers. Named outright: the Auto classes give the speech model for
    Qwen2.5-Omni (which has no forward) and do not know Audio Flamingo 3 at all."""
    processor: Callable[[], Any]
    """Gives the processor class; called late, because transformers takes seconds to import."""
    tokens: Callable[[int], int]
    """Placeholder tokens for a clip of so many samples; held against the processor's own count at every clip."""
    max_seconds: float
    """Audio beyond this is not heard, or not as the model was made for: the feature extractor cuts it
    silently, or the positions leave the range of the training. So it is cut by us."""
    features: tuple[str, ...] = ("input_features", "input_features_mask")
    """The tensors that the processor makes of audio and the model's forward takes."""
    around: str = "{audio}"
    """What the processor puts in the place of the one placeholder; ``p`` is the processor, ``t`` its tokenizer."""
    inline: bool = False
    """Whether the placeholder is written into the user's text: the published chat template knows texts only."""
    system: bool = True
    """Whether a system turn may stand before audio; else its text opens the user's turn, with and without audio."""
    fits_length: bool = False
    """Whether features may be padded to the clip's own length instead of a whole window. The valid
    frames are then bit-identical if 400 samples (one STFT frame) of padding follow the clip."""
    mrope: bool = False
    """Whether position ids have three rows (M-RoPE); for text and audio the rows are equal."""
    mixes: float = 0
    """Frames that clips of different lengths must have to be one forward; infinite: only those of one length may be.
    Convolutions hear what a shorter clip is padded with, and give other scores, some by whole nats."""
    audio_only: bool = False
    """Whether the image tower is left out, see :mod:`audiocontrib.models.audio_only`."""
    adapter: str | None = None
    """Folder, within the checkpoint's, of LoRA weights that belong to it and are on only while audio is heard."""
    mend: Callable[[], Callable[[Any], None]] | None = None
    """Puts right in the loaded network what its class in transformers gets wrong; called late, as above."""


FAMILIES: Registry[Family] = Registry("audio model family")
"""transformers' ``model_type`` -> Family."""


def audio_tokens(samples: int, family: Family) -> int:
    """Placeholder tokens for a clip of so many samples at 16 kHz."""
    return family.tokens(samples)


def _frames(samples: int) -> int:
    """Frames of 10 ms that Whisper's extractor calls valid; its windows of 30 s are whole numbers of them."""
    return -(-samples // 160)


def _whisper(samples: int) -> int:
    """25 a second: a convolution of stride 2, then pooling by 2 (Qwen2-Audio and all that took over its encoder)."""
    return ((_frames(samples) - 1) // 2 + 1 - 2) // 2 + 1


def _qwen3(samples: int) -> int:
    """13 a second: three convolutions of stride 2 over blocks of 100 frames; a frame begun is left out here."""
    blocks, rest = divmod(samples // 160, 100)
    return blocks * 13 + -(-rest // 8)


def _voxtral(samples: int) -> int:
    """12.5 a second of whole windows: what a clip lacks to the next 30 s is heard as silence."""
    return -(-samples // WINDOW) * 375


def _granite(samples: int) -> int:
    """10 a second: 3 queries to each block of 15 pairs of frames."""
    return -(-((samples // 160 + 1) // 2) // 15) * 3


def _phi4(samples: int) -> int:
    """12.5 a second: one to each 8 frames of 25 ms that lie wholly within the clip."""
    return -(-((samples - 400) // 160 + 1) // 8)


def _gemma3n(samples: int) -> int:
    """Always 188; what a clip lacks to 30 s is filled with one embedding for "nothing"."""
    return 188


def _gemma4(samples: int) -> int:
    """25 a second: two convolutions of stride 2 over the frames of 20 ms that lie wholly within the clip."""
    frames = (samples + 160 - 321) // 160 + 1
    return -(-frames // 4)


def _gemma4_unified(samples: int) -> int:
    """25 a second: one to each 40 ms of samples, which stand for themselves."""
    return -(-samples // 640)


def _dots3(samples: int) -> int:
    """12.5 a second: three convolutions of stride 2 over frames of 10 ms; each chunk of 60 s by itself."""
    return -(-samples // 1280)  # a chunk is a whole number of them


def _inkling(samples: int) -> int:
    """20 a second: one to each 50 ms."""
    return -(-samples // 800)


def _nemotron(samples: int) -> int:
    """12.5 a second: three convolutions of stride 2; none of what is too short for a spread of its frames."""
    return -(-(samples // 160 + 1) // 8) if samples >= 320 else 0


def _attribute(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _ours(module: str, name: str) -> Callable[[], Any]:
    return partial(_attribute, f"audiocontrib.models.{module}", name)  # no closure: encoders go to other processes


def _of_transformers(name: str) -> Callable[[], Any]:
    return partial(_attribute, "transformers", name)


FAMILIES["qwen2_5_omni"] = FAMILIES["qwen2_5_omni_thinker"] = Family(
    # the thinker alone: it loads from the published (whole) checkpoint as well as from its own
    model_class="Qwen2_5OmniThinkerForConditionalGeneration",
    processor=_ours("audio_only_processors", "AudioOnlyOmniProcessor"),
    tokens=_whisper,
    max_seconds=300,
    features=("input_features", "feature_attention_mask"),
    fits_length=True,
    mrope=True,
)
FAMILIES["qwen3_omni_moe"] = FAMILIES["qwen3_omni_moe_thinker"] = Family(
    model_class="Qwen3OmniMoeThinkerForConditionalGeneration",
    processor=_ours("audio_only_processors", "AudioOnlyOmni3Processor"),
    tokens=_qwen3,
    max_seconds=2400,  # published for understanding; the extractor itself cuts nothing
    features=("input_features", "feature_attention_mask"),
    mixes=100,  # of longer clips the last block of 100 frames is padded alone, too
    mrope=True,
)
FAMILIES["qwen2_audio"] = Family(
    model_class="Qwen2AudioForConditionalGeneration",
    processor=_of_transformers("Qwen2AudioProcessor"),
    tokens=_whisper,
    max_seconds=30,
    features=("input_features", "feature_attention_mask"),
)
FAMILIES["audioflamingo3"] = Family(
    model_class="AudioFlamingo3ForConditionalGeneration",
    processor=_of_transformers("AudioFlamingo3Processor"),
    tokens=_whisper,
    max_seconds=600,
)
FAMILIES["musicflamingo"] = Family(
    model_class="MusicFlamingoForConditionalGeneration",
    processor=_of_transformers("MusicFlamingoProcessor"),
    tokens=_whisper,
    max_seconds=1200,
    around="{p.audio_bos_token}{audio}{p.audio_eos_token}",
)
FAMILIES["voxtral"] = Family(
    model_class="VoxtralForConditionalGeneration",
    processor=_ours("voxtral", "TextualVoxtralProcessor"),
    tokens=_voxtral,
    max_seconds=2400,  # published for understanding
    features=("input_features",),
    system=False,
)
FAMILIES["granite_speech"] = Family(
    model_class="GraniteSpeechForConditionalGeneration",
    processor=_ours("granite", "GraniteProcessor"),
    tokens=_granite,
    max_seconds=600,  # nothing cuts; a bound on memory
    inline=True,
    mixes=inf,
    adapter="",  # beside the base weights
    mend=_ours("granite", "scale_logits"),
)
FAMILIES["granite_speech_plus"] = replace(
    FAMILIES["granite_speech"], model_class="GraniteSpeechPlusForConditionalGeneration"
)
FAMILIES["phi4_multimodal"] = Family(
    model_class="Phi4MultimodalForCausalLM",
    processor=_ours("audio_only_processors", "AudioOnlyPhi4Processor"),
    tokens=_phi4,
    # beyond 4,096 positions LongRoPE turns all positions differently, those in a kept prefix too
    max_seconds=240,
    features=("audio_input_features", "audio_embed_sizes"),
    inline=True,
    mixes=inf,
    adapter="speech-lora",
)
FAMILIES["gemma3n"] = Family(
    model_class="Gemma3nForConditionalGeneration",
    processor=_ours("audio_only_processors", "AudioOnlyGemma3nProcessor"),
    tokens=_gemma3n,
    max_seconds=30,
    around="\n\n{t.boa_token}{audio}{t.eoa_token}\n\n",
    mixes=inf,
    audio_only=True,
)
FAMILIES["gemma4"] = Family(
    model_class="Gemma4ForConditionalGeneration",
    processor=_ours("audio_only_processors", "AudioOnlyGemma4Processor"),
    tokens=_gemma4,
    max_seconds=30,
    around="{t.boa_token}{audio}{t.eoa_token}",
    audio_only=True,
)
FAMILIES["gemma4_unified"] = Family(
    model_class="Gemma4UnifiedForConditionalGeneration",
    processor=_ours("audio_only_omni", "AudioOnlyGemma4UnifiedProcessor"),
    tokens=_gemma4_unified,
    max_seconds=30,  # the processor's word (750 tokens); nothing cuts
    around="{t.boa_token}{audio}{t.eoa_token}",
    audio_only=True,
)
FAMILIES["dots3_note"] = Family(
    model_class="Dots3NoteForConditionalGeneration",
    processor=_ours("audio_only_omni", "AudioOnlyDots3Processor"),
    tokens=_dots3,
    max_seconds=600,  # nothing cuts; a bound on memory
    features=("input_features", "chunk_sample_lengths"),
)
FAMILIES["inkling_mm_model"] = Family(
    model_class="InklingForConditionalGeneration",
    processor=_ours("audio_only_omni", "AudioOnlyInklingProcessor"),
    tokens=_inkling,
    max_seconds=600,  # nothing cuts; a bound on memory
    features=("audio_input_ids", "audio_input_ids_mask"),
)
FAMILIES["nemotron_h_omni"] = Family(
    model_class="NemotronH_Omni_Reasoning_V3",
    processor=_ours("audio_only_omni", "AudioOnlyNemotronProcessor"),
    tokens=_nemotron,
    max_seconds=600,  # nothing cuts; a bound on memory
    around="{p.audio_start_token}{audio}{p.audio_end_token}",
    mixes=inf,
)
