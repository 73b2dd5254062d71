"""The recipe of the tiny models: its packed loss is the plain one, and what it saves loads and answers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from helpers import ROOT
from helpers.lazy import lazy
from helpers.unchecked import unchecked  # noqa: F401

import audiocontrib as ac

load = lazy("audiocontrib.models.load")
torch = lazy("torch")

RECIPE = ROOT / "recipes" / "tiny"
SMALL = {"clips": 40, "steps": 2, "clips_at_once": 3, "text_rows": 2, "silence_rows": 2, "silence_every": 2}


@pytest.fixture(params=["qwen2_5_omni", "qwen2_audio", "audioflamingo3"])
def trainer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(RECIPE))
    from train import Trainer

    config = yaml.safe_load((RECIPE / "tiny.yaml").read_text()) | SMALL
    yield Trainer(request.param, config)
    for name in ("train", "build"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_questions_that_share_a_sequence_do_not_see_each_other(trainer) -> None:
    for step in (0, 1):  # clips and text; silence
        groups, silence = trainer.batch(step)
        rows = [row for group in groups for row in group]
        with torch.inference_mode():
            together, _ = trainer.loss(groups, silence)
            alone = [(trainer.loss([[row]], silence)[0].item(), len(row.target)) for row in rows]
        expected = sum(loss * n for loss, n in alone) / sum(n for _, n in alone)
        assert together.item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_what_is_saved_loads_and_answers(trainer, tmp_path: Path) -> None:
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    trainer.train(tmp_path / "model")
    trainer.save(tmp_path / "model")
    moved = {name for name, tensor in trainer.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert any("audio_tower" in name for name in moved)
    assert any("language_model" in name for name in moved)
    model = load.load_checkpoint(tmp_path / "model", device="cpu")
    items = ac.load_items("demo", seed=1, limit=3)
    run = ac.score(items, [model], ["audio", "silence"], orders="given", run=tmp_path / "run", progress=False)
    assert set(run.responses["outcome"]) == {"answered"}


def test_the_shipped_models_are_small_and_safe() -> None:
    from audiocontrib.models import TINY

    for folder in sorted(TINY.iterdir()):
        weights = list(folder.glob("*.safetensors"))
        assert len(weights) == 1
        assert weights[0].stat().st_size <= 3_000_000
        assert not [p for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pkl", ".pth")]
