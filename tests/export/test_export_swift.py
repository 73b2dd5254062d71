"""ms-swift's launch scripts say what the recipe says, and its plugin rewards as training here does.

ms-swift itself is not installed: the scripts are read, and the plugin runs with a stand-in for ``swift.rewards``.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import ROOT
from helpers.exporting import SPLIT, lines, make_run

from audiocontrib.export import export
from audiocontrib.prompts import CLOSE, OPEN
from audiocontrib.training import GRPO, read_training_recipe

RECIPES = ROOT / "recipes/training"
FLAGS = {
    "learning_rate": "learning_rate",
    "schedule": "lr_scheduler_type",
    "warmup": "warmup_ratio",
    "batch": "per_device_train_batch_size",
    "accumulate": "gradient_accumulation_steps",
    "steps": "max_steps",
    "seed": "seed",
    "tune": "tuner_type",
    "generations": "num_generations",
    "iterations": "num_iterations",
    "temperature": "temperature",
    "top_k": "top_k",
    "beta": "beta",
    "new_tokens": "max_completion_length",
}
"""Field of a recipe -> option of ms-swift."""


def given(script: Path) -> dict[str, str]:
    """The options of a script's `swift` command."""
    command = script.read_text(encoding="utf-8").partition("\nswift ")[2]
    return dict(re.findall(r"--(\w+) ([^\\\n]*?) *\\", command))


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_has_the_settings_of_the_recipe(stage: str) -> None:
    settings = read_training_recipe(RECIPES / "omni/weak_to_strong.yaml").stage(stage)
    options = given(RECIPES / f"swift/{stage}.sh")
    compared = [field for field in FLAGS if hasattr(settings, field)]
    assert len(compared) == (14 if stage == "grpo" else 8)
    for field in compared:
        value, said = getattr(settings, field), options[FLAGS[field]]
        assert (float(said) if isinstance(value, int | float) else said) == value, field
    for tower in ("llm", "vit", "aligner"):
        assert options[f"freeze_{tower}"] == "false"
    if isinstance(settings, GRPO):
        assert options["reward_weights"].split() == [str(settings.accuracy), str(settings.format)]


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_reads_what_was_exported_and_passes_options_on(stage: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(make_run(tmp_path), split=SPLIT, stage=stage, out=out, format="swift", progress=False)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "swift").write_text('#!/bin/bash\nprintf "%s\\n" "$ROOT_IMAGE_DIR" "$@"\n')
    (tools / "swift").chmod(0o755)
    command = ["bash", str(RECIPES / f"swift/{stage}.sh"), str(out), "trained", "MODEL", "--max_steps", "2"]
    done = subprocess.run(command, env={"PATH": f"{tools}:/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    root, _, *words = done.stdout.splitlines()
    assert Path(root).resolve() == out
    assert Path(words[words.index("--dataset") + 1]).is_file()
    assert words[words.index("--model") + 1] == "MODEL"
    assert words[-2:] == ["--max_steps", "2"]
    if stage == "grpo":
        assert Path(words[words.index("--external_plugins") + 1]).is_file()


@pytest.fixture
def orms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Reward functions by name, as the plugin files them."""
    stand_in = ModuleType("swift.rewards")
    stand_in.ORM, stand_in.orms = object, {}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "swift", ModuleType("swift"))
    monkeypatch.setitem(sys.modules, "swift.rewards", stand_in)
    runpy.run_path(str(RECIPES / "swift/plugin.py"))
    return stand_in.orms  # type: ignore[attr-defined,no-any-return]


def test_the_plugin_rewards_the_rows_that_were_exported(orms: dict[str, Any], tmp_path: Path) -> None:
    export(make_run(tmp_path), split=SPLIT, stage="grpo", out=tmp_path / "out", format="swift", progress=False)
    rows = lines(tmp_path / "out/grpo.jsonl")
    columns = {name: [row[name] for row in rows] for name in rows[0]}  # ms-swift passes columns by name
    names = re.findall(r"--reward_funcs (\w+) (\w+)", (RECIPES / "swift/grpo.sh").read_text())[0]
    accuracy, form = (orms[name]() for name in names)
    for replies, right, formed in (
        (columns["solution"], 1.0, 1.0),
        ([f"{OPEN}a dog{CLOSE}"] * len(rows), 0.0, 1.0),
        ([f"{solution} " for solution in columns["solution"]], 1.0, 0.0),
        (["I do not know"] * len(rows), 0.0, 0.0),
    ):
        assert accuracy(replies, **columns) == [right] * len(rows)
        assert form(replies, **columns) == [formed] * len(rows)


@pytest.mark.slow
def test_a_tiny_checkpoint_has_the_published_layout_and_the_thinkers_weights(tmp_path: Path) -> None:
    import torch

    from audiocontrib import load_model

    made = runpy.run_path(str(RECIPES / "swift/tiny_checkpoint.py"))
    made["write"](tmp_path / "omni")
    whole, thinker = load_model(str(tmp_path / "omni"), device="cpu"), load_model("tiny-qwen2.5-omni", device="cpu")
    ours, theirs = thinker.net.state_dict(), whole.net.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert whole.processor.chat_template == thinker.processor.chat_template
    names = {path.name for path in (tmp_path / "omni").iterdir()}
    assert {"spk_dict.pt", "preprocessor_config.json", "video_preprocessor_config.json"} <= names
    with pytest.raises(FileExistsError):
        made["write"](tmp_path / "omni")
