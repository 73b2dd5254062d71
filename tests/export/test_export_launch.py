"""What stands beside the rows: configurations, scripts, loaders and rewards that start without editing.

The trainers are not installed here. What their own parsers and loaders made of these files is on the page; here the
files are read, run with stand-ins for the trainers, and held against the recipe.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml
from helpers import ROOT
from helpers.exporting import SPLIT, lines, make_run

from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError
from audiocontrib.export import FORMATS, Stage, export
from audiocontrib.export.launch import PUBLISHED, PUBLISHED_MODEL
from audiocontrib.items import Clip
from audiocontrib.store import Run
from audiocontrib.training import read_training_recipe
from audiocontrib.training.published_rewards import published_accuracy, published_format

pytestmark = pytest.mark.usefixtures("alone")
PAPER = ROOT / "recipes/training/omni/paper.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("made"))


def made(run: Run, name: str, stage: Stage, out: Path, **given: Any) -> Path:
    return export(
        run, split=SPLIT, stage=stage, out=out / "out", format=name, audio="copy", progress=False, **given
    ).folder


def started(script: Path, program: str, tools: Path, *words: str, **env: str) -> list[str]:
    """The words that a script starts a program with."""
    tools.mkdir(exist_ok=True)
    (tools / program).write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
    (tools / program).chmod(0o755)
    env = {"PATH": f"{tools}:/usr/bin:/bin", **env}
    done = subprocess.run(["bash", str(script), *words], env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **held: Any) -> None:
    """A module of a trainer, and the packages above it."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), ModuleType(".".join(parts[:end])))
    vars(sys.modules[name]).update(held)


def test_without_a_recipe_the_published_settings_are_meant() -> None:
    paper = read_training_recipe(PAPER)
    assert paper.model == PUBLISHED_MODEL
    assert {"sft": paper.sft, "grpo": paper.grpo} == PUBLISHED


def test_llamafactory_trains_everything_that_hears_with_float32_copies(run: Run, tmp_path: Path) -> None:
    folder = made(run, "llamafactory", "sft", tmp_path)
    told = yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8"))
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert told["dataset"] in info
    assert (told["freeze_vision_tower"], told["freeze_multi_modal_projector"]) == (False, False)
    assert json.loads((folder / told["deepspeed"]).read_text())["zero_optimization"]["stage"] == 2
    settings = PUBLISHED["sft"]
    assert told["learning_rate"] == settings.learning_rate
    assert (told["adam_beta1"], told["adam_beta2"], told["weight_decay"]) == (0.9, 0.95, 0.1)
    assert (told["num_train_epochs"], told["save_steps"], told["seed"]) == (2.0, 250, 42)
    assert "max_steps" not in told
    assert f"checkpoint-{settings.steps}" in (folder / "train.yaml").read_text(encoding="utf-8")
    for row in lines(folder / "sft.jsonl"):
        assert (folder / told["media_dir"] / row["audios"][0]).is_file()


