"""Odd names, long and strange texts, other models: what the trainers' own loaders made of them, kept as tests.

Tables were printed by hydra 1.3.8, and by R1-AQA's reward with math-verify 0.7.0.
"""

from __future__ import annotations

import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from helpers.exporting import SPLIT, item, lines, make_run
from test_export_launch import made, stand_in, started

from audiocontrib.errors import AudiocontribError
from audiocontrib.export import FORMATS, export
from audiocontrib.export.base import SOUND_TOKENS
from audiocontrib.export.choice import Disjoint
from audiocontrib.export.formats.llamafactory import CUTOFF
from audiocontrib.export.formats.nemo_rl import same_letters
from audiocontrib.export.formats.r1_aqa import same_numbers
from audiocontrib.export.formats.verl import WORD
from audiocontrib.store import Run

pytestmark = pytest.mark.usefixtures("alone")
RECIPE = """
about: a
model: {model}
sft: {{part: weak, learning_rate: 1e-5, batch: 4, {length}}}
grpo: {{part: strong, learning_rate: 1e-5, batch: 8, {length}}}
"""
HYDRA = {
    "/a/b": "'/a/b'",
    "/home/josé/x (1)": "'/home/josé/x (1)'",
    "/a'b/c": r"'/a\'b/c'",
    '/a"b,c=[d]{e}:f#~': "'/a\"b,c=[d]{e}:f#~'",
    "/$HOME/${HOME}": r"'/$HOME/\${HOME}'",
    "/a\\b": r"'/a\b'",
    "/a\\": r"'/a\\'",
    "/a\\'b": r"'/a\\\'b'",
    "/x\\${y}": r"'/x\\\${y}'",
    "null": "'null'",
}
"""A text -> the word that hydra reads as that text."""
REWARDED = (
    ("2 dogs, 3 cats", "1 dog, 3 mice", True), ("x = 2", "y = 2", True), ("the 0.5 of May", "the 1/2 of May", True),
    ("about 1,000% of it", "at 10.0 Hz", True), ("$a$", r"\boxed{a}", True), ("a dog", "a cat", False),
    ("at 440 Hz", "at 441 Hz", False), ("C major", "C minor", False), ("Rain", "rain", False),
)  # fmt: skip
"""The right option, a reply that says another one, and whether R1-AQA rewards it."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("made"))


def recipe(folder: Path, model: str = "mine", length: str = "steps: 7") -> Path:
    (folder / "recipe.yaml").write_text(RECIPE.format(model=model, length=length))
    return folder / "recipe.yaml"


def test_paths_are_written_as_hydra_reads_them(run: Run, tmp_path: Path) -> None:
    for text, word in HYDRA.items():
        done = subprocess.run(["bash", "-c", f'{WORD}word "$1"', "_", text], capture_output=True, text=True, check=True)
        assert done.stdout == word
    folder = tmp_path / "josé's (1) = #x"
    shutil.move(made(run, "verl", "grpo", tmp_path), folder)
    words = started(folder / "grpo.sh", "python3", tmp_path / "tools", MODEL="a 'b")
    told = dict(word.split("=", 1) for word in words[2:])
    assert told["actor_rollout_ref.model.path"] == r"'a \'b'"
    quoted = str(folder).replace("'", r"\'")
    assert told["data.train_files"] == f"'{quoted}/grpo.parquet'"
    assert told["data.custom_cls.path"] == f"'{quoted}/verl_audio.py'"
    assert told["trainer.default_local_dir"] == f"'{quoted}/trained'"
    # one prompt that is too long would end the training
    assert (told["data.filter_overlong_prompts"], told["data.filter_overlong_prompts_workers"]) == ("true", "null")


def test_verl_without_a_processor_is_refused_before_it_starts(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class RLHFDataset:
        def __init__(self, **given: Any) -> None:
            self.given = given

    stand_in(monkeypatch, "verl.utils.dataset.rl_dataset", RLHFDataset=RLHFDataset)
    own = runpy.run_path(str(made(run, "verl", "grpo", tmp_path) / "verl_audio.py"))["AudioDataset"]
    assert own(processor="p", config=1).given == {"processor": "p", "config": 1}
    with pytest.raises(ValueError, match="verl gives this model no processor"):
        own(processor=None, config=1)


def test_nemo_rl_learns_the_reply_to_the_whole_prompt(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(run, "nemo-rl", "sft", tmp_path)
    words = started(folder / "sft.sh", "uv", tmp_path / "tools", NEMO_RL=str(tmp_path))
    assert words[:2] == ["run", "examples/run_vlm_sft.py"]  # run_sft.py loads no processor
    told = yaml.safe_load((folder / "sft.yaml").read_text(encoding="utf-8"))
    assert told["data"]["train"]["dataset_name"] == "nemo_audio.ExportedConversations"
    assert told["data"]["add_generation_prompt"] is True

    class RawDataset:
        def split_train_validation(self, size: float, seed: int) -> None:
            assert size == 0

    stand_in(monkeypatch, "nemo_rl.data.datasets.raw_dataset", RawDataset=RawDataset)
    monkeypatch.syspath_prepend(str(folder))
    held = runpy.run_path(str(folder / "nemo_audio.py"))["ExportedConversations"](str(folder / "data.jsonl"))
    rows = {row["conversations"][0]["value"]: row for row in lines(folder / "data.jsonl")}
    for read in held.dataset:
        system, asked, reply = held.format_data(read)["messages"]
        assert [turn["role"] for turn in (system, asked, reply)] == ["system", "user", "assistant"]
        assert system["content"] == [{"type": "text", "text": (folder / "system.txt").read_text(encoding="utf-8")}]
        assert [part["type"] for part in asked["content"]] == ["audio", "text"]
        row = rows[f"<sound>{asked['content'][1]['text']}"]
        assert reply["content"][0]["text"] == row["conversations"][1]["value"]


@pytest.mark.parametrize(("length", "steps", "epochs"), [("steps: 7", 7, 1000), ("epochs: 1.5", 1_000_000, 2)])
def test_nemo_rl_ends_where_the_recipe_says(length: str, steps: int, epochs: int, run: Run, tmp_path: Path) -> None:
    for stage in ("sft", "grpo"):
        folder = made(run, "nemo-rl", stage, tmp_path / stage, recipe=recipe(tmp_path, "/m/${x}", length))  # type: ignore[arg-type]
        told = yaml.safe_load((folder / f"{stage}.yaml").read_text(encoding="utf-8"))
        assert (told[stage]["max_num_steps"], told[stage]["max_num_epochs"]) == (steps, epochs)
        assert told["policy"]["model_name"] == r"/m/\${x}"  # OmegaConf would look for a variable
    assert not (folder / "system.txt").exists()  # nothing reads it in GRPO


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("Qwen/Qwen2.5-Omni-7B", "qwen2_omni"), ("Qwen/Qwen2-Audio-7B-Instruct", "qwen2_audio"),
        ("Qwen/Qwen3-Omni-30B-A3B-Instruct", "qwen3_omni_nothink"), ("Qwen/Qwen3-Omni-30B-A3B-Thinking", "qwen3_omni"),
        ("mine", "qwen2_omni"),
    ],
)  # fmt: skip
def test_llamafactory_has_the_template_of_the_model(model: str, template: str, run: Run, tmp_path: Path) -> None:
    text = (made(run, "llamafactory", "sft", tmp_path, recipe=recipe(tmp_path, model)) / "train.yaml").read_text()
    told = yaml.safe_load(text)
    assert (told["template"], told["cutoff_len"]) == (template, CUTOFF)
    assert ("is a guess" in text) is (model == "mine")


def test_no_wrong_option_passes_for_the_gold(tmp_path: Path) -> None:
    for gold, other, rewarded in REWARDED:
        assert same_numbers(gold, other) or not rewarded, (gold, other)
    assert not any(same_numbers(gold, other) for gold, other, rewarded in REWARDED if not rewarded)
    assert same_letters("C#", "c")
    assert not same_letters("声", "音")
    root = tmp_path / "clips"
    held = [
        item(0, root, choices=["C", "C#", "D"], answer="C"),
        item(1, root, choices=["it is 2", "they are 2", "one"], answer="it is 2"),
        item(2, root, choices=["a", "C", "C#"], answer="a"),  # two wrong ones may be the same
        item(3, root),
    ]
    run = make_run(tmp_path, held, ["strong"] * 4)
    for name, left in (("nemo-rl", "toy/0"), ("r1-aqa", "toy/1")):
        out = tmp_path / name
        told = export(run, split=SPLIT, stage="grpo", out=out, format=name, disjoint="none", progress=False)
        assert told.items == 3
        assert f"a wrong option that the trainer's reward takes for the gold, e.g. {left}: left out" in told.notes[-1]
    sft = make_run(tmp_path / "sft", held, ["weak"] * 4)
    assert export(sft, split=SPLIT, stage="sft", out=tmp_path / "s", format="nemo-rl", progress=False).items == 4


@pytest.mark.parametrize("name", ["a?b", "a[x]", "a*", "a::b", "$HOME", "${HOME}"])
def test_a_folder_that_load_dataset_takes_for_a_pattern_is_told(name: str, run: Run, tmp_path: Path) -> None:
    [note] = export(run, split=SPLIT, stage="sft", out=tmp_path / name / "x", format="trl", progress=False).notes
    assert "in the path of the folder is a pattern or a variable to datasets.load_dataset" in note
    plain = tmp_path / "a$ {b}, (c)=:d~#%20"
    assert export(run, split=SPLIT, stage="sft", out=plain, format="trl", progress=False).notes == ()


def test_where_no_item_is_weak_there_is_nothing_to_hold_grpo_apart_from(tmp_path: Path) -> None:
    run = make_run(tmp_path, [item(0, tmp_path / "clips"), item(1, tmp_path / "clips")], ["strong"] * 2)
    for disjoint in get_args(Disjoint)[:2]:
        told = export(
            run, split=SPLIT, stage="grpo", out=tmp_path / disjoint, format="verl", disjoint=disjoint, progress=False
        )
        assert (told.items, told.notes) == (2, ())
    with pytest.raises(AudiocontribError, match="no item is weak"):
        export(run, split=SPLIT, stage="sft", out=tmp_path / "sft", format="trl", progress=False)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"jsonl", "datasets"}))
def test_a_question_with_a_models_own_sound_token_is_left_out(name: str, tmp_path: Path) -> None:
    root, stage = tmp_path / "clips", FORMATS[name].stages[-1]
    held = [item(0, root), *(item(n, root, question=f"a {token}?") for n, token in enumerate(SOUND_TOKENS, 1))]
    run = make_run(tmp_path, held, ["weak"] * len(held))
    given = {"split": SPLIT, "stage": stage, "format": name, "part": "weak", "progress": False}
    if stage == "grpo":
        given["disjoint"] = "none"
    assert export(run, out=tmp_path / "out", **given).items == 1
    only = make_run(tmp_path / "only", held[1:], ["weak"] * (len(held) - 1))
    with pytest.raises(AudiocontribError, match="no item is left to export"):
        export(only, out=tmp_path / "none", **given)
