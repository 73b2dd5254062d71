"""QLoRA: the language model in 4 bits below float32 adapters; refused in one line where nothing can quantise."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, sft, weights

from audiocontrib import load_model
from audiocontrib.errors import UsageError

adapters = lazy("audiocontrib.models.adapters")
quantised = lazy("audiocontrib.training.encoding.quantised")
row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
safetensors = lazy("safetensors.torch")
torch = lazy("torch")
bitsandbytes = needs("bitsandbytes")


def test_without_bitsandbytes_it_is_refused_before_anything_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audiocontrib.training.encoding.quantised.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="qlora needs a package; run: pip install bitsandbytes, or take tune: lora"):
        TRAIN["sft"](sft(tune="qlora"), demo_rows(4), "no-such-model", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_a_packed_weight_is_counted_as_what_it_holds() -> None:
    packed: Any = torch.nn.Parameter(torch.zeros(32, 1, dtype=torch.uint8), requires_grad=False)
    packed.quant_state = SimpleNamespace(shape=(8, 8))
    assert quantised.numbers_in(packed) == 64
    assert quantised.held_bytes(packed) == pytest.approx(64 * (4 + 8 / 64 + 32 / (64 * 256)) / 8, rel=1e-3)
    plain = torch.nn.Parameter(torch.zeros(8, 8))
    assert (quantised.numbers_in(plain), quantised.held_bytes(plain)) == (64, 128)


def test_exports_quantise_too() -> None:
    from audiocontrib.export.base import Launch
    from audiocontrib.export.formats.llamafactory import llamafactory_files
    from audiocontrib.export.formats.swift_launch import swift_files

    told = Launch("sft", "sft.jsonl", sft(tune="qlora"), "m", "")
    script = swift_files(told)["sft.sh"]
    for words in ("--tuner_type lora", "--quant_method bnb", "--quant_bits 4", "--merge_lora true"):
        assert words in script
    made = llamafactory_files(told)["train.yaml"]
    for words in ("finetuning_type: lora", "quantization_bit: 4", "quantization_method: bnb"):
        assert words in made


@bitsandbytes
@pytest.mark.parametrize("name", [TINY, "tiny-qwen2-audio", "tiny-audio-flamingo-3"])
def test_the_layers_of_the_language_model_are_in_4_bits_and_no_other_part(name: str) -> None:
    usual = load_model(name, device="cpu").net
    net = row_encoder.load_for_training(name, sft(tune="qlora")).net
    packed = {name for name, value in net.named_parameters() if getattr(value, "quant_state", None) is not None}
    assert packed
    assert all("layers." in name and name.endswith("proj.weight") for name in packed)
    assert not any(part in name for name in packed for part in ("audio", "visual", "lm_head", "embed"))
    wanted = dict(usual.named_parameters())
    for name, value in net.named_parameters():
        if name not in packed:
            assert torch.equal(value, wanted[name]), name
    assert sum(map(quantised.numbers_in, net.parameters())) == sum(value.numel() for value in usual.parameters())
    moved = {name for name in packed if not torch.equal(_unpacked(dict(net.named_parameters())[name]), wanted[name])}
    assert moved == packed  # 4 bits hold no such weight exactly


def _unpacked(value: Any) -> Any:
    import bitsandbytes as bits

    return bits.functional.dequantize_4bit(value.data, value.quant_state)


@bitsandbytes
@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_adapters_are_float32_go_on_exactly_and_are_merged_into_the_unquantised_weights(
    stage: str, tmp_path: Path
) -> None:
    make = sft if stage == "sft" else grpo
    settings, rows = make(tune="qlora", steps=4, save_every=2), demo_rows(12)
    made = TRAIN[stage](settings, rows, TINY, tmp_path / "straight", progress=False)
    held = safetensors.load_file(made.model.parent / "adapter/adapter_model.safetensors")
    assert {value.dtype for value in held.values()} == {torch.float32}
    usual = load_model(TINY, device="cpu").net
    merged = adapters.merge_adapter(usual, made.model.parent / "adapter").state_dict()
    loaded = load_model(str(made.model), device="cpu").net.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in merged.items())
    assert "trained over 4-bit weights (QLoRA), merged" in (made.model / "README.md").read_text(encoding="utf-8")
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    shutil.rmtree(out / "checkpoints/checkpoint-4")
    again = TRAIN[stage](settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    ours, theirs = weights(again.model), weights(made.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