def test_a_recipe_decides_what_is_written_and_another_one_is_another_export(run: Run, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    text = "about: a\nmodel: mine\nsft: {part: weak, learning_rate: 2e-5, batch: 3, steps: 7, tune: lora, rank: 4}\n"
    recipe.write_text(text)
    folder = made(run, "llamafactory", "sft", tmp_path, recipe=recipe)
    told = yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8"))
    assert (told["model_name_or_path"], told["learning_rate"], told["max_steps"]) == ("mine", 2e-5, 7)
    assert (told["finetuning_type"], told["lora_rank"], told["per_device_train_batch_size"]) == ("lora", 4, 3)
    recipe.write_text(text.replace("2e-5", "3e-5"))
    with pytest.raises(AudiocontribError, match=r"holds another export \(launch differ\)"):
        made(run, "llamafactory", "sft", tmp_path, recipe=recipe)


def test_verl_decodes_the_clips_and_rewards_as_published(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    folder = made(run, "verl", "grpo", tmp_path, recipe=PAPER)
    words = started(folder / "grpo.sh", "python3", tmp_path / "tools", "trainer.nnodes=2", GPUS="4")
    assert words[:2] == ["-m", "verl.trainer.main_ppo"]
    assert words[-1] == "trainer.nnodes=2"
    told = {name: value.strip("'") for name, value in (word.split("=", 1) for word in words[2:])}
    for name in ("data.train_files", "data.custom_cls.path", "reward.custom_reward_function.path"):
        assert Path(told[name]).is_file()
    for name, value in {
        "data.train_batch_size": "4", "actor_rollout_ref.actor.optim.lr": "1e-06",
        "trainer.total_training_steps": "1000",
        "actor_rollout_ref.actor.optim.betas": "[0.9,0.95]", "actor_rollout_ref.actor.kl_loss_coef": "0.001",
        "actor_rollout_ref.rollout.n": "8", "actor_rollout_ref.rollout.top_p": "0.9", "data.max_response_length": "128",
    }.items():  # fmt: skip
        assert told[name] == value, name

    class RLHFDataset:
        """As verl's, which hands on what the messages hold."""

        @classmethod
        def _extract_audio_info(cls, messages: Any) -> Any:
            return [part["audio"] for one in messages for part in one["content"] if part["type"] == "audio"] or None

    stand_in(monkeypatch, "verl.utils.dataset.rl_dataset", RLHFDataset=RLHFDataset)
    own = runpy.run_path(str(folder / "verl_audio.py"))
    row = pq.read_table(folder / "grpo.parquet").to_pylist()[0]
    messages = [{"content": [{"type": "audio", "audio": row["audios"][0]}, {"type": "text", "text": "q"}]}]
    [heard] = own["AudioDataset"]._extract_audio_info(messages)
    np.testing.assert_array_equal(heard, decode(Clip(path=row["audios"][0], root=str(folder))).samples)
    assert own["AudioDataset"]._extract_audio_info([{"content": [{"type": "text"}]}]) is None
    truth = row["reward_model"]["ground_truth"]
    for reply in (truth, f" {truth.upper()}\n", "no tag", truth + truth, truth.removeprefix("<answer>"), ""):
        right, form = published_accuracy(reply, truth), published_format(reply)
        scored = own["compute_score"]("audiomcq", reply, truth, extra_info=row["extra_info"])
        assert scored == {"score": 2.0 * right + 0.5 * form, "accuracy": right, "format": form}, reply


def test_nemo_rl_reads_the_folder_with_the_prompt_that_was_asked(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(run, "nemo-rl", "grpo", tmp_path, recipe=PAPER)
    words = started(folder / "grpo.sh", "uv", tmp_path / "tools", "grpo.max_num_steps=2", NEMO_RL=str(tmp_path))
    assert words == ["run", "examples/run_vlm_grpo.py", "--config", str(folder / "grpo.yaml"), "grpo.max_num_steps=2"]
    told = yaml.safe_load((folder / "grpo.yaml").read_text(encoding="utf-8"))
    train = told["data"]["train"]
    assert (train["dataset_name"], train["data_path"]) == ("nemo_audio.ExportedAudio", "${oc.env:EXPORTED}/data.jsonl")
    weights = {one["name"]: one["weight"] for one in told["env"]["vlm"]["reward_functions"]}
    assert weights == {"format": 0.2, "exact_alnum": 0.8}  # .5 and 2, as shares
    assert (told["grpo"]["num_generations_per_prompt"], told["policy"]["generation"]["top_k"]) == (8, 4)

    class RawDataset:
        def split_train_validation(self, size: float, seed: int) -> None:
            assert size == 0

    stand_in(monkeypatch, "nemo_rl.data.datasets.raw_dataset", RawDataset=RawDataset)
    monkeypatch.syspath_prepend(str(folder))
    held = runpy.run_path(str(folder / "nemo_audio.py"))["ExportedAudio"](str(folder / "data.jsonl"), seed=1)
    rows = {row["id"]: row for row in lines(folder / "data.jsonl")}
    assert len(held.dataset) == len(rows)
    row = held.dataset[0]
    made_of = held.preprocessor(row)
    (sound, text), wanted = made_of["messages"][0]["content"], made_of["messages"][1]["content"]
    np.testing.assert_array_equal(sound["audio"], decode(Clip(path=row["audio_path"], root=str(folder))).samples)
    assert text["text"] == rows[row["id"]]["prompt"]
    assert wanted == row["answer"]
    assert str(row["choices"]) in text["text"]


def test_nemo_rl_and_r1_aqa_say_what_must_be_named(run: Run, tmp_path: Path) -> None:
    for name, stage, variable in (("nemo-rl", "sft", "NEMO_RL"), ("r1-aqa", "grpo", "R1_AQA")):
        folder = made(run, name, stage, tmp_path / name)  # type: ignore[arg-type]
        with pytest.raises(subprocess.CalledProcessError) as caught:
            started(folder / f"{stage}.sh", "uv", tmp_path / "tools")
        assert f"{variable}: name the source tree" in caught.value.stderr
    words = started(folder / "grpo.sh", "torchrun", tmp_path / "tools", R1_AQA="/opt/r1-aqa", GPUS="2")
    assert (words[0], words[2]) == ("--nproc_per_node=2", "/opt/r1-aqa/src/train.py")
    assert words[words.index("--data_file") + 1] == str(folder / "grpo.jsonl")
    assert all((folder / row["audio_path"]).is_file() for row in lines(folder / "grpo.jsonl"))


def test_a_clip_is_resampled_mixed_and_cut(run: Run, tmp_path: Path) -> None:
    import soundfile

    folder = made(run, "verl", "grpo", tmp_path)
    wave = np.sin(np.arange(4 * 44_100) * 2 * np.pi * 440 / 44_100).astype(np.float32)
    soundfile.write(folder / "a.wav", np.stack([wave, np.zeros_like(wave)], axis=1), 44_100, subtype="FLOAT")
    samples = runpy.run_path(str(folder / "exported_audio.py"))["samples"]
    heard = samples("a.wav")
    assert (heard.shape, heard.dtype) == ((64_000,), np.float32)
    peak = np.abs(np.fft.rfft(heard)).argmax() / 4
    assert peak == pytest.approx(440, abs=0.5)
    assert np.abs(heard[1000:-1000]).max() == pytest.approx(0.5, abs=0.01)
    assert samples("a.wav", seconds=1.0).shape == (16_000,)


def test_a_launch_of_a_format_of_ones_own_is_checked(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(FORMATS["trl"], launch=lambda told: {"../x": told.model})
    monkeypatch.setitem(FORMATS, "trl", wrong)
    with pytest.raises(AudiocontribError, match=r"format trl: launch gave '\.\./x', which is no name of another text"):
        made(run, "trl", "sft", tmp_path)
