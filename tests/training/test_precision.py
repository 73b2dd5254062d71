"""Weights move: what is trained is kept in float32, whatever the arithmetic is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy
from helpers.precision import share_moved
from helpers.training_tools import TINY, demo_rows, sft

from audiocontrib.errors import AudiocontribError

row_encoder = lazy("audiocontrib.training.encoding.row_encoder")
session = lazy("audiocontrib.training.trainers.session")
torch = lazy("torch")
training_sft = lazy("audiocontrib.training.trainers.sft")


@pytest.mark.parametrize(
    ("gpu", "deepspeed", "tune", "dtype"),
    [
        (True, False, "full", "float32"),
        (True, True, "full", "bfloat16"),  # DeepSpeed keeps float32 copies
        (True, False, "lora", "bfloat16"),  # adapters are float32 over it
        (False, False, "full", "float32"),
    ],
)
def test_in_which_type_a_model_is_loaded_for_training(
    gpu: bool, deepspeed: bool, tune: Any, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, str] = {}
    model = row_encoder.load_for_training(TINY, sft())
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", str(deepspeed).lower())
    monkeypatch.setattr(
        "audiocontrib.training.encoding.row_encoder.load_model", lambda name, **given: asked.update(given) or model
    )
    row_encoder.load_for_training(TINY, sft(tune=tune))
    assert asked["dtype"] == dtype


def trainer(tmp_path: Path, **changes: Any) -> Any:
    """A trainer of a network in bfloat16, and nothing moved yet."""
    settings = sft(learning_rate=1e-6, save_every=100, **changes)
    model = row_encoder.load_for_training(TINY, settings)
    encoder = row_encoder.RowEncoder(model, 30)
    net = model.net.bfloat16()
    with session.calm():
        return training_sft.make_trainer(settings, demo_rows(8), encoder, net, tmp_path)


def test_a_network_in_bfloat16_is_trained_in_float32_and_moves(tmp_path: Path) -> None:
    made = trainer(tmp_path, steps=2, warmup=0.0, batch=2)
    before = {name: value.detach().clone() for name, value in made.model.named_parameters()}
    with session.calm():
        made.train()
    after = dict(made.model.named_parameters())
    learned = [name for name, value in after.items() if value.requires_grad]
    assert {after[name].dtype for name in learned} == {torch.float32}
    moved = sum(int((after[name] != before[name]).sum()) for name in learned)
    whole = sum(after[name].numel() for name in learned)
    assert moved / whole > 0.8  # but for words that do not occur
    assert share_moved("bfloat16", 1e-6, (0.9, 0.999), steps=2) < 0.05  # what would have been


def test_adapters_that_trl_makes_bfloat16_are_made_float32(tmp_path: Path) -> None:
    made = trainer(tmp_path, tune="lora")
    for value in made.model.parameters():
        if value.requires_grad:
            value.data = value.data.bfloat16()  # as TRL does above quantised weights
    made.create_optimizer()
    held = {value.dtype for group in made.optimizer.param_groups for value in group["params"]}
    assert held == {torch.float32}


def test_a_share_of_a_weight_that_is_not_finite_is_found_under_zero_3(tmp_path: Path) -> None:
    """DeepSpeed leaves an empty weight in its place, which is finite whatever it holds."""
    made = trainer(tmp_path)
    name, value = next((name, value) for name, value in made.model.named_parameters() if value.requires_grad)
    value.ds_tensor, value.data = torch.ones(4), torch.empty(0)
    made.check_weights()
    value.ds_tensor[2] = float("inf")
    with pytest.raises(AudiocontribError, match=rf"the weight {name} is inf after step 0, and is not saved"):
        made.check_weights()


def test_weights_that_are_sharded_in_bfloat16_are_refused(tmp_path: Path) -> None:
    made = trainer(tmp_path)
    made.is_fsdp_enabled = True
    with pytest.raises(AudiocontribError, match=r"is torch\.bfloat16, in which small steps are lost; train in"):
        made.create_optimizer()
