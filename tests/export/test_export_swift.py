"""ms-swift's launch scripts say what the recipe says, and its plugin rewards as training here does.

ms-swift itself is not installed: the scripts run with a stand-in for `swift`, the plugin with one for its modules.
"""

from __future__ import annotations

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
    "checkpointing": "gradient_checkpointing",
    "keep": "save_total_limit",
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
SWIFT = """#!/bin/bash
if [ "$1" = export ]; then exit; fi
env; echo '--- '; printf "%s\\n" "$@"
mkdir -p "$OUT/checkpoint-1" "$OUT/checkpoint-2"; touch -d '1 hour ago' "$OUT/checkpoint-1"
exit "${FAILS:-0}"
"""
ROWS = {"part", "items", "copies", "rater", "pass_audio", "pass_silent", "weigh", "abstain_option"}
"""Fields that are in the exported rows."""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of either stage by the paper's recipe, in a folder with a blank in its name."""
    made = tmp_path_factory.mktemp("made")
    run = make_run(made)
    for stage in ("sft", "grpo"):
        export(
            run, split=SPLIT, stage=stage, out=made / "an export" / stage, format="swift", recipe=PAPER, audio="copy",
            progress=False,
        )  # fmt: skip
    return made / "an export"


def launched(script: Path, tools: Path, *words: str, **env: str) -> tuple[dict[str, str], list[str]]:
    """What `swift` sees in its environment and is called with; it leaves two checkpoints behind."""
    tools.mkdir(exist_ok=True)
    (tools / "swift").write_text(SWIFT)
    (tools / "swift").chmod(0o755)
    given = {"PATH": f"{tools}:/usr/bin:/bin", **env}
    done = subprocess.run(["bash", str(script), *words], env=given, capture_output=True, text=True, check=True)
    told, _, called = done.stdout.partition("--- \n")
    return dict(line.split("=", 1) for line in told.splitlines() if "=" in line), called.splitlines()


def options(words: list[str]) -> dict[str, str]:
    """Option -> its values, with a blank between them."""
    found: dict[str, str] = {}
    for word in words:
        if word.startswith("--"):
            found[name := word.removeprefix("--")] = ""
        elif found:
            found[name] = f"{found[name]} {word}".strip()
    return found


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_says_what_the_paper_recipe_says_in_every_field(
    stage: str, exported: Path, tmp_path: Path
) -> None:
    settings = read_training_recipe(PAPER).stage(stage)
    env, words = launched(exported / stage / f"{stage}.sh", tmp_path / "tools", OUT=str(tmp_path / "out"))
    given = options(words)
    usual = {one.name: one.default for one in fields(settings)}
    elsewhere = {
        "betas": (float(given["adam_beta1"]), float(given["adam_beta2"])) == settings.betas,
        "steps": int(env["STOP_AT"]) == settings.steps,
        "schedule_steps": settings.schedule_steps == (int(given["max_steps"]) if "max_steps" in given else None),
        "schedule_epochs": settings.schedule_epochs
        == (float(given["num_train_epochs"]) if "num_train_epochs" in given else None),
        "seconds": settings.seconds * 25 < int(given["max_length"]) == 1024,  # a token is 40 ms
    }
    if isinstance(settings, GRPO):
        weights, names = given["reward_weights"].split(), given["reward_funcs"].split()
        elsewhere |= {
            "accuracy": float(weights[names.index("external_audio_choice_accuracy")]) == settings.accuracy,
            "format": float(weights[names.index("external_format")]) == settings.format,
            "rewards": settings.rewards == "published" and all(name.startswith("external_") for name in names),
            "use_bias_correction_kl": settings.use_bias_correction_kl is False,  # ms-swift has no such thing
        }
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name in FLAGS:
            said = given[FLAGS[one.name]]
            assert said == str(value).lower() if isinstance(value, bool | str) else float(said) == value, one.name
        elif one.name in elsewhere:
            assert elsewhere[one.name], one.name
        elif one.name not in ROWS:  # what ms-swift would not know of is as usual
            assert value == usual[one.name], one.name
    assert given["data_seed"] == given["seed"]
    assert given["model_type"] == "qwen2_5_omni"
    for tower in ("llm", "vit", "aligner"):
        assert given[f"freeze_{tower}"] == "false"


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_a_launch_script_reads_what_was_exported_from_anywhere_and_leaves_the_last_checkpoint(
    stage: str, exported: Path, tmp_path: Path
) -> None:
    script, out = exported / stage / f"{stage}.sh", tmp_path / "out"
    for _ in range(2):  # the second training replaces what the first one left
        env, words = launched(script, tmp_path / "tools", "--max_steps", "2", MODEL="a 'b", OUT=str(out))
        given = options(words)
        assert words[0] == {"sft": "sft", "grpo": "rlhf"}[stage]
        assert Path(env["ROOT_IMAGE_DIR"]) == exported / stage
        assert Path(given["dataset"]).is_file()
        assert Path(given["external_plugins"]).is_file()
        assert (given["model"], given["output_dir"], words[-2:]) == ("a 'b", str(out), ["--max_steps", "2"])
        assert (out / "last").resolve() == out / "checkpoint-2"
    with pytest.raises(subprocess.CalledProcessError):
        launched(script, tmp_path / "tools", OUT=str(out), FAILS="1")
    assert not (out / "last").exists()  # it is there only once all is done


