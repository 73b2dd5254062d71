"""Tokenizers, processors and randomly initialised models of the three tiny families.

The classes are the published ones; only sizes and vocabularies are small. Everything is fixed by tiny.yaml.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import torch
import transformers as hf
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX

from audiocontrib.models.audio_only_processors import AudioOnlyOmniProcessor

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}AUDIO{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QWEN = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"]
QWEN += ["<|vision_bos|>", "<|vision_eos|>", "<|vision_pad|>", "<|IMAGE|>", "<|VIDEO|>"]
NAMED = {"audio_token": "<|AUDIO|>", "audio_bos_token": "<|audio_bos|>", "audio_eos_token": "<|audio_eos|>"}
NAMED_OMNI = NAMED | {
    "image_token": "<|IMAGE|>",
    "video_token": "<|VIDEO|>",
    "vision_bos_token": "<|vision_bos|>",
    "vision_eos_token": "<|vision_eos|>",
}
# family -> (how the chat template writes the audio part, special tokens, named special tokens)
TEXTS = {
    "qwen2_5_omni": ("<|audio_bos|><|AUDIO|><|audio_eos|>", QWEN, NAMED_OMNI),
    "qwen2_audio": ("Audio 1: <|audio_bos|><|AUDIO|><|audio_eos|>\n", QWEN[:6], NAMED),
    "audioflamingo3": ("<sound>", [*QWEN[:3], "<sound>"], {"audio_token": "<sound>"}),
}


def make_tokenizer(family: str, corpus: Iterable[str], vocab_size: int) -> Any:
    """A byte-level BPE with Qwen's own pre-tokenizer, which Qwen2Tokenizer rebuilds on load."""
    bpe = Tokenizer(models.BPE(unk_token=None, byte_fallback=False))
    bpe.normalizer = normalizers.NFC()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=[], initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(corpus, trainer)
    learned = json.loads(bpe.to_str())["model"]
    _, specials, named = TEXTS[family]
    tokenizer = hf.Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],
        bos_token=None,
        unk_token=None,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=32768,
        extra_special_tokens=named,
    )
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    return tokenizer


def make_processor(family: str, tokenizer: Any) -> Any:
    """The family's processor: 128 mel bins, windows of 30 s, as published."""
    extractor = hf.WhisperFeatureExtractor(
        feature_size=128,
        sampling_rate=16000,
        hop_length=160,
        chunk_length=30,
        n_fft=400,
        return_attention_mask=True,
    )
    template = CHATML.replace("AUDIO", TEXTS[family][0])
    if family == "qwen2_5_omni":
        return AudioOnlyOmniProcessor(extractor, tokenizer, chat_template=template)
    if family == "qwen2_audio":
        return hf.Qwen2AudioProcessor(extractor, tokenizer, chat_template=template)
    return hf.AudioFlamingo3Processor(extractor, tokenizer, chat_template=template)


def make_model(family: str, tokenizer: Any, size: dict[str, Any], seed: int) -> Any:
    """The family's published class at the size of tiny.yaml, randomly initialised, fp32."""
    torch.manual_seed(seed)
    ids = tokenizer.convert_tokens_to_ids
    heads, kv = size["heads"], size["kv_heads"]
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": size["hidden"],
        "intermediate_size": size["ffn"],
        "num_hidden_layers": size["layers"],
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
        "pad_token_id": ids("<|endoftext|>"),
    }
    rope = {"rope_type": "default", "rope_theta": 1e6}
    audio = {
        "num_mel_bins": 128,
        "encoder_layers": size["audio_layers"],
        "encoder_attention_heads": 4,
        "encoder_ffn_dim": size["audio_ffn"],
        "d_model": size["audio_hidden"],
        "max_source_positions": 1500,
    }
    if family == "qwen2_5_omni":
        half = size["hidden"] // heads // 2
        sections = [half - 2 * (3 * half // 8), 3 * half // 8, 3 * half // 8]  # sum to head_dim / 2
        config: Any = hf.Qwen2_5OmniThinkerConfig(
            text_config=text | {"rope_parameters": rope | {"mrope_section": sections}},
            audio_config=audio | {"output_dim": size["hidden"], "n_window": 50},
            # the vision tower is always built; this is as small as it gets
            vision_config={
                "depth": 1,
                "hidden_size": 16,
                "intermediate_size": 16,
                "num_heads": 2,
                "out_hidden_size": size["hidden"],
                "fullatt_block_indexes": [0],
            },
            audio_token_index=ids("<|AUDIO|>"),
            image_token_index=ids("<|IMAGE|>"),
            video_token_index=ids("<|VIDEO|>"),
            audio_start_token_id=ids("<|audio_bos|>"),
            audio_end_token_id=ids("<|audio_eos|>"),
            # not a declared field, but get_rope_index reads it
            vision_start_token_id=ids("<|vision_bos|>"),
            vision_end_token_id=ids("<|vision_eos|>"),
            vision_token_id=ids("<|vision_pad|>"),
            user_token_id=ids("user"),
            tie_word_embeddings=False,
        )
        model: Any = hf.Qwen2_5OmniThinkerForConditionalGeneration(config)
    elif family == "qwen2_audio":
        config = hf.Qwen2AudioConfig(
            text_config=text | {"rope_parameters": rope, "model_type": "qwen2"},
            audio_config=audio | {"model_type": "qwen2_audio_encoder"},
            audio_token_index=ids("<|AUDIO|>"),
            tie_word_embeddings=False,
        )
        model = hf.Qwen2AudioForConditionalGeneration(config)
    else:
        config = hf.AudioFlamingo3Config(
            text_config=text | {"rope_parameters": rope, "model_type": "qwen2"},
            audio_config=audio | {"model_type": "audioflamingo3_encoder"},
            audio_token_id=ids("<sound>"),
            tie_word_embeddings=False,
        )
        model = hf.AudioFlamingo3ForConditionalGeneration(config)
    tower = model.model.audio_tower if hasattr(model.model, "audio_tower") else model.audio_tower
    if isinstance(getattr(tower, "embed_positions", None), torch.nn.Embedding):
        # a published checkpoint brings Whisper's fixed sinusoids; a fresh model has to be given them
        tower.embed_positions.weight.data = sinusoids(1500, size["audio_hidden"])
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # the classes' initial spread of 0.02 suits thousands of channels; a hundred want more
            if parameter.dim() > 1 and "embed_positions" not in name:
                parameter *= size["init_std"] / 0.02
    stop = [ids("<|im_end|>"), ids("<|endoftext|>")]
    model.generation_config = hf.GenerationConfig(eos_token_id=stop, pad_token_id=stop[1], do_sample=False)
    return model


def sinusoids(length: int, channels: int) -> torch.Tensor:
    """Whisper's position embedding, shape (length, channels)."""
    rates = torch.exp(-math.log(10_000) / (channels // 2 - 1) * torch.arange(channels // 2))
    angles = torch.arange(length)[:, None] * rates[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)
