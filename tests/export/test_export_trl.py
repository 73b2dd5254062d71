"""The script for TRL, with TRL itself: its batches are those of training here, and the audio tower learns."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.exporting import SPLIT, lines, make_run
from helpers.lazy import lazy

import audiocontrib
from audiocontrib.export import export
from audiocontrib.export.launch import PUBLISHED
from audiocontrib.store import Run
from audiocontrib.training import training_rows

torch = lazy("torch")
TINY = Path(audiocontrib.__file__).parent / "models/tiny/tiny-qwen2-audio"
AGAIN = ("--max_steps", "2", "--per_device_train_batch_size", "2", "--use_cpu", "true", "--bf16", "false")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("made"))


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("exported_audio", None)


def made(run: Run, out: Path, **given: Any) -> Path:
    return export(run, split=SPLIT, stage="sft", out=out / "out", format="trl", progress=False, **given).folder


def recipe(folder: Path, **changes: Any) -> Path:
    given = {"part": "weak", "learning_rate": 1e-3, "batch": 4, "steps": 7, "warmup": 0.0} | changes
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"about": "a", "model": str(TINY), "sft": given}))
    return path


def test_its_settings_are_those_of_the_recipe(run: Run, tmp_path: Path) -> None:
    told = yaml.safe_load((made(run, tmp_path, recipe=recipe(tmp_path)) / "sft.yaml").read_text())
    assert told["model_name_or_path"] == str(TINY)
    assert (told["max_steps"], told["learning_rate"], told["per_device_train_batch_size"]) == (7, 1e-3, 4)
    published = PUBLISHED["sft"]
    told = yaml.safe_load((made(run, tmp_path / "published") / "sft.yaml").read_text())
    assert (told["adam_beta2"], told["seed"], told["num_train_epochs"]) == (published.betas[1], published.seed, 2.0)


def test_what_it_cannot_carry_over_is_said(run: Run, tmp_path: Path) -> None:
    folder = made(run, tmp_path, recipe=recipe(tmp_path, tune="qlora", freeze=["audio_tower"]))
    assert "not carried over: tune qlora, freeze ('audio_tower',)" in (folder / "sft.yaml").read_text()


def test_rows_are_read_whatever_breaks_their_texts_hold(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(run, tmp_path, recipe=recipe(tmp_path))
    monkeypatch.syspath_prepend(str(folder))
    script = runpy.run_path(str(folder / "sft.py"))
    told = [{"text": "one\u2028two\u0085three"}, {"text": "four"}]
    (tmp_path / "rows").write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told), "utf-8")
    assert script["written_rows"](tmp_path / "rows") == told


def test_for_grpo_there_is_no_script(run: Run, tmp_path: Path) -> None:
    folder = export(run, split=SPLIT, stage="grpo", out=tmp_path / "out", format="trl", progress=False).folder
    assert sorted(path.name for path in folder.iterdir()) == ["grpo.jsonl", "manifest.json"]


@pytest.mark.slow
def test_its_batches_are_those_of_training_here(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids, labels and features; but for the line break that the template puts after a reply."""
    from transformers import AutoProcessor

    from audiocontrib.models import load_model
    from audiocontrib.training.encoding.collate import Collator
    from audiocontrib.training.encoding.row_encoder import RowEncoder

    folder = made(run, tmp_path, recipe=recipe(tmp_path))
    sys.path.insert(0, str(folder))
    script = runpy.run_path(str(folder / "sft.py"))
    theirs = script["HearingCollator"](lines(folder / "sft.jsonl"), AutoProcessor.from_pretrained(TINY), 30.0)
    rows = training_rows(run, SPLIT, "weak", copies=4)
    ours = Collator(RowEncoder(load_model(str(TINY)), 30.0), rows)
    for places in ([0, 5, 3], [2], [7, 8]):
        one, other = (made_by([{"row": place} for place in places]) for made_by in (ours, theirs))
        for place in range(len(places)):
            said = [batch["input_ids"][place][batch["labels"][place] != -100].tolist() for batch in (one, other)]
            shown = [batch["input_ids"][place][batch["attention_mask"][place] == 1].tolist() for batch in (one, other)]
            end = shown[1][len(shown[0]) :]
            assert shown[0] == shown[1][: len(shown[0])]
            assert said[0] + end == said[1]
            assert end == theirs.processor.tokenizer("\n")["input_ids"]
        # silence to the end of the window is heard by neither
        frames = one["input_features"].shape[-1]
        torch.testing.assert_close(one["input_features"], other["input_features"][..., :frames], atol=1e-4, rtol=0)


@pytest.mark.slow
def test_it_trains_and_the_tower_that_hears_moves(run: Run, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    folder = made(run, tmp_path, recipe=recipe(tmp_path), audio="copy")
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"HF_HUB_OFFLINE": "1"}
    words = ["--config", str(folder / "sft.yaml"), *AGAIN, "--output_dir", str(tmp_path / "trained")]
    done = subprocess.run(
        [sys.executable, str(folder / "sft.py"), *words], env=env, cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    before, after = load_file(TINY / "model.safetensors"), load_file(tmp_path / "trained/model.safetensors")
    towers = [name for name in after if "audio_tower" in name and "embed_positions" not in name]
    moved = [name for name in towers if not torch.equal(before[name].float(), after[name].float())]
    assert len(moved) > len(towers) / 2
