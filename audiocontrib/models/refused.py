"""Model types that are refused by name, before any weights are read: what hears or speaks and cannot be asked here."""

from __future__ import annotations

from typing import Any

from transformers import AutoModelForCausalLM

from audiocontrib.models.families import FAMILIES, Family

_KINDS = {
    "it writes down speech, and answers no question": """
        canary cohere_asr fun_asr_nano glmasr granite_speech5_ctc kyutai_speech_to_text lasr_ctc moonshine
        moonshine_streaming moss_transcribe_diarize nemo_speechlm nemotron3_5_asr nemotron_asr_streaming parakeet_ctc
        parakeet_rnnt parakeet_tdt qwen3_asr seamless_m4t seamless_m4t_v2 speech-encoder-decoder speech_to_text speecht5
        vibevoice_asr whisper""",
    "it writes down speech while it streams in, a token at a time, and takes no question": "voxtral_realtime",
    "it speaks or makes music, and answers no question in text": """
        bark csm dia gradium_phonon_tts musicgen musicgen_melody pocket_tts vibevoice vits""",
    "it listens and speaks at once, in a dialogue of sounds": "moshi",
    "it hears at 24 kHz, and its class in transformers does not say that it hears; no family here": "muse_spark",
    "it sees and reads, and hears nothing": "inkling2",
}
REFUSED = {kind: why for why, kinds in _KINDS.items() for kind in kinds.split()}
"""transformers' ``model_type`` -> why."""


def family_of(config: Any) -> Family | None:
    """The family of a config; None for a text model, as which one counts whose audio part was left out."""
    return None if getattr(config, "audio_config", config) is None else FAMILIES.get(config.model_type)


def why_refused(config: Any, *, own_code: bool) -> str:
    """Why models of such a config are not asked; empty if they may be.

    Args:
        own_code: whether the checkpoint brings its class, and it may be run.
    """
    kind = config.model_type
    if family_of(config) or (own_code and getattr(config, "auto_map", None)):
        return ""
    if kind in REFUSED:
        return f"a model of type {kind} cannot be asked: {REFUSED[kind]}"
    if type(config) in AutoModelForCausalLM._model_mapping:
        return ""
    if kind in FAMILIES:
        return f"its config has no audio part, and transformers has no text model of type {kind}"
    return f"type {kind} is neither a causal language model nor one of the audio-language models that are known here"
