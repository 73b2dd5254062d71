"""Training with weights that are spread over processes (FSDP 2, gloo): the same as without, or refused in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy, needs
from helpers.spread import environment, train_spread, train_spread_and_die
from helpers.training_tools import TINY, TRAIN, demo_rows, grpo, sft, two, weights

from audiocontrib import load_model
from audiocontrib.errors import UsageError

pytestmark = needs("trl")
ZERO3 = {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"}
accelerate = lazy("accelerate.utils")
sharded = lazy("audiocontrib.training.trainers.sharded")
torch = lazy("torch")


def largest_difference(one: Path, other: Path) -> float:
    ours, theirs = weights(one / "model"), weights(other / "model")
    assert ours.keys() == theirs.keys()
    return max(float((ours[name] - theirs[name]).abs().max()) for name in theirs)


def train(stage: str, settings: object, rows: object, out: Path) -> None:
    TRAIN[stage](settings, rows, TINY, out, progress=False)


@pytest.mark.slow
def test_sft_learns_what_one_process_learns_and_goes_on_after_a_kill(tmp_path: Path) -> None:
    """TRL's head would get the gradients of one process in each shard, and the first loss would say nothing of it."""
    rows, told, settings = demo_rows(12), environment(), sft(batch=2, steps=4, learning_rate=1e-4)
    one, spread, killed = (tmp_path / name for name in ("one", "spread", "killed"))
    train("sft", replace(settings, batch=4), rows, one)
    assert two(train_spread, told, "sft", settings, rows, spread) == [0, 0]
    for name in ("loss", "grad_norm", "tokens"):
        found, wanted = (pq.read_table(at / "metrics.parquet")[name].to_pylist() for at in (spread, one))
        assert found == pytest.approx(wanted, rel=1e-3), name
    assert largest_difference(spread, one) < 1e-5
    assert load_model(str(spread / "model"), device="cpu").net is not None
    assert two(train_spread_and_die, told, "sft", settings, rows, killed, 4) == [-9, -9]
    assert two(train_spread, told, "sft", settings, rows, killed) == [0, 0]
    assert pq.read_table(killed / "metrics.parquet")["step"].to_pylist() == [1, 2, 3, 4]
    assert largest_difference(killed, spread) == 0


@pytest.mark.slow
@pytest.mark.parametrize("changes", [{}, {"iterations": 2, "save_every": 1}], ids=str)
def test_grpo_samples_and_learns_as_in_two_processes_that_hold_all_and_goes_on_after_a_kill(
    changes: dict, tmp_path: Path
) -> None:
    rows, told, settings = demo_rows(12), environment(), grpo(**{"steps": 4, "learning_rate": 1e-4} | changes)
    whole, spread, killed = (tmp_path / name for name in ("whole", "spread", "killed"))
    assert two(train, "grpo", settings, rows, whole) == [0, 0]
    assert two(train_spread, told, "grpo", settings, rows, spread) == [0, 0]
    for name in ("reward", "loss", "grad_norm", "kl"):
        found, wanted = (pq.read_table(at / "metrics.parquet")[name].drop_null().to_pylist() for at in (spread, whole))
        assert found == pytest.approx(wanted, rel=1e-3, abs=1e-6), name
    assert largest_difference(spread, whole) < 1e-5
    assert two(train_spread_and_die, told, "grpo", settings, rows, killed, 4) == [-9, -9]
    assert two(train_spread, told, "grpo", settings, rows, killed) == [0, 0]
    assert largest_difference(killed, spread) == 0


@pytest.mark.parametrize(
    ("changes", "settings", "why"),
    [
        ({"FSDP_VERSION": "1"}, {}, "first version is not supported; set fsdp_version: 2"),
        ({"FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT"}, {}, "no whole model; set fsdp_state_dict_type"),
        ({"FSDP_CPU_RAM_EFFICIENT_LOADING": "true"}, {}, "is loaded whole in every process .* set it to false"),
        ({}, {"tune": "lora"}, "tune is lora, but FSDP is for all weights"),
        (ZERO3, {"tune": "qlora"}, "tune is qlora, but ZeRO 3 is for all weights"),
        (ZERO3 | {"ACCELERATE_DEEPSPEED_ZERO3_SAVE_16BIT_MODEL": "false"}, {}, "would save no model; set zero3_save"),
        ({}, {}, "FSDP needs GPUs: accelerate spreads nothing over processors"),
    ],
)
def test_what_would_not_be_right_is_refused_before_anything_is_loaded(
    changes: dict, settings: dict, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (environment() | changes).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=why):
        TRAIN["sft"](sft(**settings), demo_rows(4), "no-such-model", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()
