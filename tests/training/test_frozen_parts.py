"""Parts that stay, parts that are trained whole beside adapters, and what a frozen tower makes, kept on disk."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import demo_rows, sft
from safetensors import safe_open

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import TINY as TINY_MODELS
from audiocontrib.models import load_model
from audiocontrib.training import train_sft

row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
torch = lazy("torch")

TINY = str(TINY_MODELS / "tiny-qwen2-audio")
PROJECTOR = "multi_modal_projector"
BESIDE = {"tune": "lora", "freeze": ("audio_tower",), "also": (PROJECTOR,), "learning_rate": 1e-2}

pytestmark = needs("trl")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"also": (PROJECTOR,)}, "also names parts that are trained beside adapters"),
        ({"tune": "lora", "also": ("x",), "freeze": ("x",)}, "x cannot be both in also and in freeze"),
        ({"keep_features": "kept"}, r"keep_features keeps what a frozen tower makes; give freeze: \[audio_tower\]"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        sft(**settings)


@pytest.mark.parametrize("field", ["freeze", "also"])
def test_a_part_that_a_network_has_not_is_named(field: str) -> None:
    with pytest.raises(
        UsageError, match=rf"^{field}: .*has no part tower; its audio parts are audio_tower, .*projector"
    ):
        row_encoder.load_for_training(TINY, sft(tune="lora", **{field: ("tower",)}))


def test_a_tower_whose_features_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    other = str(TINY_MODELS / "tiny-qwen2.5-omni")
    with pytest.raises(UsageError, match=r"^keep_features: the output of Qwen2_5OmniAudioEncoder cannot be kept"):
        row_encoder.load_for_training(other, sft(freeze=("audio_tower",), keep_features=str(tmp_path)))


def test_a_file_is_no_folder_for_features_and_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"^keep_features: .*file is a file; name a folder$"):
        row_encoder.load_for_training(TINY, sft(freeze=("audio_tower",), keep_features=str(tmp_path / "file")))
    row_encoder.load_for_training(TINY, sft(freeze=("audio_tower",), keep_features=str(tmp_path / "later")))
    assert not (tmp_path / "later").exists()


def test_something_must_be_left_to_train() -> None:
    with pytest.raises(UsageError, match=r"^freeze: nothing of .* is left to train; leave a part out$"):
        row_encoder.load_for_training(TINY, sft(freeze=("model", "lm_head")))


def test_adapters_are_off_what_stays_and_off_nothing_that_is_called_alike() -> None:
    import re

    from audiocontrib.training.trainers.arguments import adapters

    without = adapters(sft(tune="lora", freeze=("proj", "audio_tower"))).exclude_modules
    kept = ["model.language_model.layers.0.self_attn.q_proj", "model.audio_tower_two.fc1"]
    assert not any(re.fullmatch(without, name) for name in kept)
    left = ["model.audio_tower.layers.0.fc1", "audio_tower", "model.layers.proj", "visual.blocks.0.q"]
    assert all(re.fullmatch(without, name) for name in left)
    assert adapters(sft(tune="lora")).exclude_modules == ".*visual.*"


@pytest.mark.slow
def test_what_is_frozen_stays_and_what_is_named_moves_whole(tmp_path: Path) -> None:
    made = train_sft(sft(steps=2, **BESIDE), demo_rows(8), TINY, tmp_path / "one", progress=False)
    before, after = (load_model(name, device="cpu").net.state_dict() for name in (TINY, str(made.model)))
    moved = {name for name in before if not torch.equal(before[name].float(), after[name].float())}
    assert not any("audio_tower" in name for name in moved)
    assert {name for name in before if PROJECTOR in name} <= moved
    assert any("language_model" in name for name in moved)
    with safe_open(tmp_path / "one/adapter/adapter_model.safetensors", framework="pt") as file:
        held = list(file.keys())
    assert any(name.endswith(f"{PROJECTOR}.linear.weight") for name in held)
    assert not any("audio_tower" in name for name in held)
    alone = load_model(tmp_path / "one/adapter", device="cpu").net.state_dict()
    assert all(torch.allclose(alone[name], after[name], atol=1e-5) for name in after)


@pytest.mark.slow
def test_kept_features_change_nothing_and_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, kept = demo_rows(8), tmp_path / "kept"
    plain = train_sft(sft(steps=3, **BESIDE), rows, TINY, tmp_path / "plain", progress=False)
    first = train_sft(
        sft(steps=3, keep_features=str(kept), **BESIDE), rows, TINY, tmp_path / "first", progress=False
    )  # fmt: skip
    files = sorted(kept.rglob("*.safetensors"))
    assert files
    monkeypatch.setattr(
        "transformers.models.qwen2_audio.modeling_qwen2_audio.Qwen2AudioEncoder.forward",
        lambda *_, **__: pytest.fail("the tower was asked again"),
    )
    second = train_sft(
        sft(steps=3, keep_features=str(kept), **BESIDE), rows, TINY, tmp_path / "second", progress=False
    )  # fmt: skip
    monkeypatch.undo()
    one, two, three = (load_model(str(made.model), device="cpu").net.state_dict() for made in (plain, first, second))
    assert all(torch.allclose(one[name], two[name], atol=1e-5) for name in one)
    assert all(torch.equal(two[name], three[name]) for name in two)
    assert sorted(kept.rglob("*.safetensors")) == files

    files[0].write_bytes(b"torn")
    shutil.rmtree(tmp_path / "second")
    with pytest.raises(AudiocontribError, match=r"kept features cannot be read .* delete the file"):
        train_sft(sft(steps=3, keep_features=str(kept), **BESIDE), rows, TINY, tmp_path / "second", progress=False)


@pytest.mark.slow
def test_a_training_in_bfloat16_on_a_cpu_moves_float32_weights(tmp_path: Path) -> None:
    settings = sft(steps=2, precision="bfloat16", **BESIDE)
    assert row_encoder.load_for_training(TINY, settings).net.dtype == torch.bfloat16
    made = train_sft(settings, demo_rows(8), TINY, tmp_path / "one", progress=False)
    with safe_open(tmp_path / "one/adapter/adapter_model.safetensors", framework="pt") as file:
        assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F32"}  # noqa: SIM118, it is no dictionary
    assert load_model(str(made.model), device="cpu").net is not None


@pytest.mark.slow
def test_a_stopped_training_goes_on_with_the_part_that_is_trained_whole(tmp_path: Path) -> None:
    rows, settings = demo_rows(12), sft(steps=4, save_every=1, keep=9, **BESIDE)
    straight = train_sft(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    for later in (3, 4):
        shutil.rmtree(out / f"checkpoints/checkpoint-{later}")
    again = train_sft(settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    ours, theirs = (load_model(str(made.model), device="cpu").net.state_dict() for made in (again, straight))
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-6) for name in theirs)
