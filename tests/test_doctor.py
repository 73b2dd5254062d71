"""`doctor` shows what a model is, and ends with exit code 1 if something is wrong with it."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.models import TINY, Generated, Model

load = lazy("audiocontrib.models.load")
torch = lazy("torch")
PARTS = ["loads", "prompt", "hears", "paths", "speed", "memory"]


def rows(found: Any) -> dict[tuple[str, str], str]:
    return {(row["part"], row["what"]): row["value"] for row in found.table.to_pylist()}


@pytest.mark.slow
def test_a_sound_model_from_the_command_line() -> None:
    done = CliRunner().invoke(
        main, ["doctor", "--model", "tiny-qwen2.5-omni", "--dataset", "demo", "--limit", "4", "--format", "json"]
    )
    assert done.exit_code == 0, done.output
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(dict.fromkeys(row["part"] for row in found)) == [*PARTS, "data"]
    assert not any(row["fault"] for row in found)
    told = {(row["part"], row["what"]): row["value"] for row in found}
    assert told["paths", "taken"] == "clips"
    assert "model.safetensors" not in told["loads", "files"]
    assert "config.json" in told["loads", "files"]
    (seen,) = [
        value
        for (part, what), value in told.items()
        if part == "prompt" and what.startswith("audio, ") and "tokens" in what
    ]
    assert "<|im_start|>|user|\\n" in seen
    assert "×25|" in seen  # a second of sound
    assert told["data", "items"] == "4"
    assert told["data", "all of it"].startswith("about ")


@pytest.mark.slow
def test_a_model_that_hears_nothing_of_its_clip_is_a_fault() -> None:
    model = load.load_checkpoint(TINY / "tiny-qwen2-audio", device="cpu", dtype="float32", check=False)
    features = model.encoder.features

    def deaf(prompt: Any, sound: Any) -> Any:
        return {name: torch.zeros_like(value) if value.is_floating_point() else value
                for name, value in features(prompt, sound).items()}  # fmt: skip

    model.features = deaf
    found = ac.doctor(model)
    assert found.faults == ["hears, noise against silence, 1 s: the clip changes no score: it does not hear"]


@pytest.mark.slow
def test_a_wrong_path_is_shown_and_not_taken() -> None:
    model = load.load_checkpoint(TINY / "tiny-qwen2-audio", device="cpu", dtype="float32", check=False)
    usual = model.decoder.option_logprobs
    model.decoder.option_logprobs = lambda trees: 1 / 0 if model.decoder.trees else usual(trees)
    told = rows(ac.doctor(model))
    assert told["paths", "taken"] == "batch"
    assert "ZeroDivisionError" in told["paths", "clips"]
    assert "ZeroDivisionError" in told["paths", "tree"]


@pytest.mark.slow
def test_a_model_that_is_asked_by_the_plain_path_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REPLIES", "REPLY_TOKENS"):  # each token is a forward of all that stands before it
        monkeypatch.setattr(import_module("audiocontrib.doctor.local"), name, 2)
    model = load.load_checkpoint(TINY / "tiny-qwen2-audio", device="cpu", dtype="float32", check=False)
    head = model.decoder.head
    model.decoder.head = lambda hidden: head(hidden) * 0.5
    for _ in range(2):  # the second time it stands on the plain path already
        found = ac.doctor(model)
        told = rows(found)
        assert not found.faults
        assert told["paths", "taken"] == model.decoder.path == "plain"
        assert "not taken: its scores differ" in told["paths", "tree"]


def test_a_broken_checkpoint_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    done = CliRunner().invoke(main, ["doctor", "--model", str(tmp_path / "m")])
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "holds no weights" in done.stderr


class Fickle(Model):
    """Says something else each time."""

    def __init__(self) -> None:
        self.count = 0

    def generate(self, requests: Any, max_new_tokens: int = 128) -> list[Generated]:
        self.count += 1
        return [Generated(f"{self.count}") for _ in requests]


def test_models_of_other_kinds_are_asked_twice() -> None:
    assert not ac.doctor("mock").faults
    assert ac.doctor(Fickle()).faults == ["asked, generate: asked again, it answers otherwise"]


def test_what_cannot_be_looked_at_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    model: Any = ac.load_model("tiny-qwen2.5-omni", device="cpu")
    monkeypatch.setattr(model, "encode", lambda *given: 1 / 0)
    assert any("ZeroDivisionError" in fault for fault in ac.doctor(model).faults)
