"""GRPO goes on within the replies of one generation as if nothing had happened: the same weights, bit for bit."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from helpers.lazy import lazy, needs
from helpers.training_tools import TINY, demo_rows, grpo, weights

from audiocontrib.training import train_grpo

torch = lazy("torch")
trainer = lazy("audiocontrib.training.trainers.grpo")
replies = lazy("audiocontrib.training.trainers.replies")

pytestmark = needs("trl")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "several", "step"),
    [
        ({"iterations": 2, "silent_replies": 2}, 1, 1),
        ({"iterations": 3, "accumulate": 2, "batch": 4}, 2, 2),
        ({"iterations": 2, "tune": "lora"}, 1, 3),
        ({}, 2, 1),  # a generation that serves two steps
        ({"iterations": 2}, 2, 3),
    ],
)
def test_the_weights_are_those_of_a_training_that_was_not_stopped(
    changes: dict, several: int, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, settings = demo_rows(12), grpo(**{"steps": 4, "save_every": 1, "keep": 9, "new_tokens": 6} | changes)
    if several > 1:
        wide = partial(_wide, trainer.GRPOConfig, several)
        monkeypatch.setattr(trainer, "GRPOConfig", wide)
    straight = train_grpo(settings, rows, TINY, tmp_path / "straight", progress=False)
    out = tmp_path / "stopped"
    shutil.copytree(tmp_path / "straight", out)
    shutil.rmtree(out / "model")
    for later in range(step + 1, settings.steps + 1):
        shutil.rmtree(out / f"checkpoints/checkpoint-{later}")
    assert (out / f"checkpoints/checkpoint-{step}/generation/process-0.safetensors").exists()
    again = train_grpo(settings, rows, TINY, out, progress=False)
    assert again.resumed == step
    ours, theirs = weights(again.model), weights(straight.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def _wide(kind: type, several: int, **given: object) -> object:
    return kind(**given | {"steps_per_generation": several})


def test_nothing_is_kept_where_all_was_learned_from(tmp_path: Path) -> None:
    assert replies.load_replies(tmp_path, 0, torch.device("cpu")) is None
    whole = torch.arange(6.0)
    batches = [{"a b": whole[:3], "none": None, "n": torch.tensor(2)}, {"a b": whole[3:], "none": None, "n": None}]
    replies.save_replies(tmp_path, 1, batches, 7)
    found, step = replies.load_replies(tmp_path, 1, torch.device("cpu"))
    assert step == 7
    assert [set(one) for one in found] == [{"a b", "n", "none"}] * 2
    assert torch.equal(found[1]["a b"], whole[3:])
    assert (found[0]["none"], found[1]["n"]) == (None, None)
