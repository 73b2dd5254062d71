"""ms-swift's launch scripts say what the recipe says, and its plugin rewards as training here does.

ms-swift itself is not installed: the scripts are read, and the plugin runs with a stand-in for ``swift.rewards``.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from helpers import ROOT
from helpers.exporting import SPLIT, lines, make_run
from helpers.precision import share_moved

from audiocontrib.export import export
from audiocontrib.prompts import CLOSE, OPEN
from audiocontrib.training import GRPO, read_training_recipe

RECIPES = ROOT / "recipes/training"
PAPER = RECIPES / "omni/paper.yaml"
FLAGS = {
    "seed": "seed",
    "learning_rate": "learning_rate",
    "schedule": "lr_scheduler_type",
    "warmup": "warmup_ratio",
    "weight_decay": "weight_decay",
    "clip": "max_grad_norm",
    "batch": "per_device_train_batch_size",
    "accumulate": "gradient_accumulation_steps",
    "tune": "tuner_type",
    "save_every": "save_steps",
    "workers": "dataloader_num_workers",
    "generations": "num_generations",
    "iterations": "num_iterations",
    "new_tokens": "max_completion_length",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "beta": "beta",
    "scale_rewards": "scale_rewards",
    "epsilon": "epsilon",
    "loss": "loss_type",
}
"""Field of a recipe -> option of ms-swift."""
ROWS = {"part", "items", "copies", "rater", "pass_audio", "pass_silent", "weigh", "abstain_option"}
"""Fields that are in the exported rows."""


def given(script: Path) -> dict[str, str]:
    """The options of a script's `swift` command, and what it sets for its plugin."""
    text = script.read_text(encoding="utf-8")
    command = text.partition("\nswift ")[2]
    options = dict(re.findall(r"--(\w+) ([^\\\n]*?) *\\", command))
    return options | dict(re.findall(r"^export (\w+)=\$\{\w+:-(\d+)\}", text, re.M))


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_says_what_the_paper_recipe_says_in_every_field(stage: str) -> None:
    settings = read_training_recipe(PAPER).stage(stage)
    options = given(RECIPES / f"swift/{stage}.sh")
    usual = {one.name: one.default for one in fields(settings)}
    elsewhere = {
        "betas": (float(options["adam_beta1"]), float(options["adam_beta2"])) == settings.betas,
        "steps": int(options["STOP_AT"]) == settings.steps,
        "schedule_steps": settings.schedule_steps == (int(options["max_steps"]) if "max_steps" in options else None),
        "schedule_epochs": settings.schedule_epochs
        == (float(options["num_train_epochs"]) if "num_train_epochs" in options else None),
        "seconds": settings.seconds * 25 < int(options["max_length"]) == 1024,  # a token is 40 ms
    }
    if isinstance(settings, GRPO):
        weights, names = options["reward_weights"].split(), options["reward_funcs"].split()
        elsewhere |= {
            "accuracy": float(weights[names.index("external_audio_choice_accuracy")]) == settings.accuracy,
            "format": float(weights[names.index("external_format")]) == settings.format,
            "rewards": settings.rewards == "published" and all(name.startswith("external_") for name in names),
            "use_bias_correction_kl": settings.use_bias_correction_kl is False,  # ms-swift has no such thing
        }
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name in FLAGS and (one.name != "workers" or stage == "sft"):
            said = options[FLAGS[one.name]]
            assert (float(said) if isinstance(value, int | float) else said) == value, one.name
        elif one.name in elsewhere:
            assert elsewhere[one.name], one.name
        elif one.name not in ROWS:  # what ms-swift would not know of is as usual
            assert value == usual[one.name], one.name
    assert options["data_seed"] == options["seed"]
    for tower in ("llm", "vit", "aligner"):
        assert options[f"freeze_{tower}"] == "false"


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_reads_what_was_exported_and_passes_options_on(stage: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(make_run(tmp_path), split=SPLIT, stage=stage, out=out, format="swift", progress=False)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "swift").write_text('#!/bin/bash\nprintf "%s\\n" "$ROOT_IMAGE_DIR" "$@"\n')
    (tools / "swift").chmod(0o755)
    root, *words = launched(tools, stage, str(out), "trained", "MODEL", "--max_steps", "2")
    assert Path(root).resolve() == out
    assert Path(words[words.index("--dataset") + 1]).is_file()
    assert words[words.index("--model") + 1] == "MODEL"
    assert words[-2:] == ["--max_steps", "2"]
    assert Path(words[words.index("--external_plugins") + 1]).is_file()


