"""A Whisper model as CTranslate2 stores it -> the weights and settings of transformers' Whisper.

The layout of the file is that of `ctranslate2.specs.model_spec` (binary version 6); it holds plain tensors.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DTYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
NORM = {"gamma": "weight", "beta": "bias"}


def read(data: bytes) -> dict[str, Array]:
    """Name -> tensor. ValueError if the file is of another version or is cut off."""
    at = 0

    def number(kind: str) -> int:
        nonlocal at
        [value] = struct.unpack_from(f"<{kind}", data, at)
        at += struct.calcsize(kind)
        return int(value)

    def take(size: int) -> bytes:
        nonlocal at
        at += size
        if at > len(data):
            raise ValueError("the file is cut off")
        return data[at - size : at]

    def text() -> str:
        return take(number("H")).rstrip(b"\0").decode()

    version, spec, _ = number("I"), text(), number("I")
    if (version, spec) != (6, "WhisperSpec"):
        raise ValueError(f"it holds {spec} of version {version}, not WhisperSpec of version 6")
    tensors = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        dtype, size = number("B"), number("I")
        tensors[name] = np.frombuffer(take(size), DTYPES[dtype]).reshape(shape)
    return tensors


def weights(tensors: dict[str, Array]) -> dict[str, Array]:
    """The same under the names of WhisperForConditionalGeneration, fused projections taken apart."""
    return {
        f"model.{side}.{name}": np.ascontiguousarray(tensor)
        for side in ("encoder", "decoder")
        for name, tensor in _side(side, tensors)
    }


def _side(side: str, tensors: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    yield "embed_positions.weight", tensors[f"{side}/position_encodings/encodings"]
    yield from _pair("layer_norm", f"{side}/layer_norm", tensors)
    if side == "decoder":
        yield "embed_tokens.weight", tensors["decoder/embeddings/weight"]
    else:
        for conv in ("conv1", "conv2"):
            yield from _pair(conv, f"encoder/{conv}", tensors)
    for i in range(_layers(side, tensors)):
        ours, theirs = f"layers.{i}", f"{side}/layer_{i}"
        yield from _pair(f"{ours}.self_attn_layer_norm", f"{theirs}/self_attention/layer_norm", tensors)
        yield from _split(f"{ours}.self_attn", "qkv", f"{theirs}/self_attention/linear_0", tensors)
        yield from _pair(f"{ours}.self_attn.out_proj", f"{theirs}/self_attention/linear_1", tensors)
        if side == "decoder":
            yield from _pair(f"{ours}.encoder_attn_layer_norm", f"{theirs}/attention/layer_norm", tensors)
            yield from _split(f"{ours}.encoder_attn", "q", f"{theirs}/attention/linear_0", tensors)
            yield from _split(f"{ours}.encoder_attn", "kv", f"{theirs}/attention/linear_1", tensors)
            yield from _pair(f"{ours}.encoder_attn.out_proj", f"{theirs}/attention/linear_2", tensors)
        yield from _pair(f"{ours}.final_layer_norm", f"{theirs}/ffn/layer_norm", tensors)
        for n in (0, 1):
            yield from _pair(f"{ours}.fc{n + 1}", f"{theirs}/ffn/linear_{n}", tensors)


def _pair(ours: str, theirs: str, tensors: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    for name in ("weight", "bias", "gamma", "beta"):
        if f"{theirs}/{name}" in tensors:
            yield f"{ours}.{NORM.get(name, name)}", tensors[f"{theirs}/{name}"]


def _split(ours: str, parts: str, theirs: str, tensors: dict[str, Array]) -> Iterator[tuple[str, Array]]:
    """Projections that are stored as one; Whisper's keys have no bias (CTranslate2 stores zeros)."""
    for name in ("weight", "bias"):
        for part, tensor in zip(parts, np.split(tensors[f"{theirs}/{name}"], len(parts)), strict=True):
            if (part, name) != ("k", "bias"):
                yield f"{ours}.{part}_proj.{name}", tensor


def _layers(side: str, tensors: dict[str, Array]) -> int:
    return len({name.split("/")[1] for name in tensors if name.startswith(f"{side}/layer_") and name.count("/") > 2})


def config(tensors: dict[str, Array]) -> dict[str, Any]:
    """The arguments of a WhisperConfig, read off the tensors."""
    vocabulary, width = tensors["decoder/embeddings/weight"].shape
    sizes: dict[str, Any] = {
        "vocab_size": vocabulary,
        "d_model": width,
        "num_mel_bins": tensors["encoder/conv1/weight"].shape[1],
        "max_source_positions": len(tensors["encoder/position_encodings/encodings"]),
        "max_target_positions": len(tensors["decoder/position_encodings/encodings"]),
    }
    for side in ("encoder", "decoder"):
        sizes[f"{side}_layers"] = _layers(side, tensors)
        sizes[f"{side}_attention_heads"] = int(tensors[f"{side}/num_heads"])
        sizes[f"{side}_ffn_dim"] = len(tensors[f"{side}/layer_0/ffn/linear_0/weight"])
    return sizes


def generation(settings: dict[str, Any], tokenizer: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a GenerationConfig: CTranslate2's settings and the ids of the special tokens."""
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    end, first = ids["<|endoftext|>"], ids["<|startoftranscript|>"]
    languages = {name: i for name, i in ids.items() if i in set(settings["lang_ids"])}
    return {
        "alignment_heads": settings["alignment_heads"],
        "begin_suppress_tokens": settings["suppress_ids_begin"],
        "suppress_tokens": settings["suppress_ids"],
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": first,
        "is_multilingual": bool(languages),
        "lang_to_id": languages,
        "task_to_id": {task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        "no_timestamps_token_id": ids["<|notimestamps|>"],
        "prev_sot_token_id": ids["<|startofprev|>"],
        "max_initial_timestamp_index": 50,
        "max_length": 448,
        "return_timestamps": False,
    }


def special_tokens(tokenizer: dict[str, Any]) -> str:
    """JSON of a tokenizer_config.json that says which class reads ``tokenizer.json``."""
    end = "<|endoftext|>"
    extra = [token["content"] for token in tokenizer["added_tokens"] if token["content"] != end]
    named = {"bos_token": end, "eos_token": end, "unk_token": end, "pad_token": end}
    return json.dumps({"tokenizer_class": "WhisperTokenizer", **named, "additional_special_tokens": extra}, indent=1)
