"""Seconds, tokens, clips and memory of each step; schedules that teach nothing; what a dry run looks for."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.lazy import lazy
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, killed, sft, weights

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Items
from audiocontrib.training import TrainingRows, train_sft
from audiocontrib.training.output.metrics import metrics_table
from audiocontrib.training.output.rates import training_rates

pq = lazy("pyarrow.parquet")
torch = lazy("torch")
estimate = lazy("audiocontrib.training.estimate")
trainer_module = lazy("audiocontrib.training.trainers.trainer")

LOG = [
    {"step": 1, "loss": 1.0, "seconds": 2.0, "num_tokens": 100, "clips": 8.0, "memory_gb": 1.5},
    {"step": 1, "watched": 1.0},  # of somebody else
    {
        "step": 2,
        "loss": 1.0,
        "seconds": 4.0,
        "num_tokens": 300,
        "clips": 8.0,
        "memory_gb": 2.0,
        "sampling_seconds": 3.0,
    },
    {"step": 3, "loss": 1.0, "num_tokens": 400},  # of an older program
]


def test_rates_are_made_of_the_log() -> None:
    table = metrics_table(LOG)
    assert table["tokens_per_second"].to_pylist() == [50.0, 50.0, None]
    assert table["clips_per_second"].to_pylist() == [4.0, 2.0, None]
    assert table["sampling_seconds"].to_pylist() == [None, 3.0, None]
    cut = metrics_table(LOG[2:])
    assert cut["tokens_per_second"].to_pylist() == [None, None]  # nothing is known of what was before


def test_the_end_in_figures() -> None:
    assert training_rates(LOG[:3]) == {
        "seconds": 6.0, "timed_steps": 2.0, "sampling_seconds": 3.0, "tokens": 300, "tokens_per_second": 50.0,
        "clips_per_second": 16 / 6, "memory_gb": 2.0,
    }  # fmt: skip
    assert "tokens_per_second" not in training_rates(LOG)  # of one step the seconds are not known
    assert training_rates([]) == training_rates([{"step": 1, "loss": 1.0}]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_every_step_is_measured_and_a_resume_changes_no_count(stage: str, tmp_path: Path) -> None:
    settings = sft(workers=0) if stage == "sft" else grpo(steps=6, iterations=2, batch=8)
    rows, out = demo_rows(12), tmp_path / "killed"
    straight = TRAIN[stage](settings, rows, TINY, tmp_path / "straight", progress=False)
    assert killed(stage, settings, rows, out, 4, False) == -9
    again = TRAIN[stage](settings, rows, TINY, out, progress=False)
    assert again.resumed == 2
    first, second = (pq.read_table(one.metrics).to_pylist() for one in (straight, again))
    assert [one["tokens"] for one in first] == [one["tokens"] for one in second]
    assert len({one["tokens"] for one in first} - {None}) == (6 if stage == "sft" else 3)
    for step in (*first, *second):
        assert step["seconds"] > 0
        assert step["clips_per_second"] == pytest.approx((4 if stage == "sft" else 8) / step["seconds"])
        assert 0.1 < step["memory_gb"] < 100
        assert step["gpu_memory_gb"] is None or torch.cuda.is_available()
        if stage == "grpo":  # replies are sampled for two steps
            assert (step["sampling_seconds"] is not None) == (step["step"] % 2 == 1)
            assert (step["sampling_seconds"] or 0) < step["seconds"]
    record = json.loads((tmp_path / "killed" / "training.json").read_text())
    assert record["measured"]["tokens"] == max(one["tokens"] or 0 for one in second)
    assert record["measured"]["seconds"] == pytest.approx(sum(one["seconds"] for one in second))
    assert "measured" not in record["identity"]


@pytest.mark.slow
def test_what_is_done_between_steps_is_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = trainer_module.ResumableTrainer._save_checkpoint

    def slow(self: Any, *args: Any) -> None:
        time.sleep(1.5)
        usual(self, *args)

    monkeypatch.setattr(trainer_module.ResumableTrainer, "_save_checkpoint", slow)
    out = train_sft(sft(steps=3, save_every=1, batch=2), demo_rows(6), TINY, tmp_path / "out", progress=False)
    assert max(pq.read_table(out.metrics)["seconds"].to_pylist()[1:]) < 1.5


@pytest.mark.parametrize(
    ("changes", "taught"),
    [
        ({"steps": 1, "warmup": 0.05}, False),
        ({"steps": 1, "warmup": 0.0}, True),
        ({"steps": 1, "warmup": 0.05, "schedule_steps": 1000}, False),
        ({"steps": 1, "warmup": 0.0, "schedule": "linear"}, True),
        ({"steps": 1, "warmup": 0.9, "schedule": "constant"}, False),
        ({"steps": 2, "warmup": 0.99}, True),
        ({"steps": None, "epochs": 1.0, "batch": 4}, False),  # all rows are one step
        ({"steps": None, "epochs": 2.0, "batch": 4}, True),
    ],
)
@pytest.mark.slow
def test_a_schedule_that_is_0_in_every_step_is_refused(changes: Any, taught: bool, tmp_path: Path) -> None:
    settings, rows = sft(**changes), demo_rows(4)
    if not taught:
        for do in (lambda: train_sft(settings, rows, TINY, tmp_path / "out", progress=False),
                   lambda: estimate.estimate_training(settings, rows, TINY)):  # fmt: skip
            with pytest.raises(UsageError, match="the learning rate is 0 in every step"):
                do()
        return
    out = train_sft(settings, rows, TINY, tmp_path / "out", progress=False)
    assert max(pq.read_table(out.metrics)["learning_rate"].to_pylist()) > 0
    from audiocontrib.models import TINY as FOLDER

    before, after = weights(FOLDER / TINY), weights(out.model)
    assert any(not torch.equal(before[name].float(), after[name]) for name in after)


def test_a_dry_run_looks_for_bad_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = demo_rows(6)
    items = list(rows.items)
    items[1] = replace(items[1], question="Is it <|AUDIO|>?")
    items[4] = replace(items[4], audio=Clip("/none.wav"))
    bad = TrainingRows(Items(items))

    def told(settings: Any, rows: TrainingRows) -> dict[str, tuple[float, str]]:
        return {row["what"]: (row["value"], row["unit"]) for row in
                estimate.estimate_training(settings, rows, TINY).to_pylist()}  # fmt: skip

    table = told(sft(epochs=1.0, steps=None, batch=2), bad)
    value, unit = table["items that cannot be trained on"]
    assert value == 2
    assert f"of 6 that were looked at, e.g. {items[1].id}: its text holds" in unit
    assert table["rows"][0] == 4
    assert table["steps"][0] == 2
    assert told(sft(), rows)["items that cannot be trained on"] == (0.0, "of 6 that were looked at")
    with pytest.raises(AudiocontribError, match="2 of 6 items cannot be trained on"):
        told(sft(bad_rows="stop"), bad)
    monkeypatch.setattr(estimate, "LOOKED", 3)
    assert "of 3 that were looked at" in told(sft(), rows)["items that cannot be trained on"][1]
    assert told(sft(), rows)["rows"][0] == 6
