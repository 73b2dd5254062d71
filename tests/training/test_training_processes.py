"""Training in two processes that share the steps, as on several GPUs; here without one (gloo)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers import ROOT
from helpers.lazy import lazy
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, sft, train_and_die, two, weights
from test_training import save_split

from audiocontrib import load_items, score, training
from audiocontrib.cli import main
from audiocontrib.training.output.folder import TrainingOutput

torch = lazy("torch")


def train(stage: str, *args: Any) -> None:
    TRAIN[stage](*args, progress=False)


def alike(one: Path, other: Path) -> bool:
    ours, theirs = weights(one / "model"), weights(other / "model")
    return all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in theirs)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_two_processes_killed_and_started_again(stage: str, tmp_path: Path) -> None:
    rows = demo_rows(12)
    settings = sft(batch=2, steps=4) if stage == "sft" else grpo(batch=8, temperature=1.5)
    straight, out = tmp_path / "straight", tmp_path / "killed"
    assert two(train, stage, settings, rows, TINY, straight) == [0, 0]
    assert two(train_and_die, stage, settings, rows, out, 4, False) == [-9, -9]
    assert not (out / "model").exists()
    assert two(train, stage, settings, rows, TINY, out) == [0, 0]
    metrics, theirs = pq.read_table(out / "metrics.parquet"), pq.read_table(straight / "metrics.parquet")
    assert metrics["step"].to_pylist() == [1, 2, 3, 4]
    name = "loss" if stage == "sft" else "reward"
    assert metrics[name].to_pylist() == pytest.approx(theirs[name].to_pylist(), abs=1e-5)
    assert alike(out, straight)
    assert json.loads((out / "training.json").read_text())["stages"][-1]["devices"] == 2


@pytest.mark.slow
def test_two_processes_go_on_within_the_replies_of_one_generation(tmp_path: Path) -> None:
    """Steps 3 and 4 learn from the same replies, and the kill comes between them: the same weights, bit for bit."""
    rows, settings = demo_rows(12), grpo(iterations=2, save_every=1, keep=9)
    straight, out = tmp_path / "straight", tmp_path / "killed"
    assert two(train, "grpo", settings, rows, TINY, straight) == [0, 0]
    assert two(train_and_die, "grpo", settings, rows, out, 4, False) == [-9, -9]
    kept = sorted(path.name for path in (out / "checkpoints/checkpoint-3/generation").glob("*.safetensors"))
    assert kept == ["process-0.safetensors", "process-1.safetensors"]
    assert two(train, "grpo", settings, rows, TINY, out) == [0, 0]
    ours, theirs = weights(out / "model"), weights(straight / "model")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"distil": 0.5, "distil_on": "gold", "distil_gate": "all"}], ids=str)
def test_two_processes_learn_what_one_learns_from_the_same_rows(changes: dict[str, Any], tmp_path: Path) -> None:
    rows, given = demo_rows(12), {"steps": 3, "learning_rate": 1e-4} | changes
    train("sft", sft(batch=4, **given), rows, TINY, tmp_path / "one")
    assert two(train, "sft", sft(batch=2, **given), rows, TINY, tmp_path / "two") == [0, 0]
    one, other = (pq.read_table(tmp_path / n / "metrics.parquet") for n in ("one", "two"))
    for name in ("loss", "grad_norm", "tokens"):
        assert one[name].to_pylist() == pytest.approx(other[name].to_pylist(), rel=1e-4)
    assert alike(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "settings"),
    [
        ("sft", sft(batch=2, steps=2, distil=0.25, distil_tokens=5)),
        ("grpo", grpo(batch=4, steps=2, masked_kl=0.5, masked_gradient=True, masked_entropy=0.1)),
    ],
    ids=["a teacher", "masked audio"],
)
def test_listening_objectives_in_two_processes_end_with_one_model(stage: str, settings: Any, tmp_path: Path) -> None:
    """Each samples its own replies, and both have the same weights after a step: the metrics are those of both."""
    assert two(train, stage, settings, demo_rows(12), TINY, tmp_path / "two") == [0, 0]
    told = pq.read_table(tmp_path / "two" / "metrics.parquet")
    assert told["step"].to_pylist() == [1, 2]
    assert all(value > 0 for value in told["distil_kl" if stage == "sft" else "masked_kl"].to_pylist()[1:])


@pytest.mark.parametrize(("rank", "speaks"), [("0", True), ("1", False)])
def test_one_process_speaks(rank: str, speaks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = load_items("demo", seed=5, limit=8)
    run = score(items, ["mock:skill=1,leak=0"], ["audio"], run=tmp_path / "run", progress=False)
    save_split(run, {item.id: "weak" for item in items})
    pq.write_table(pa.table({"step": [1], "loss": [0.5]}), tmp_path / "metrics.parquet")
    done = TrainingOutput(tmp_path / "model", tmp_path / "metrics.parquet", 1, 1)
    monkeypatch.setattr(training, "train_sft", lambda *_, **__: done)
    monkeypatch.setenv("RANK", rank)
    recipe = ROOT / "recipes" / "training" / "tiny" / "weak_to_strong.yaml"
    told = CliRunner().invoke(main, ["train", "sft", "--training-recipe", str(recipe), "--run", str(run.path)])
    assert told.exit_code == 0, told.output
    assert ("went on from step 1" in told.stderr) is speaks
    assert bool(told.output) is speaks
