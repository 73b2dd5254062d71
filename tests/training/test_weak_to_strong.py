"""The loop: split, train, and compare on held-out items; what is done is not done again."""

from __future__ import annotations

import re
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
from audiocontrib.errors import UsageError
from audiocontrib.store import Run
from audiocontrib.training import read_training_recipe
from audiocontrib.weak_to_strong import TRAINED, read_plan, weak_to_strong

pd = lazy("pandas")

pytestmark = needs("trl")
RECIPES = ROOT / "recipes"
TINY = "tiny-qwen2.5-omni"


def plan(folder: Path, recipe: dict | None = None, **changes: object) -> Path:
    """A plan that takes seconds: two steps each."""
    stage = {"learning_rate": 1e-4, "steps": 2, "copies": 1, "save_every": 1}
    made = {
        "about": "a trial", "model": TINY, "disjoint": "item",
        "sft": stage | {"part": "weak", "batch": 4},
        "grpo": stage | {"part": "strong", "batch": 8, "generations": 4, "new_tokens": 8},
    }  # fmt: skip
    (folder / "training.yaml").write_text(yaml.safe_dump(made | (recipe or {})))
    given = {
        "about": "a trial", "training": "training.yaml", "raters": [TINY, "mock:leak=0.5"], "orders": "given",
        "data": {"dataset": "demo", "seed": 3, "limit": 16}, "held_out": {"dataset": "demo", "seed": 4, "limit": 8},
    }  # fmt: skip
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(given | changes))
    return path


@pytest.mark.slow
def test_the_loop_is_closed_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, out = plan(tmp_path), tmp_path / "out"
    said: list[str] = []
    learned = weak_to_strong(path, out, progress=False, say=said.append, model_options={"device": "cpu"})
    assert [line[:6] for line in said] == [f"{n} of 5" for n in range(1, 6)]
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
        ({"held_out": {"dataset": "demo", "seed": 3, "limit": 5}}, "share .* recordings"),
        ({"training": "none.yaml"}, "the recipe cannot be read"),
    ],
)
def test_a_wrong_plan_is_one_line(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        weak_to_strong(plan(tmp_path, **changes), tmp_path / "out", progress=False)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", sorted((RECIPES / "weak_to_strong").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_plans_that_ship_can_be_read(path: Path) -> None:
    given, training = read_plan(path)
    assert given.about
    assert read_training_recipe(training).model in given.raters


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
