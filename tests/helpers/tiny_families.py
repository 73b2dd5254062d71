"""Tiny random models of the families' real classes, with tokenizers and processors built offline.

Vocabularies come from a few English sentences; special tokens and chat templates are written as in the published
checkpoints, as far as the code that reads them depends on it. Weights are spread so wide that scores differ.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from audiocontrib.models.families import FAMILIES
from helpers.lazy import lazy
from helpers.tiny_omni import OMNI
from helpers.tiny_parts import (
    CHATML,
    GEMMA,
    ROPE,
    SLIDING,
    TEXT,
    WHISPER,
    gemma_tokenizer,
    gpt_tokenizer,
    learned_bpe,
    qwen_tokenizer,
    whisper_extractor,
)

if TYPE_CHECKING:
    from audiocontrib.models.lalm import AudioLanguageModel

convert_slow_tokenizer = lazy("transformers.convert_slow_tokenizer")
hf = lazy("transformers")
hf_peft = lazy("transformers.integrations.peft")
lalm = lazy("audiocontrib.models.lalm")
tokenization_qwen2 = lazy("transformers.models.qwen2.tokenization_qwen2")
torch = lazy("torch")


def qwen3_omni() -> tuple[Any, Any]:
    named = {
        "audio_token": "<|audio_pad|>", "audio_bos_token": "<|audio_start|>", "audio_eos_token": "<|audio_end|>",
        "image_token": "<|image_pad|>", "video_token": "<|video_pad|>",
        "vision_bos_token": "<|vision_start|>", "vision_eos_token": "<|vision_end|>",
    }  # fmt: skip
    tokenizer = qwen_tokenizer(sorted(named.values()), named)
    ids = tokenizer.convert_tokens_to_ids
    config = hf.Qwen3OmniMoeThinkerConfig(
        text_config=TEXT | {
            "vocab_size": len(tokenizer),
            "rope_parameters": ROPE | {"mrope_section": [4, 2, 2], "mrope_interleaved": True},
            "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "head_dim": 16,
        },
        audio_config=WHISPER | {"output_dim": 64, "downsample_hidden_size": 16},
        vision_config={
            "depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 64,
            "deepstack_visual_indexes": [0], "num_position_embeddings": 16,
        },
        audio_token_id=ids("<|audio_pad|>"), image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        audio_start_token_id=ids("<|audio_start|>"), vision_start_token_id=ids("<|vision_start|>"),
    )  # fmt: skip
    template = CHATML.replace("AUDIO", "<|audio_start|><|audio_pad|><|audio_end|>")
    processor = FAMILIES["qwen3_omni_moe"].processor()(whisper_extractor(), tokenizer, chat_template=template)
    return hf.Qwen3OmniMoeThinkerForConditionalGeneration(config), processor


def music_flamingo() -> tuple[Any, Any]:
    tokenizer = qwen_tokenizer(["<sound>", "<|sound_bos|>", "<|sound_eos|>"], {"audio_token": "<sound>"})
    ids = tokenizer.convert_tokens_to_ids
    config = hf.MusicFlamingoConfig(
        text_config=TEXT | {"vocab_size": len(tokenizer), "rope_parameters": ROPE, "model_type": "qwen2"},
        audio_config=WHISPER | {"model_type": "audioflamingo3_encoder"},
        audio_token_id=ids("<sound>"), audio_bos_token_id=ids("<|sound_bos|>"), audio_eos_token_id=ids("<|sound_eos|>"),
        tie_word_embeddings=False,
    )  # fmt: skip
    processor = hf.MusicFlamingoProcessor(
        whisper_extractor(), tokenizer, chat_template=CHATML.replace("AUDIO", "<sound>")
    )
    return hf.MusicFlamingoForConditionalGeneration(config), processor


def granite_speech(plus: str = "") -> tuple[Any, Any]:
    from audiocontrib.models.granite import GraniteFeatures, GraniteProcessor

    template = (
        "{% for m in messages %}<|start_of_role|>{{ m['role'] }}<|end_of_role|>{{ m['content'] }}<|end_of_text|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}"
    )
    tokenizer = gpt_tokenizer("<|end_of_text|>", ["<|start_of_role|>", "<|end_of_role|>", "<|audio|>"], template, {})
    more: dict[str, Any] = {"cat_hidden_layers": [1]} if plus else {}
    config = getattr(hf, f"GraniteSpeech{plus}Config")(
        text_config=TEXT | {
            "vocab_size": len(tokenizer), "model_type": "granite", "rope_parameters": ROPE,
            "embedding_multiplier": 12.0, "residual_multiplier": 0.22, "attention_multiplier": 0.0625,
        },
        encoder_config={
            "num_layers": 2, "hidden_dim": 32, "num_heads": 2, "output_dim": 8, "feedforward_mult": 2,
            "context_size": 50, "max_pos_emb": 64, **more,
        },
        projector_config={
            "model_type": "blip_2_qformer", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 32, "encoder_hidden_size": 64 if plus else 32, "cross_attention_frequency": 1,
        },
        audio_token_index=tokenizer.convert_tokens_to_ids("<|audio|>"), has_lora_adapter=False,
        tie_word_embeddings=False,
    )  # fmt: skip
    processor = GraniteProcessor(GraniteFeatures(), tokenizer, chat_template=template)
    return getattr(hf, f"GraniteSpeech{plus}ForConditionalGeneration")(config), processor


PHI = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def phi4_multimodal() -> tuple[Any, Any]:
    marks = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|audio|>", "<|image|>"]
    tokenizer = gpt_tokenizer("<|endoftext|>", marks, PHI, {"audio_token": "<|audio|>", "image_token": "<|image|>"})
    ids = tokenizer.convert_tokens_to_ids
    config = hf.Phi4MultimodalConfig(
        **TEXT | {"max_position_embeddings": 131072}, vocab_size=len(tokenizer), bos_token_id=0, pad_token_id=0,
        eos_token_id=[0], original_max_position_embeddings=4096, sliding_window=262144,
        rope_parameters={
            "rope_type": "longrope", "rope_theta": 1e4, "partial_rotary_factor": 0.75,
            "short_factor": [1.0] * 6, "long_factor": [1.0, 1.1, 1.3, 2.0, 4.0, 8.0],
        },
        audio_config={
            "hidden_size": 32, "intermediate_size": 48, "num_blocks": 2, "num_attention_heads": 2,
            "ext_pw_out_channel": 32, "depthwise_separable_out_channel": 32, "nemo_conv_channels": 16,
            "audio_token_id": ids("<|audio|>"),
        },
        vision_config={
            "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "crop_size": 56, "image_size": 56, "image_token_id": ids("<|image|>"),
        },
    )  # fmt: skip
    extractor = hf.Phi4MultimodalFeatureExtractor()
    processor = FAMILIES["phi4_multimodal"].processor()(extractor, tokenizer, chat_template=PHI)
    return hf.Phi4MultimodalForCausalLM(config), processor


def gemma3n() -> tuple[Any, Any]:
    from audiocontrib.models.audio_only import NoTowerConfig

    named = {
        "audio_token": "<audio_soft_token>", "boa_token": "<start_of_audio>", "eoa_token": "<end_of_audio>",
        "image_token": "<image_soft_token>", "boi_token": "<start_of_image>", "eoi_token": "<end_of_image>",
    }  # fmt: skip
    seen, heard = ["<end_of_image>", "<image_soft_token>"], ["<end_of_audio>", "<audio_soft_token>"]
    tokenizer = gemma_tokenizer(named, ["<start_of_turn>", "<end_of_turn>"], [*seen, *heard])
    text, size = len(tokenizer) - 4, len(tokenizer)
    config = hf.Gemma3nConfig(
        text_config=SLIDING | {
            "vocab_size": size, "vocab_size_per_layer_input": text, "laurel_rank": 8,
            "activation_sparsity_pattern": [0.95, 0.0, 0.0, 0.0],
        },
        audio_config={
            "vocab_size": 2, "vocab_offset": text + 2, "hidden_size": 32, "conf_num_attention_heads": 2,
            "conf_num_hidden_layers": 1, "sscp_conv_channel_size": (8, 8),
        },
        vision_config=NoTowerConfig(vocab_size=2, vocab_offset=text, hidden_size=16),
        audio_token_id=tokenizer.audio_token_id, image_token_id=tokenizer.image_token_id,
        boa_token_id=tokenizer.boa_token_id, eoa_token_id=tokenizer.eoa_token_id,
    )  # fmt: skip
    template = GEMMA.replace("START", "<start_of_turn>").replace("END", "<end_of_turn>")
    extractor = hf.Gemma3nAudioFeatureExtractor()
    processor = FAMILIES["gemma3n"].processor()(
        extractor, tokenizer, chat_template=template.replace("AUDIO", "<audio_soft_token>")
    )
    return hf.Gemma3nForConditionalGeneration(config), processor


def gemma4() -> tuple[Any, Any]:
    named = {
        "audio_token": "<|audio|>", "boa_token": "<|audio>", "eoa_token": "<audio|>",
        "image_token": "<|image|>", "boi_token": "<|image>", "eoi_token": "<image|>",
    }  # fmt: skip
    tokenizer = gemma_tokenizer(named, ["<|turn>", "<turn|>", "<|video|>"], [])
    config = hf.Gemma4Config(
        text_config=SLIDING | {
            "vocab_size": len(tokenizer), "vocab_size_per_layer_input": len(tokenizer), "global_head_dim": 32,
        },
        audio_config={
            "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "subsampling_conv_channels": [128, 4],
            "output_proj_dims": 48,
        },
        vision_config=None, audio_token_id=tokenizer.audio_token_id, image_token_id=tokenizer.image_token_id,
        boa_token_id=tokenizer.boa_token_id, eoa_token_index=tokenizer.eoa_token_id,
        video_token_id=tokenizer.convert_tokens_to_ids("<|video|>"),
    )  # fmt: skip
    template = GEMMA.replace("START", "<|turn>").replace("END", "<turn|>").replace("AUDIO", "<|audio|>")
    extractor = hf.Gemma4AudioFeatureExtractor()
    processor = FAMILIES["gemma4"].processor()(extractor, tokenizer, chat_template=template)
    return hf.Gemma4ForConditionalGeneration(config), processor


def write_tekken(folder: Path) -> None:
    """A small ``tekken.json``, the only tokenizer file of a published Voxtral checkpoint."""
    vocab, _ = learned_bpe("bytes")
    as_byte = {char: byte for byte, char in convert_slow_tokenizer.bytes_to_unicode().items()}
    pieces = [bytes(as_byte[char] for char in token) for token in sorted(vocab, key=vocab.__getitem__)]
    pieces.sort(key=len)  # single bytes first, in their order, as mistral-common wants them
    pieces = [*(bytes([byte]) for byte in range(256)), *(piece for piece in pieces if len(piece) > 1)]
    marks = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]"]
    marks += ["[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]"]
    marks += ["[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]"]
    marks += [*(f"<SPECIAL_{i}>" for i in range(20, 24)), "[AUDIO]", "[BEGIN_AUDIO]", "[TRANSCRIBE]"]
    made = {
        "config": {
            "pattern": tokenization_qwen2.PRETOKENIZE_REGEX, "num_vocab_tokens": len(pieces), "version": "v7",
            "default_vocab_size": len(pieces) + 30, "default_num_special_tokens": 30,
        },
        "vocab": [{"rank": i, "token_bytes": b64encode(p).decode(), "token_str": None} for i, p in enumerate(pieces)],
        "special_tokens": [{"rank": i, "token_str": mark, "is_control": True} for i, mark in enumerate(marks)],
        "audio": {
            "sampling_rate": 16000, "frame_rate": 12.5, "chunk_length_s": 30.0,
            "audio_encoding_config": {"num_mel_bins": 128, "hop_length": 160, "window_size": 400},
        },
    }  # fmt: skip
    (folder / "tekken.json").write_text(json.dumps(made))


def voxtral() -> tuple[Any, Any]:
    with TemporaryDirectory() as folder:
        write_tekken(Path(folder))
        whisper_extractor().save_pretrained(folder)
        processor = FAMILIES["voxtral"].processor().from_pretrained(folder)
    config = hf.VoxtralConfig(
        text_config=TEXT | {
            "vocab_size": len(processor.tokenizer), "model_type": "llama", "rope_parameters": ROPE, "head_dim": 16,
        },
        audio_config={
            "hidden_size": 32, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_mel_bins": 128, "max_source_positions": 1500,
        },
        audio_token_id=24,
    )  # fmt: skip
    return hf.VoxtralForConditionalGeneration(config), processor


BUILD: dict[str, Callable[[], tuple[Any, Any]]] = {
    "qwen3_omni_moe_thinker": qwen3_omni,
    "musicflamingo": music_flamingo,
    "granite_speech": granite_speech,
    "voxtral": voxtral,
    "phi4_multimodal": phi4_multimodal,
    "gemma3n": gemma3n,
    "gemma4": gemma4,
    "granite_speech_plus": partial(granite_speech, "Plus"),
    **{kind: build for kind, (build, _) in OMNI.items()},
}
STOP = {
    "granite_speech": "<|end_of_text|>",
    "voxtral": "</s>",
    "phi4_multimodal": "<|end|>",
    "gemma3n": "<end_of_turn>",
    "gemma4": "<turn|>",
    "granite_speech_plus": "<|end_of_text|>",
    **{kind: stop for kind, (_, stop) in OMNI.items()},
}


def tiny(kind: str, seed: int = 1) -> AudioLanguageModel:
    """The family's class at the size of a test, its weights random, behind the adapter under test."""
    torch.manual_seed(seed)
    net, processor = BUILD[kind]()
    net = net.float().eval()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            # the classes' initial spread of 0.02 suits thousands of channels; sixty-four want more
            if parameter.dim() > 1 and "embed_positions" not in name:
                parameter *= 6
    stop = processor.tokenizer.convert_tokens_to_ids(STOP.get(kind, "<|im_end|>"))
    net.generation_config = hf.GenerationConfig(
        eos_token_id=[stop], pad_token_id=processor.tokenizer.pad_token_id, do_sample=False
    )
    return lalm.AudioLanguageModel(f"tiny-{kind}", net, processor, FAMILIES[kind], {})