def launched(tools: Path, stage: str, *words: str, **env: str) -> list[str]:
    """What `swift` would be called with, after ROOT_IMAGE_DIR."""
    command = ["bash", str(RECIPES / f"swift/{stage}.sh"), *words]
    env = {"PATH": f"{tools}:/usr/bin:/bin", **env}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("stage", ["sft", "grpo"])
@pytest.mark.parametrize("env", [{}, {"DEEPSPEED": "zero3"}, {"DEEPSPEED": ""}], ids=str)
def test_a_launch_script_moves_the_weights(stage: str, env: dict[str, str], tmp_path: Path) -> None:
    """AdamW in the arithmetic that ms-swift would have: with float32 copies (DeepSpeed), or weights in float32.

    Without either, as the scripts were once, bfloat16 weights hardly move: steps of 1e-6 are lost in rounding.
    """
    (tmp_path / "swift").write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (tmp_path / "swift").chmod(0o755)
    words = launched(tmp_path, stage, "DATA", "OUT", "MODEL", **env)
    told = {word: words[place + 1] for place, word in enumerate(words[:-1]) if word.startswith("--")}
    copies = told.get("--deepspeed", "").startswith("zero")
    kept = "float32" if copies else told["--torch_dtype"]
    if not copies:
        assert (told["--bf16"], told["--fp16"]) == ("true", "false")  # ms-swift would take fp16 for float32
    rate, betas = float(told["--learning_rate"]), (float(told["--adam_beta1"]), float(told["--adam_beta2"]))
    assert share_moved(kept, rate, betas) > 0.99
    assert share_moved("bfloat16", rate, betas) < 0.1


@pytest.fixture
def orms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Reward functions by name, as the plugin files them."""
    rewards, callbacks = ModuleType("swift.rewards"), ModuleType("swift.callbacks")
    rewards.ORM, rewards.orms = object, {}  # type: ignore[attr-defined]
    callbacks.TrainerCallback, callbacks.callbacks_map = object, {}  # type: ignore[attr-defined]
    for name, module in (("swift", ModuleType("swift")), ("swift.rewards", rewards), ("swift.callbacks", callbacks)):
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(RECIPES / "swift/plugin.py"))
    return rewards.orms | callbacks.callbacks_map  # type: ignore[attr-defined,no-any-return]


def test_the_plugin_rewards_the_rows_that_were_exported(orms: dict[str, Any], tmp_path: Path) -> None:
    export(make_run(tmp_path), split=SPLIT, stage="grpo", out=tmp_path / "out", format="swift", progress=False)
    rows = lines(tmp_path / "out/grpo.jsonl")
    columns = {name: [row[name] for row in rows] for name in rows[0]}  # ms-swift passes columns by name
    names = given(RECIPES / "swift/grpo.sh")["reward_funcs"].split()
    published = [orms[name]() for name in names]
    ours = [orms[name]() for name in ("audiocontrib_accuracy", "audiocontrib_format")]
    golds = [options[gold] for options, gold in zip(columns["options"], columns["gold"], strict=True)]
    for replies, by_them, by_us in (
        (columns["solution"], (1.0, 1.0), (1.0, 1.0)),
        ([f"{OPEN}a dog{CLOSE}"] * len(rows), (0.0, 1.0), (0.0, 1.0)),
        ([f"{solution} " for solution in columns["solution"]], (1.0, 1.0), (1.0, 0.0)),
        (golds, (1.0, 0.0), (1.0, 0.0)),
        ([f"The answer is {gold}." for gold in golds], (0.0, 0.0), (1.0, 0.0)),
        (["I do not know"] * len(rows), (0.0, 0.0), (0.0, 0.0)),
    ):
        for rewards, wanted in ((published, by_them), (ours, by_us)):
            assert [reward(replies, **columns) for reward in rewards] == [[one] * len(rows) for one in wanted]


def test_the_plugin_ends_a_training_with_a_checkpoint(orms: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOP_AT", given(RECIPES / "swift/sft.sh")["STOP_AT"])
    for step, ends in ((749, False), (750, True)):
        state, control = (
            SimpleNamespace(global_step=step),
            SimpleNamespace(should_training_stop=False, should_save=False),
        )
        orms["stop_at"]().on_step_end(None, state, control)
        assert (control.should_training_stop, control.should_save) == (ends, ends)


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