def test_relative_paths_are_looked_up_where_the_clips_are(tmp_path: Path) -> None:
    run, out = make_run(tmp_path), tmp_path / "out"
    export(run, split=SPLIT, stage="sft", out=out, format="swift", audio="relative", progress=False)
    env, _ = launched(out / "sft.sh", tmp_path / "tools", OUT=str(tmp_path / "trained"))
    assert all((Path(env["ROOT_IMAGE_DIR"]) / row["audios"][0]).is_file() for row in lines(out / "sft.jsonl"))


def test_another_recipe_is_another_script(tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    stage = "learning_rate: 2e-5, batch: 4, tune: lora, rank: 4, alpha: 7, schedule: constant, seconds: 60"
    more = "generations: 4, loss: vespo, min_p: 0.1, top_k: 0, entropy_coef: 0.5, epochs: 1, schedule_epochs: 3"
    recipe.write_text(f"about: a\nmodel: $(touch x)\nsft: {{part: weak, {stage}, steps: 7}}\n"
                      f"grpo: {{part: strong, {stage}, {more}}}\n")  # fmt: skip
    run, made = make_run(tmp_path), {}
    for name in ("sft", "grpo"):
        folder = tmp_path / name
        export(run, split=SPLIT, stage=name, out=folder, format="swift", recipe=recipe, progress=False)  # type: ignore[arg-type]
        env, words = launched(folder / f"{name}.sh", tmp_path / "tools", OUT=str(tmp_path / f"{name}-out"))
        made[name] = options(words)
        assert made[name]["model"] == "$(touch x)"
        assert (made[name]["tuner_type"], made[name]["lora_rank"], made[name]["lora_alpha"]) == ("lora", "4", "7")
        assert (made[name]["lr_scheduler_type"], made[name]["max_length"]) == ("constant_with_warmup", "1774")
        assert (tmp_path / f"{name}-out" / "last").resolve().name == "merged"
    assert "STOP_AT" not in env
    assert (env["STOP_EPOCHS"], made["grpo"]["num_train_epochs"]) == ("1.0", "3.0")
    assert made["sft"]["max_steps"] == "7"
    head = (tmp_path / "grpo" / "grpo.sh").read_text(encoding="utf-8")
    assert "Of the recipe this is not carried over: loss vespo, entropy_coef 0.5." in head
    assert "min_p is read by its vLLM alone" in head
    assert (made["grpo"]["top_k"], made["grpo"]["min_p"]) == ("-1", "0.1")
    assert made["grpo"]["reward_funcs"] == "audiocontrib_accuracy audiocontrib_format"
    assert "loss_type" not in made["grpo"]


@pytest.mark.parametrize("stage", ["sft", "grpo"])
@pytest.mark.parametrize("env", [{}, {"DEEPSPEED": "zero3"}, {"DEEPSPEED": ""}], ids=str)
def test_a_launch_script_moves_the_weights(stage: str, env: dict[str, str], exported: Path, tmp_path: Path) -> None:
    """AdamW in the arithmetic that ms-swift would have: with float32 copies (DeepSpeed), or weights in float32.

    Without either, as the scripts were once, bfloat16 weights hardly move: steps of 1e-6 are lost in rounding.
    """
    _, words = launched(exported / stage / f"{stage}.sh", tmp_path / "tools", OUT=str(tmp_path / "out"), **env)
    told = options(words)
    copies = told.get("deepspeed", "").startswith("zero")
    kept = "float32" if copies else told["torch_dtype"]
    if not copies:
        assert (told["bf16"], told["fp16"]) == ("true", "false")  # ms-swift would take fp16 for float32
    rate, betas = float(told["learning_rate"]), (float(told["adam_beta1"]), float(told["adam_beta2"]))
    assert share_moved(kept, rate, betas) > 0.99
    assert share_moved("bfloat16", rate, betas) < 0.1


@pytest.fixture
def orms(exported: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Reward functions by name, as the plugin files them."""
    rewards, callbacks = ModuleType("swift.rewards"), ModuleType("swift.callbacks")
    rewards.ORM, rewards.orms = object, {}  # type: ignore[attr-defined]
    callbacks.TrainerCallback, callbacks.callbacks_map = object, {}  # type: ignore[attr-defined]
    for name, module in (("swift", ModuleType("swift")), ("swift.rewards", rewards), ("swift.callbacks", callbacks)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("exported_rewards", None)
    runpy.run_path(str(exported / "grpo" / "swift_plugin.py"))
    monkeypatch.delitem(sys.modules, "exported_rewards")
    return rewards.orms | callbacks.callbacks_map  # type: ignore[attr-defined,no-any-return]


def test_the_plugin_rewards_the_rows_that_were_exported(orms: dict[str, Any], exported: Path) -> None:
    rows = lines(exported / "grpo" / "grpo.jsonl")
    columns = {name: [row[name] for row in rows] for name in rows[0]}  # ms-swift passes columns by name
    published = [orms[name]() for name in ("external_audio_choice_accuracy", "external_format")]
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


@pytest.mark.parametrize(
    ("name", "limit", "state"),
    [
        ("STOP_AT", "750", ((749, 0.9, False), (750, 0.9, True))),
        ("STOP_EPOCHS", "1.5", ((9, 1.4, False), (9, 1.5, True))),
    ],
)
def test_the_plugin_ends_a_training_with_a_checkpoint(
    name: str, limit: str, state: Any, orms: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, limit)
    for step, epoch, ends in state:
        control = SimpleNamespace(should_training_stop=False, should_save=False)
        orms["stop_at"]().on_step_end(None, SimpleNamespace(global_step=step, epoch=epoch), control)
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