def publish(kind: str, folder: Path) -> AudioLanguageModel:
    """The tiny model in the files of a published checkpoint, and the same model as it stands."""
    model = tiny(kind)
    if FAMILIES[kind].adapter is not None:
        peft = pytest.importorskip("peft", minversion=hf_peft.MIN_PEFT_VERSION)  # which transformers demands
        model.net.config.has_lora_adapter = True
        model.net.add_adapter(
            peft.LoraConfig(target_modules=r".*layers\.\d+\.self_attn\..*v?_proj", r=4, init_lora_weights=False)
        )
        model = lalm.AudioLanguageModel(model.name, model.net, model.processor, FAMILIES[kind], {})
    save = hf.PreTrainedModel.save_pretrained
    folder.mkdir()
    if model.adapted:
        save(model.net, folder / str(FAMILIES[kind].adapter))
        model.net._hf_peft_config_loaded = False  # the base weights are saved apart, under their own names
        bare = {name.replace(".base_layer", ""): t for name, t in model.net.state_dict().items() if "lora_" not in name}
        save(model.net, folder, state_dict=bare)
        model.net._hf_peft_config_loaded = True
    else:
        save(model.net, folder)
    model.processor._audio_processor.save_pretrained(folder)
    if kind == "voxtral":
        write_tekken(folder)
    else:
        model.tokenizer.chat_template = model.processor.chat_template
        model.tokenizer.save_pretrained(folder)
    for name, change in {"qwen3_omni_moe_thinker": _whole, "gemma3n": _with_eyes}.items():
        if kind == name:
            change(folder)
    return model


def _whole(folder: Path) -> None:
    """The thinker as a part of a whole Qwen3-Omni, speech parts left out."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    save_file({f"thinker.{n}": t for n, t in weights.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    hf.Qwen3OmniMoeConfig(thinker_config=config, enable_audio_output=False).save_pretrained(folder)


def _with_eyes(folder: Path) -> None:
    """Gemma 3n with the config of its image tower and some of the tower's weights."""
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["model.vision_tower.timm_model.conv_stem.conv.weight"] = torch.ones(2)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    tower = {"architecture": "mobilenetv5_300m_enc", "model_type": "gemma3n_vision", "label_names": ["a", "b"]}
    config["vision_config"] |= tower | {"num_classes": 2, "do_pooling": False, "model_args": None}
    (folder / "config.json").write_text(json.dumps(config))
