"""What a training leaves is a model for every command: weights, adapters, checkpoints; none for another."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, sft

from audiocontrib import score
from audiocontrib.errors import UsageError
from audiocontrib.evaluation import compare, evaluate
from audiocontrib.models import load_model
from audiocontrib.training import train_sft

torch = lazy("torch")

pytestmark = [needs("trl"), pytest.mark.slow]


def test_adapters_and_checkpoints_are_models_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    rows = demo_rows(8)
    train_sft(sft(steps=1, warmup=0, save_every=1), rows, TINY, "first", progress=False)
    settings = sft(steps=2, save_every=1, tune="lora", learning_rate=1e-2)
    train_sft(settings, rows, "first/model", "second", progress=False)
    monkeypatch.chdir(tmp_path / "elsewhere")
    loaded = {
        name: load_model(tmp_path / "second" / name, device="cpu").net.state_dict()
        for name in ("model", "adapter", "checkpoints/checkpoint-2", "checkpoints/checkpoint-1")
    }
    merged = loaded.pop("model")
    for name, own in loaded.items():
        same = all(torch.allclose(own[key], merged[key], atol=1e-6) for key in merged)
        assert same == (name != "checkpoints/checkpoint-1"), name
    assert sorted(p.name for p in (tmp_path / "second/adapter").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors",
    ]  # fmt: skip
    assert load_model(tmp_path / "first/checkpoints/checkpoint-1", device="cpu").name == "checkpoint-1"


def test_two_trainings_of_one_name_are_never_taken_for_one(tmp_path: Path) -> None:
    rows = demo_rows(8)
    one, two = (
        train_sft(sft(steps=2, learning_rate=rate), rows, TINY, tmp_path / str(rate), progress=False).model
        for rate in (1e-3, 1e-2)
    )
    items = rows.items
    with pytest.raises(UsageError, match=r"model and .*model would both be called model: give each a name"):
        score(items, [one, two], ["text"], run=tmp_path / "both", progress=False)
    assert not (tmp_path / "both").exists()
    named = score(items, [one, two], ["text"], names=["one", "two"], run=tmp_path / "both", progress=False)
    assert set(named.responses["model"]) == {"one", "two"}
    first, second = (
        score(items, [model], ["text"], run=tmp_path / f"run{i}", progress=False) for i, model in enumerate((one, two))
    )
    assert (
        len(compare([first], [second], audio="text", without=[])) > 0
    )  # after against before: two names are not asked
    for ask in (lambda: evaluate([first, second]), lambda: compare([first, second], [named], baseline_model="one")):
        with pytest.raises(
            UsageError, match=r"model is one model in .*run0 and another in .*run1: their weights differ"
        ):
            ask()
