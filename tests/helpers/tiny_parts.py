"""What tiny models of several families are made of: tokenizers learnt from a few sentences, small configs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from audiocontrib.prompts import SYSTEM
from helpers.lazy import lazy

hf = lazy("transformers")
tokenization_qwen2 = lazy("transformers.models.qwen2.tokenization_qwen2")

CORPUS = [
    SYSTEM,
    "Please choose the answer from the following options: ['one', 'two'].",
    "Output the final answer in <answer> </answer>.",
    "Which sound is heard? How many beeps are there? In which order do the sounds come? bell, then hiss, whistle",
    "system user assistant model one two three four five a longer option that shares no word 0 1 2 3 4 5 6 7 8 9",
]
ROPE = {"rope_type": "default", "rope_theta": 1e6}
TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
}
WHISPER = {
    "num_mel_bins": 128,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "d_model": 32,
    "max_source_positions": 1500,
}


@cache
def learned_bpe(kind: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a small BPE: ``bytes`` as Qwen's (and GPT's), ``words`` as Gemma's."""
    bpe = Tokenizer(models.BPE())
    if kind == "bytes":
        bpe.normalizer = normalizers.NFC()
        split = pre_tokenizers.Split(Regex(tokenization_qwen2.PRETOKENIZE_REGEX), behavior="isolated", invert=False)
        bpe.pre_tokenizer = pre_tokenizers.Sequence(
            [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
        specials, alphabet = [], sorted(pre_tokenizers.ByteLevel.alphabet())
    else:
        bpe.normalizer = normalizers.Replace(" ", "▁")
        specials = ["<pad>", "<eos>", "<bos>", "<unk>", *(f"<0x{byte:02X}>" for byte in range(256))]
        alphabet = sorted({*"".join(CORPUS).replace(" ", "▁"), "\n"})
    trainer = trainers.BpeTrainer(
        vocab_size=480, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(CORPUS, trainer)
    learned = json.loads(bpe.to_str())["model"]
    return learned["vocab"], [tuple(pair) for pair in learned["merges"]]


def _add(tokenizer: Any, specials: Iterable[str]) -> Any:
    tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    return tokenizer


def qwen_tokenizer(specials: list[str], named: dict[str, str]) -> Any:
    vocab, merges = learned_bpe("bytes")
    tokenizer = hf.Qwen2Tokenizer(
        vocab=vocab, merges=merges, bos_token=None, unk_token=None, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        extra_special_tokens=named,
    )  # fmt: skip
    return _add(tokenizer, ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *specials])


def gpt_tokenizer(eos: str, specials: list[str], template: str, named: dict[str, str]) -> Any:
    """A byte-level BPE as Granite and Phi have it."""
    vocab, merges = learned_bpe("bytes")
    bpe = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    tokenizer = hf.PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=eos, pad_token=eos, extra_special_tokens=named
    )
    tokenizer.chat_template = template
    return _add(tokenizer, [eos, *specials])


CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.content is string %}{{ m.content }}{% else %}"
    "{% for part in m.content %}{% if part.type == 'audio' %}AUDIO{% else %}{{ part.text }}{% endif %}{% endfor %}"
    "{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def whisper_extractor() -> Any:
    return hf.WhisperFeatureExtractor(
        feature_size=128, sampling_rate=16000, hop_length=160, chunk_length=30, n_fft=400, return_attention_mask=True
    )


GEMMA = (
    "{{ bos_token }}{% for m in messages %}START{{ m.role }}\n{% if m.content is string %}{{ m.content | trim }}"
    "{% else %}{% for part in m.content %}{% if part.type == 'audio' %}AUDIO{% else %}{{ part.text | trim }}{% endif %}"
    "{% endfor %}{% endif %}END\n{% endfor %}{% if add_generation_prompt %}STARTmodel\n{% endif %}"
)


def gemma_tokenizer(named: dict[str, str], marks: list[str], last: list[str]) -> Any:
    """Gemma's, which writes a begin-of-text token by itself, as its templates do too."""
    vocab, merges = learned_bpe("words")
    tokenizer = hf.GemmaTokenizer(vocab=vocab, merges=merges, extra_special_tokens=named, add_bos_token=True)
    # Gemma 3n finds the towers' tokens by their place at the end of the vocabulary
    return _add(tokenizer, [*marks, *sorted(set(named.values()) - set(last)), *last])


# short windows, so that prompts reach beyond them; sharing of keys and values, as published
SLIDING = TEXT | {
    "num_hidden_layers": 4,
    "head_dim": 16,
    "hidden_size_per_layer_input": 8,
    "num_kv_shared_layers": 2,
    "sliding_window": 40,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "final_logit_softcapping": 30.0,
    "pad_token_id": 0,
}
