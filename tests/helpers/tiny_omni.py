"""Tiny random models of the families that see, hear and read: Gemma 4 unified, dots3, Inkling, Nemotron H Omni."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audiocontrib.models.families import FAMILIES
from helpers.lazy import lazy
from helpers.tiny_parts import CHATML, GEMMA, SLIDING, gemma_tokenizer, qwen_tokenizer

hf = lazy("transformers")


def gemma4_unified() -> tuple[Any, Any]:
    named = {
        "audio_token": "<|audio|>", "boa_token": "<|audio>", "eoa_token": "<audio|>",
        "image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>",
    }  # fmt: skip
    tokenizer = gemma_tokenizer(named, ["<|turn>", "<turn|>", "<|video|>"], [])
    config = hf.Gemma4UnifiedConfig(
        text_config={name: value for name, value in SLIDING.items() if name != "hidden_size_per_layer_input"} | {
            "vocab_size": len(tokenizer), "global_head_dim": 32, "num_kv_shared_layers": 0,
        },
        audio_config={}, vision_config=None,
        audio_token_id=tokenizer.audio_token_id, image_token_id=tokenizer.image_token_id,
        boa_token_id=tokenizer.boa_token_id, eoa_token_index=tokenizer.eoa_token_id,
        video_token_id=tokenizer.convert_tokens_to_ids("<|video|>"),
    )  # fmt: skip
    template = GEMMA.replace("START", "<|turn>").replace("END", "<turn|>").replace("AUDIO", "<|audio|>")
    extractor = hf.Gemma4UnifiedAudioFeatureExtractor()
    processor = FAMILIES["gemma4_unified"].processor()(extractor, tokenizer, chat_template=template)
    return hf.Gemma4UnifiedForConditionalGeneration(config), processor


def dots3_note() -> tuple[Any, Any]:
    marks = ["<|audio_comp_start|>", "<|audio_comp_pad|>", "<|audio_comp_end|>", "<|imgpad|>", "<|video_pad|>"]
    tokenizer = qwen_tokenizer(marks, {})
    ids = tokenizer.convert_tokens_to_ids
    narrow = {"q_lora_rank": 24, "kv_lora_rank": 32, "qk_nope_head_dim": 12, "v_head_dim": 16, "head_dim": 20}
    config = hf.Dots3NoteConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3,
            "num_attention_heads": 4, "num_key_value_heads": 4, "qk_rope_head_dim": 8, **narrow,
            **{f"swa_{name}": value for name, value in narrow.items()},
            "swa_num_attention_heads": 2, "swa_num_key_value_heads": 2,
            # a window and a choice of tokens that prompts reach beyond, as those of 512 and 2,048 are published
            "sliding_window_size": 40, "index_topk": 60, "index_head_dim": 16, "index_n_heads": 8,
            "layer_types": ["full_attention", "sliding_attention", "full_attention"],
            "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
            "moe_shared_expert_intermediate_size": 32, "max_position_embeddings": 32768,
            "pad_token_id": ids("<|endoftext|>"), "bos_token_id": None, "eos_token_id": ids("<|im_end|>"),
        },
        audio_config={
            "whisper_config": {
                "d_model": 32, "encoder_attention_heads": 2, "encoder_layers": 1, "encoder_ffn_dim": 64,
                "num_mel_bins": 128, "max_source_positions": 6000,
            },
            "downsample_hidden_size": 8, "whisper_adapter_in_dim": 32, "whisper_adapter_out_dim": 64,
        },
        vision_config={
            "hidden_size": 32, "adapter_in_dim": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "moe_intermediate_size": 16, "pyramid_num_routed": [-1], "adapter_out_dim": 64,
        },
        audio_token_id=ids("<|audio_comp_pad|>"), image_token_id=ids("<|imgpad|>"), video_token_id=ids("<|video_pad|>"),
    )  # fmt: skip
    template = CHATML.replace("AUDIO", "<|audio_comp_start|><|audio_comp_pad|><|audio_comp_end|>")
    extractor = hf.Dots3NoteFeatureExtractor()
    processor = FAMILIES["dots3_note"].processor()(tokenizer, extractor, chat_template=template)
    return hf.Dots3NoteForConditionalGeneration(config), processor


def inkling() -> tuple[Any, Any]:
    marks = ["<|content_audio_input|>", "<|unused_200053|>", "<|content_image|>", "<|unused_200054|>"]
    tokenizer = qwen_tokenizer(marks, {})
    ids = tokenizer.convert_tokens_to_ids
    config = hf.InklingConfig(
        text_config={
            "vocab_size": len(tokenizer) + 10, "unpadded_vocab_size": len(tokenizer), "hidden_size": 64,
            "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
            "head_dim": 16, "swa_num_attention_heads": 4, "swa_num_key_value_heads": 2, "swa_head_dim": 16,
            "sliding_window_size": 40, "rel_extent": 64, "d_rel": 8, "log_scaling_n_floor": 50,
            "layer_types": ["hybrid_sliding", "hybrid", "hybrid"], "mlp_layer_types": ["dense", "sparse", "sparse"],
            "moe_intermediate_size": 32, "n_routed_experts": 4, "num_experts_per_tok": 2, "n_shared_experts": 1,
            "logits_mup_width_multiplier": 2.0, "max_position_embeddings": 32768,
        },
        audio_config={"mel_vocab_size": 16},
        vision_config={"patch_size": 40, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
        audio_token_id=ids("<|unused_200053|>"), image_token_id=ids("<|unused_200054|>"),
        audio_bos_token_id=ids("<|content_audio_input|>"), image_bos_token_id=ids("<|content_image|>"),
    )  # fmt: skip
    template = CHATML.replace("AUDIO", "<|content_audio_input|><|unused_200053|>")
    extractor = hf.InklingFeatureExtractor()
    processor = FAMILIES["inkling_mm_model"].processor()(extractor, tokenizer, chat_template=template)
    return hf.InklingForConditionalGeneration(config), processor


def nemotron_h_omni() -> tuple[Any, Any]:
    marks = ["<so_start>", "<so_embedding>", "<so_end>", "<image>", "<video>", "<img>", "</img>"]
    tokenizer = qwen_tokenizer(marks, {})
    ids = tokenizer.convert_tokens_to_ids
    config = hf.NemotronH_Omni_Reasoning_V3_Config(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 96, "head_dim": 16,
            "hybrid_override_pattern": "M*EM", "num_attention_heads": 4, "num_key_value_heads": 2,
            "mamba_num_heads": 8, "mamba_head_dim": 16, "n_groups": 2, "ssm_state_size": 16, "chunk_size": 32,
            "n_routed_experts": 4, "moe_intermediate_size": 32, "moe_shared_expert_intermediate_size": 32,
            "max_position_embeddings": 32768,
        },
        audio_config={
            "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
            "subsampling_conv_channels": 8, "num_mel_bins": 128, "projection_hidden_size": 32, "projection_bias": False,
        },
        vision_config={
            "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32, "max_img_size": 64,
            "video_temporal_patch_size": 2,
        },
        vision_hidden_size=32, projector_hidden_size=32,
        audio_token_id=ids("<so_embedding>"), image_token_id=ids("<image>"), video_token_id=ids("<video>"),
    )  # fmt: skip
    extractor = hf.ParakeetFeatureExtractor(feature_size=128)
    template = CHATML.replace("AUDIO", "<so_embedding>")
    processor = FAMILIES["nemotron_h_omni"].processor()(tokenizer, extractor, chat_template=template)
    return hf.NemotronH_Omni_Reasoning_V3(config), processor


OMNI: dict[str, tuple[Callable[[], tuple[Any, Any]], str]] = {
    "gemma4_unified": (gemma4_unified, "<turn|>"),
    "dots3_note": (dots3_note, "<|im_end|>"),
    "inkling_mm_model": (inkling, "<|im_end|>"),
    "nemotron_h_omni": (nemotron_h_omni, "<|im_end|>"),
}
"""Kind -> what builds it, and the token that ends a reply."""
