"""The loop: split, train, and compare on held-out items; what is done is not done again."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from helpers import ROOT
from helpers.lazy import lazy, needs

from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models import TINY as TINIES
from audiocontrib.store import Run
from audiocontrib.training import read_training_recipe
from audiocontrib.training.output.training_record import read_record
from audiocontrib.weak_to_strong import TRAINED, read_plan, weak_to_strong

pd = lazy("pandas")

pytestmark = needs("trl")
RECIPES = ROOT / "recipes"
TINY = "tiny-qwen2.5-omni"


STAGE = {"learning_rate": 1e-4, "steps": 2, "copies": 1, "save_every": 1}
SFT = STAGE | {"part": "weak", "batch": 4}
GRPO = STAGE | {"part": "strong", "batch": 8, "generations": 4, "new_tokens": 8}


def plan(folder: Path, recipe: dict | None = None, **changes: object) -> Path:
    """A plan that takes seconds: two steps each."""
    made = {"about": "a trial", "model": TINY, "disjoint": "item", "sft": SFT, "grpo": GRPO}
    (folder / "training.yaml").write_text(yaml.safe_dump(made | (recipe or {})))
    given = {
        "about": "a trial", "training": "training.yaml", "raters": [TINY, "mock:leak=0.5"], "orders": "given",
        "data": {"dataset": "demo", "seed": 3, "limit": 16}, "held_out": {"dataset": "demo", "seed": 4, "limit": 8},
    }  # fmt: skip
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(given | changes))
    return path


def watching(items: int) -> dict:
    """A recipe whose first stage watches so many items, and that has no second one."""
    watch = {"items": items, "every": 1, "method": "likelihood"}
    return {"grpo": None, "sft": {"part": "weak", "learning_rate": 1e-4, "steps": 2, "batch": 4, "watch": watch}}


@pytest.mark.slow
def test_the_loop_is_closed_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, out = plan(tmp_path), tmp_path / "out"
    said: list[str] = []
    learned = weak_to_strong(path, out, progress=False, say=said.append, model_options={"device": "cpu"})
    assert [line[:6] for line in said if " of 5: " in line] == [f"{n} of 5" for n in range(1, 6)]
    assert re.fullmatch(
        r"the design: 8 held-out questions about \d clips, one seed, which says nothing of other trainings: a change "
        r"of accuracy shows from .* on, .*",
        said[0],
    )
    assert any(re.match(r"note: grpo: \d+ of \d+ items are other questions about recordings", line) for line in said)
    rows = learned.changes.to_pylist()
    assert {row["model"] for row in rows} == {TRAINED}
    assert {row["baseline"] for row in rows} == {TINY}
    whole = [row for row in rows if row["part"] == "all"]
    assert [row["measure"] for row in whole] == [
        "accuracy, audio", "accuracy, silence", "accuracy, text",
        "what the audio adds over silence", "what the audio adds over text",
    ]  # fmt: skip
    assert all(row["n"] == 8 for row in whole)
    assert {row["part"] for row in rows} <= {"all", "strong", "weak"}
    assert (learned.model / "model.safetensors").exists()
    for run in (learned.run, learned.held_out):
        assert "| all | " in (run / "splits" / "trained-on" / "README.md").read_text()
    card = (learned.model / "README.md").read_text()
    assert card.count("| what the audio adds over silence | 8 |") == 1
    assert card.count("| accuracy, ") == sum(row["measure"].startswith("accuracy") for row in rows)
    blocks = re.findall(r"(?ms)^```(\w*)\n(.*?)\n```$", card.split("## How to make it again")[1])
    assert blocks[0] == ("", "audiocontrib weak-to-strong --plan plan.yaml")
    (tmp_path / "card").mkdir()
    for name, (kind, text) in zip(("plan.yaml", "training.yaml"), blocks[1:], strict=False):
        assert kind == "yaml"
        (tmp_path / "card" / name).write_text(text)
    given, training = read_plan(tmp_path / "card" / "plan.yaml")
    assert replace(given, training="training.yaml") == read_plan(path)[0]
    assert read_training_recipe(training) == read_training_recipe(path.parent / "training.yaml")
    models = set(Run.open(learned.held_out).responses["model"])
    assert models == {TINY, TRAINED, "mock"}

    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.parquet") if "splits" not in p.parts}
    again = weak_to_strong(path, out, progress=False, model_options={"device": "cpu"})
    pd.testing.assert_frame_equal(again.changes.to_pandas(), learned.changes.to_pandas())
    assert {p: p.stat().st_mtime_ns for p in before} == before


@pytest.mark.slow
def test_a_plan_without_a_stage_leaves_it_out(tmp_path: Path) -> None:
    path = plan(tmp_path, recipe={"grpo": None})
    said: list[str] = []
    learned = weak_to_strong(path, tmp_path / "out", progress=False, say=said.append, model_options={"device": "cpu"})
    assert "3 of 5: the recipe has no grpo" in said
    assert learned.model.parent.name == "sft"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rater": ["a"]}, "there is no field 'rater'"),
        ({"raters": "a"}, "raters is 'a', but must be a list"),
        ({"data": {"seed": 1}}, "the field 'data.dataset' is missing"),
        ({"held_out": {"dataset": "demo", "seed": 3, "limit": 5}}, r"share \d+ recordings, e.g. that of demo/"),
        ({"training": "none.yaml"}, "the recipe cannot be read"),
        ({"rule": "vote"}, "rule"),
        ({"threshold": 50}, "threshold is 50, but must be a number between 0 and 1"),
        ({"condition": "silent"}, "condition"),
        ({"condition": "text", "conditions": ["audio", "silence"]}, "conditions has no 'text'"),
        ({"condition": "audio"}, "condition is audio, which does not hide the item's own clip"),
        ({"condition": "reverse", "conditions": ["audio", "reverse"]}, "does not hide the item's own clip"),
        ({"orders": "any"}, "orders"),
        ({"method": "guess"}, "method is 'guess', but must be 'likelihood' or 'generate'"),
        ({"prompt": "none"}, "prompt"),
        ({"seeds": 0}, "seeds is 0"),
        ({"trainer": "trl"}, "trainer is 'trl', but must be 'ours' or 'ms-swift'"),
        ({"raters": [TINY, "no-such"]}, "no-such"),
        ({"data": {"dataset": "demo", "limit": 4, "mapping": {"quest": "q"}}}, "mapping"),
    ],
)
def test_a_wrong_plan_is_one_line(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        weak_to_strong(plan(tmp_path, **changes), tmp_path / "out", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "recipe", "words"),
    [
        ({"rule": "audit"}, {}, "cannot be split by the rule audit: the run holds no audit"),
        ({"rule": "posterior"}, {}, "cannot be split by the rule posterior: .* needs a model that answered in two"),
        ({"data": {"dataset": "{keyed}"}}, {}, "data: none of the first 1 clips can be heard, e.g. a.wav"),
        ({"raters": ["{folder}"]}, {}, "the folder holds no weights"),
        ({}, {"model": "{folder}"}, "the folder holds no weights"),
        ({}, {"model": "mock"}, "mock cannot be trained here"),
        ({"held_out": {"dataset": "{set}", "mapping": {"answer": "-"}}}, {}, "held_out: no question has a gold answer"),
        ({}, watching(16), r"sft\.watch\.items is 16, but data has 16 items: watch fewer"),
        (
            {},
            {"grpo": GRPO | {"pass_audio": [0, 1]}},
            r"several raters; name one as grpo\.rater: tiny-qwen2.5-omni, mock",
        ),
        (
            {"condition": "text", "conditions": ["audio", "text"]},
            {"grpo": GRPO | {"pass_silent": [-1, 0.6], "rater": TINY}},
            r"grpo\.pass_silent needs answers under silence",
        ),
        (
            {},
            {"grpo": GRPO | {"weigh": True, "rater": "nobody"}},
            r"grpo\.rater is nobody, which is none of the raters",
        ),
        ({}, {"sft": SFT | {"steps": 1}}, "the learning rate is 0 in every step"),
        ({}, {"grpo": GRPO | {"batch": 256}}, "there are 16 rows, but a step asks 64 questions"),
        (
            {},
            {"sft": SFT | {"target": "<think>{why}</think><answer>{gold}</answer>"}},
            r"sft\.target can be filled by no item of data, e\.g\. demo/.*: its extra has no field 'why'",
        ),
        (
            {},
            {"sft": SFT | {"target": "<|im_end|> <answer>{gold}</answer>"}},
            r"target: it holds the model's control token",
        ),
        ({"trainer": "ms-swift"}, watching(10), r"ms-swift does not watch: leave sft\.watch out of the recipe"),
        # what is watched is of the data: a held-out set cannot have it
        ({"held_out": {"dataset": "demo", "seed": 3, "limit": 5}}, watching(10), r"share \d+ recordings"),
    ],
)
def test_what_would_fail_later_fails_before_anything_is_asked(
    tmp_path: Path, changes: dict, recipe: dict, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "weightless").mkdir()
    (tmp_path / "weightless" / "config.json").write_text("{}")
    (tmp_path / "set.jsonl").write_text('{"question": "q", "choices": ["a", "b"], "audio": "a.wav"}\n')
    keyed = tmp_path / "keyed.jsonl"
    keyed.write_text('{"question": "q", "choices": ["a", "b"], "audio": "a.wav", "answer": "a"}\n')
    named = {"{folder}": "weightless", "{set}": "set.jsonl", "{keyed}": "keyed.jsonl"}
    named = {name: str(tmp_path / file) for name, file in named.items()}

    def filled(value: object) -> object:
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        return [filled(one) for one in value] if isinstance(value, list) else named.get(str(value), value)

    path = plan(tmp_path, filled(recipe), **filled(changes))  # type: ignore[arg-type]
    with pytest.raises(AudiocontribError, match=words) as caught:
        weak_to_strong(path, tmp_path / "out", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_several_seeds_are_compared_together(tmp_path: Path) -> None:
    path, out = plan(tmp_path, recipe={"grpo": None}), tmp_path / "out"
    one = weak_to_strong(path, out, progress=False)
    path = plan(tmp_path, recipe={"grpo": None}, seeds=3)
    said: list[str] = []
    learned = weak_to_strong(path, out, progress=False, say=said.append)
    assert learned.models == (one.model, out / "seed-1" / "sft" / "model", out / "seed-2" / "sft" / "model")
    assert "2 of 5: sft of tiny-qwen2.5-omni on" in "".join(said)
    rows = learned.changes.to_pylist()
    assert {(row["model"], row["seeds"]) for row in rows} == {("trained (3 seeds)", 3)}
    seeds = [read_record(model.parent).stages[-1].settings.seed for model in learned.models]
    assert seeds == [0, 1, 2]
    assert "3 seeds" in (learned.models[1] / "README.md").read_text()


@pytest.mark.slow
def test_another_trainer_is_waited_for(tmp_path: Path) -> None:
    path, out = plan(tmp_path, recipe={"grpo": None}, trainer="ms-swift"), tmp_path / "out"
    for _ in range(2):
        with pytest.raises(AudiocontribError, match=r"sft: \d+ rows for ms-swift are in .*, and give the same command"):
            weak_to_strong(path, out, progress=False)
    assert (out / "sft" / "rows" / "sft.jsonl").exists()
    shutil.copytree(TINIES / TINY, out / "sft" / "rows" / "trained" / "checkpoint-2")
    (out / "sft" / "rows" / "trained" / "last").symlink_to("checkpoint-2")  # as the script leaves it
    learned = weak_to_strong(path, out, progress=False)
    assert learned.model == out / "sft" / "rows" / "trained" / "last"
    assert all(row["change"] == 0 for row in learned.changes.to_pylist())


@pytest.mark.parametrize("path", sorted((RECIPES / "weak_to_strong").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_plans_that_ship_can_be_read(path: Path) -> None:
    given, training = read_plan(path)
    assert given.about
    assert read_training_recipe(training).grpo is not None


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["weak-to-strong", "--plan", str(tmp_path / "none.yaml")])
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")
    assert "the plan cannot be read" in done.stderr


def test_the_module_loads_no_room_before_it_is_used() -> None:
    rooms = ("splits", "sources", "models", "scoring", "training", "evaluation", "store")
    code = f"import sys, audiocontrib.weak_to_strong; print([m for m in {rooms} if 'audiocontrib.' + m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
