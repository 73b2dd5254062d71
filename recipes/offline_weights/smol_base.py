"""The base of `smol-audio`: Whisper-base's encoder and SmolLM2-135M in one Qwen2AudioForConditionalGeneration.

Between them is a projector of zeros, which the adapter of `smol-audio` brings along: the base alone hears nothing. All
weights are rounded to bfloat16, as they are while projector and adapter are trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import AddedToken

from audiocontrib.errors import AudiocontribError

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' %}<|audio_bos|><|AUDIO|><|audio_eos|>\n"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LIKE = {"<|AUDIO|>": "<reponame>", "<|audio_bos|>": "<filename>", "<|audio_eos|>": "<file_sep>"}
"""New token -> the one whose embedding it starts with. That of <|AUDIO|> is never read: sound stands in its place."""


def join(whisper: Path, smollm: Path, out: Path) -> None:
    """Write the base into ``out``. AudiocontribError if a part lacks a weight or has one too many."""
    tokenizer = hf.AutoTokenizer.from_pretrained(smollm, local_files_only=True)
    tokenizer.add_special_tokens(
        {"extra_special_tokens": [AddedToken(t, special=True, normalized=False) for t in LIKE]}
    )
    text = hf.LlamaForCausalLM.from_pretrained(smollm, dtype=torch.float32, local_files_only=True)
    tower = hf.WhisperForConditionalGeneration.from_pretrained(whisper, dtype=torch.float32, local_files_only=True)
    net = _network(tokenizer, text, tower)
    _fill(net.model.audio_tower, tower.model.encoder.state_dict())
    table = text.model.embed_tokens.weight.detach()
    rows = torch.stack([table[tokenizer.convert_tokens_to_ids(name)] for name in LIKE.values()])
    words = torch.cat([table, rows])
    _fill(net.model.language_model, text.model.state_dict() | {"embed_tokens.weight": words})
    _fill(net.lm_head, {"weight": words})
    with torch.no_grad():
        for parameter in net.model.multi_modal_projector.parameters():
            parameter.zero_()
    stop = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    net.generation_config = hf.GenerationConfig(eos_token_id=stop, pad_token_id=stop[0], do_sample=False)
    net.to(torch.bfloat16).save_pretrained(out)
    extractor = hf.WhisperFeatureExtractor(feature_size=80, return_attention_mask=True)
    hf.Qwen2AudioProcessor(extractor, tokenizer, chat_template=CHATML).save_pretrained(out)


def _network(tokenizer: Any, text: Any, tower: Any) -> Any:
    told = tower.config
    audio = {
        "model_type": "qwen2_audio_encoder",
        "num_mel_bins": told.num_mel_bins,
        "encoder_layers": told.encoder_layers,
        "encoder_attention_heads": told.encoder_attention_heads,
        "encoder_ffn_dim": told.encoder_ffn_dim,
        "d_model": told.d_model,
        "max_source_positions": told.max_source_positions,
    }
    config = hf.Qwen2AudioConfig(
        audio_config=audio,
        text_config=text.config.to_dict() | {"vocab_size": len(tokenizer), "tie_word_embeddings": False},
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
        tie_word_embeddings=False,
    )
    return hf.Qwen2AudioForConditionalGeneration(config)


def _fill(module: Any, weights: dict[str, torch.Tensor]) -> None:
    lacking, over = module.load_state_dict(weights, strict=False)
    if lacking or over:
        raise AudiocontribError(
            f"{type(module).__name__}: the part lacks {list(lacking)}, and has {list(over)} besides"
        )
