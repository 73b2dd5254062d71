"""smol-audio's base: Whisper's encoder and a Llama in one Qwen2-Audio, and how the name finds base and adapter."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import ROOT
from helpers.cascade_parts import save_whisper
from helpers.lazy import lazy, needs
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from audiocontrib.errors import AudiocontribError
from audiocontrib.hashing import file_sha256
from audiocontrib.models.cascade.parts import ENV
from audiocontrib.models.smol import HELD, base_and_adapter

torch = lazy("torch")
transformers = lazy("transformers")

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<reponame>", "<filename>", "<file_sep>"]


def smol_base() -> Any:
    """The recipe's module."""
    sys.path.insert(0, str(ROOT / "recipes" / "offline_weights"))
    try:
        return importlib.import_module("smol_base")
    finally:
        sys.path.pop(0)


def save_llama(folder: Path) -> Any:
    """A random Llama with a byte tokenizer."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    tokenizer.add_special_tokens(SPECIAL)
    whole = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>"
    )
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=len(whole), hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=1, head_dim=8, tie_word_embeddings=True, max_position_embeddings=512,
    )  # fmt: skip
    net = transformers.LlamaForCausalLM(config)
    net.save_pretrained(folder)
    whole.save_pretrained(folder)
    return net


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    folder = tmp_path_factory.mktemp("parts")
    whisper, llama = save_whisper(folder / "whisper"), save_llama(folder / "llama")
    (folder / "base").mkdir()
    smol_base().join(folder / "whisper", folder / "llama", folder / "base")
    return whisper, llama, folder / "base"


def test_the_base_holds_the_weights_of_both_parts(joined: tuple[Any, Any, Path]) -> None:
    whisper, llama, folder = joined
    net = transformers.Qwen2AudioForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    for name, value in whisper.model.encoder.state_dict().items():
        torch.testing.assert_close(net.model.audio_tower.state_dict()[name], value.bfloat16().float())
    held = net.model.language_model.state_dict()
    for name, value in llama.model.state_dict().items():
        torch.testing.assert_close(held[name][: len(value)], value.bfloat16().float())
    words = held["embed_tokens.weight"]
    assert len(words) == llama.config.vocab_size + 3
    assert torch.equal(net.lm_head.weight, words)
    assert not any(value.any() for value in net.model.multi_modal_projector.parameters())


def test_the_base_is_asked_as_any_other_model(joined: tuple[Any, Any, Path]) -> None:
    from audiocontrib.audio import make_sound
    from audiocontrib.models.load import load_checkpoint
    from audiocontrib.prompts import make_prompt

    model = load_checkpoint(joined[2], check=False)
    prompt = make_prompt("Which?", ["a", "b"], has_audio=True)
    ids, _ = model.encode(prompt, make_sound([0.1] * 16_000))
    text = model.tokenizer.decode(ids)
    assert text.count("<|AUDIO|>") == 25
    assert "<|im_start|>user\n<|audio_bos|><|AUDIO|>" in text
    assert "<|AUDIO|><|audio_eos|>\nWhich?" in text


def adapter_folder(tmp_path: Path, base: bytes) -> Path:
    """What ships, and the base that it was trained on."""
    folder, parts = tmp_path / "adapter", tmp_path / "parts" / "smol-audio-base"
    for one in (folder, parts):
        one.mkdir(parents=True)
    (parts / "model.safetensors").write_bytes(b"base")
    (folder / "adapter_config.json").write_text("{}")
    (tmp_path / "meant").write_bytes(base)
    held = {
        "base": {"model.safetensors": file_sha256(tmp_path / "meant")},
        "adapter": {"adapter_config.json": file_sha256(folder / "adapter_config.json")},
    }
    (folder / HELD).write_text(json.dumps(held))
    return folder


@needs("peft")
def test_base_and_adapter_are_held_to_their_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path / "parts"))
    folder = adapter_folder(tmp_path, b"base")
    assert base_and_adapter(folder) == f"{tmp_path / 'parts' / 'smol-audio-base'}+{folder}"
    (folder / "adapter_config.json").write_text("{} ")
    with pytest.raises(AudiocontribError, match=r"adapter_config\.json: it is missing or damaged; install"):
        base_and_adapter(folder)


@needs("peft")
def test_another_base_and_none_say_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, str(tmp_path / "parts"))
    with pytest.raises(AudiocontribError, match=r"its sha256 is .* run: python recipes/offline_weights/assemble\.py"):
        base_and_adapter(adapter_folder(tmp_path, b"another"))
    monkeypatch.setenv(ENV, str(tmp_path / "elsewhere"))
    with pytest.raises(AudiocontribError, match=r"^part smol-audio-base is neither .* run: python recipes"):
        base_and_adapter(tmp_path / "adapter")


def test_peft_is_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.models.smol.find_spec", lambda _: None)
    with pytest.raises(AudiocontribError, match=r"^smol-audio: its adapter needs a package; run: pip install peft$"):
        base_and_adapter(tmp_path)


@needs("peft")
def test_the_name_loads_base_and_adapter_by_the_common_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from audiocontrib import models

    monkeypatch.setenv(ENV, str(tmp_path / "parts"))
    monkeypatch.setattr(models, "SMOL", adapter_folder(tmp_path, b"base"))
    monkeypatch.setattr("audiocontrib.models.load.load_checkpoint", lambda where, **given: (where, given))
    where, given = models._smol_audio(None, dtype="bfloat16")
    assert where == f"{tmp_path / 'parts' / 'smol-audio-base'}+{tmp_path / 'adapter'}"
    assert given == {"name": "smol-audio", "dtype": "bfloat16"}
