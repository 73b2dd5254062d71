"""training.json: typed, with a format; what older versions wrote is read, what is damaged is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audiocontrib.errors import AudiocontribError
from audiocontrib.provenance import CommandStep, SplitSettings
from audiocontrib.training import SFT, TrainingRecipe
from audiocontrib.training.model_card.card import steps_again
from audiocontrib.training.output.training_record import (
    FORMAT,
    RECORD,
    TrainingRecord,
    read_record,
    stages_of,
    write_record,
)

OLD = Path(__file__).parent / "data" / "training-0.1.json"
"""Written by audiocontrib 0.1, which told where rows come from as shell commands."""


def old() -> dict[str, Any]:
    held: dict[str, Any] = json.loads(OLD.read_text())
    return held


def folder(tmp_path: Path, held: Any) -> Path:
    """A folder with a record and a model beside it."""
    (tmp_path / "model").mkdir(exist_ok=True)
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / RECORD).write_text(held if isinstance(held, str) else json.dumps(held))
    return tmp_path


def test_what_an_older_version_wrote_is_read(tmp_path: Path) -> None:
    record = read_record(folder(tmp_path, old()))
    assert record.identity == old()["identity"]
    assert (record.steps, record.resumed, record.format) == (2, None, FORMAT)
    [one] = record.stages
    assert (one.stage, one.start, one.part, one.steps, one.devices) == ("sft", "tiny-qwen2.5-omni", "weak", 2, 1)
    assert isinstance(one.settings, SFT)
    assert one.settings.learning_rate == 1e-4
    assert isinstance(one.recipe, TrainingRecipe)
    assert one.recipe.sft == one.settings
    assert one.model.model_class == "Qwen2_5OmniThinkerForConditionalGeneration"
    source = one.provenance
    assert source is not None
    assert source.rule == SplitSettings(rule="votes", threshold=0.5, condition="silence", models=("ma", "mb", "mc"))
    assert (source.data.name, source.data.limit, source.run, source.split) == ("demo", 24, "runs/old", "votes-0.5")
    assert all(isinstance(step, CommandStep) for step in source.steps)
    assert [step.words[0] for step in source.steps if isinstance(step, CommandStep)] == ["score"] * 3 + ["split"]
    steps, files = steps_again(record.stages)
    assert len(steps) == 5
    assert list(files) == ["recipe.yaml"]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = read_record(folder(tmp_path, old()))
    write_record(tmp_path, record)
    assert json.loads((tmp_path / RECORD).read_text())["format"] == FORMAT
    assert read_record(tmp_path) == record
    assert stages_of(tmp_path / "model") == record.stages
    write_record(tmp_path, TrainingRecord(identity={"stage": "sft"}))  # before it begins
    assert read_record(tmp_path).stages == stages_of(tmp_path / "model") == ()


def test_rows_that_were_made_in_python_come_from_nowhere(tmp_path: Path) -> None:
    held = old()
    held["stages"][0]["source"] = {}
    [one] = read_record(folder(tmp_path, held)).stages
    assert (one.provenance, one.recipe, one.part) == (None, None, "all")
    assert steps_again([one]) == ([], {})


def put(*path: Any) -> Callable[[Any], Any]:
    """A change of a record: the last of ``path`` is put in the place that the others name."""

    def change(held: Any) -> Any:
        *way, last, value = path
        inner = held
        for name in way:
            inner = inner[name]
        inner[last] = value
        return held

    return change


def drop(*path: Any) -> Callable[[Any], Any]:
    def change(held: Any) -> Any:
        *way, last = path
        inner = held
        for name in way:
            inner = inner[name]
        del inner[last]
        return held

    return change


STAGE = ("stages", 0)
DAMAGED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda held: "{", "cannot be read"),
    (lambda held: "[" * 100_000, "cannot be read"),
    (lambda held: [], "holds no record of a training"),
    (put("format", 3), r"format: a newer audiocontrib wrote it \(3; this one reads up to 2\)"),
    (put("format", "new"), "format: it is 'new', not a number"),
    (put("format", True), "format: it is True, not a number"),
    (put("format", 0), "format: it is 0, not a number"),
    (put("stages", 5), "stages: it must be a list"),
    (put("stages", [5]), r"stages\.0\.stage: it must be sft or grpo"),
    (put(*STAGE, "stage", "dpo"), r"stages\.0\.stage: it must be sft or grpo"),
    (put(*STAGE, "rows", "many"), r"stages\.0\.rows: .*'many'"),
    (put(*STAGE, "items", None), r"stages\.0\.items: .*None"),
    (drop(*STAGE, "copies"), r"stages\.0\.copies: .*required"),
    (put(*STAGE, "steps", 1.5), r"stages\.0\.steps: .*1\.5"),
    (put(*STAGE, "notes", "none"), r"stages\.0\.notes: .*'none'"),
    (put(*STAGE, "model", 1), r"stages\.0"),
    (drop(*STAGE, "model", "weights_sha256"), r"stages\.0\.model\.weights_sha256: .*required"),
    (put(*STAGE, "settings", "learning_rate", "fast"), r"stages\.0\.settings.*learning_rate"),
    (put(*STAGE, "settings", "charm", 1), r"stages\.0\.settings.*charm"),
    (put(*STAGE, "settings", None), r"stages\.0\.settings"),
    (put(*STAGE, "source", "recipe", "sft", "batch", 0), r"stages\.0\.recipe.*batch"),
    (put(*STAGE, "source", "commands", [1]), r"stages\.0\.source: commands must be texts"),
    (put(*STAGE, "source", "commands", ["it's"]), r"stages\.0\.source\.commands: No closing quotation"),
    (put(*STAGE, "source", "run", 7), r"stages\.0\.source\.run: .*7"),
    (put(*STAGE, "source", "rule", "models", 3), r"stages\.0\.source\.rule"),
    (put(*STAGE, "source", "data", "seed", "x"), r"stages\.0\.source\.data\.seed: .*'x'"),
    (put("steps", "two"), r"steps: .*'two'"),
    (drop("identity"), r"identity: .*required"),
]


@pytest.mark.parametrize("at", range(len(DAMAGED)))
def test_what_is_damaged_is_one_line_that_names_file_and_field(at: int, tmp_path: Path) -> None:
    change, told = DAMAGED[at]
    out = folder(tmp_path, change(old()))
    for read in (read_record, lambda _: stages_of(out / "model")):
        with pytest.raises(AudiocontribError, match=told) as caught:
            read(out)
        assert str(caught.value).startswith(str(out / RECORD))
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < len(str(out)) + 350
    assert str(caught.value).endswith("bring the file back, or move the model to a folder of its own")
