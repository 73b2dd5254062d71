"""Provenance: a run keeps the steps that filled it; what older versions kept of them is read too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Items
from audiocontrib.models import load_model
from audiocontrib.provenance import (
    AuditStep,
    CertifyStep,
    CommandStep,
    DataSource,
    ImportStep,
    ScoreStep,
    SplitSettings,
    SplitStep,
    Step,
    TrainStep,
    WeakToStrongStep,
    from_json,
    provenance_of,
    run_steps,
    split_steps,
    to_json,
)
from audiocontrib.store import Run, SavedSplit

DATA = DataSource(name="demo", seed=3, limit=4)
STEPS: list[Any] = [
    ScoreStep(data=DATA, models=("a", "b"), conditions=("audio", "text"), method="generate", orders="given",
              prompt="audiomcq", run="r", shard="1/2", devices=("cpu",), model_options={"dtype": "float32"}),
    ImportStep(answers="a.jsonl", data=DATA, run="r", columns={"reply": "output"}),
    AuditStep(run="r"),
    SplitStep(run="r", name="s", settings=SplitSettings(rule="fdr", threshold=0.9, more={"fdr": 0.1})),
    CertifyStep(run="r", split="s", model=None, condition="text"),
    TrainStep(stage="sft", recipe="x.yaml", run="r", split=None, start="m", out="o", devices=2),
    WeakToStrongStep(plan="p.yaml"),
    CommandStep(words=("demo", "--limit", "20")),
]  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.step)
def test_a_step_is_read_as_it_was_written(step: Any) -> None:
    held = json.loads(json.dumps(to_json(step)))
    assert from_json(Step, held, "x.json") == step


def changed(run: Run, **facts: Any) -> Run:
    """The run with other facts in its manifest; None takes one away."""
    held = run.manifest | facts
    return Run(run.path, {name: value for name, value in held.items() if value is not None})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    items = ac.load_items("demo", seed=3, limit=4)
    folder = tmp_path_factory.mktemp("runs") / "r"
    return ac.score(items, ["mock:leak=0.5"], ["silence", "text"], orders="given", run=folder, progress=False)


def test_a_run_keeps_what_was_asked_for_however_it_was_started(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    [step] = run_steps(Run.open(run.path))
    assert step == ScoreStep(
        data=DATA, models=("mock:leak=0.5",), conditions=("silence", "text"), method="likelihood", orders="given",
        prompt="audiomcq", run=str(run.path),
    )  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["my_script.py", "score", "board"])  # no command of ours
    again = ac.score(run.load_items(), ["mock:leak=0.5"], ["silence"], orders="given", run=run.path, progress=False)
    assert [type(step) for step in run_steps(again)] == [ScoreStep, ScoreStep]
    assert "command" not in again.manifest


def test_models_that_were_made_in_python_are_told_apart(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=2)
    run = ac.score(items, [load_model("mock:name=m"), "mock"], ["text"], run=tmp_path / "r", progress=False)
    [step] = run_steps(run)
    assert isinstance(step, ScoreStep)
    assert (step.models, step.made_in_python) == (("m", "mock"), ("m",))


def test_answers_of_another_tool_are_a_step_too(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=3)
    rows = [{"item_id": item.id, "model": "m", "condition": "text", "pick": 0} for item in items]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    path = tmp_path / "answers.jsonl"
    done = ac.import_responses(path, tmp_path / "r", items, mapping={"choice": "pick"})
    [step] = run_steps(done.run)
    assert step == ImportStep(
        answers=str(path), data=DataSource(name="demo", seed=0, limit=3), run=str(tmp_path / "r"),
        columns={"choice": "pick"},
    )  # fmt: skip
    [unknown] = run_steps(changed(done.run, step=None))  # as audiocontrib 0.1 wrote it
    assert isinstance(unknown, ImportStep)
    assert unknown.answers is None


def test_commands_that_an_older_version_kept_are_steps(run: Run) -> None:
    first = ["/bin/audiocontrib", "score", "--dataset", "demo"]
    old = changed(run, step=None, earlier=[{"command": first}, {"command": first}], command=["x", "demo"])
    assert run_steps(old) == (CommandStep(words=("score", "--dataset", "demo")), CommandStep(words=("demo",)))


@pytest.mark.parametrize("command", [None, [], ["/usr/bin/python"], ["ipykernel_launcher.py", "-f", "x.json"]])
def test_of_an_old_run_that_python_filled_the_step_is_made_up(run: Run, command: Any) -> None:
    [step] = run_steps(changed(run, step=None, earlier=None, command=command))
    assert isinstance(step, ScoreStep)
    assert (step.models, step.orders, step.prompt) == (("mock",), "given", "audiomcq")


def test_shards_and_starts_that_are_alike_are_one_step(run: Run) -> None:
    same = run.manifest["step"]
    other = same | {"shard": "2/2"}
    steps = run_steps(changed(run, earlier=[{"step": same}, {"step": other}], step=same))
    assert [step.shard for step in steps if isinstance(step, ScoreStep)] == ["1/1", "2/2"]


DAMAGED: list[tuple[Any, str]] = [
    (5, "step: "),
    ({"step": "guess"}, "step: .*guess"),
    ({}, "step: "),
    ({"step": "audit"}, "step.audit.run: "),
    ({"step": "command", "words": "rm -rf"}, "step.command.words: "),
    ({"step": "command", "words": [1]}, r"step.command.words.0: .*\(it holds 1\)"),
]


@pytest.mark.parametrize(("held", "told"), DAMAGED)
def test_a_step_that_cannot_be_read_is_one_line(run: Run, held: Any, told: str) -> None:
    with pytest.raises(AudiocontribError, match=f"run.json: {told}") as caught:
        run_steps(changed(run, step=held))
    assert "\n" not in str(caught.value)


def test_paths_are_as_one_would_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    origin = {"name": "own", "path": str(tmp_path / "data" / "own.csv"), "audio_root": "/clips", "answer_as": "text"}
    data = DataSource.of(origin | {"left_out": {"open": 3}, "sha256": {}})
    assert (data.path, data.audio_root) == (str(Path("data") / "own.csv"), "/clips")


def test_a_split_comes_from_its_run_and_one_of_elsewhere_says_how_it_was_made(run: Run, tmp_path: Path) -> None:
    made = ac.split(run, rule="votes", condition="silence")
    inside = made.save(run.split_folder("s"))
    outside = made.save(tmp_path / "elsewhere")
    here, there = (provenance_of(run, SavedSplit.open(folder), "weak") for folder in (inside, outside))
    none = provenance_of(run, None, "weak")
    assert here.rule == there.rule == SplitSettings(rule="votes", threshold=0.5, condition="silence", models=("mock",))
    assert (here.split, there.split, none.split) == ("s", str(outside), None)
    assert here.steps[-1] == SplitStep(run=str(run.path), name="s", settings=here.rule)
    assert there.steps == none.steps == here.steps[:-1]
    pq.write_table(made.table, outside / "split.parquet")  # of another program: its own metadata says nothing
    (outside / "settings.json").write_text('{"mine": true}')
    assert provenance_of(run, SavedSplit.open(outside), "weak").rule is None
    (outside / "settings.json").write_text('{"rule": "votes", "models": 3}')
    with pytest.raises(AudiocontribError, match=r"settings\.json is damaged: models: .*\(it holds 3\)"):
        provenance_of(run, SavedSplit.open(outside), "weak")


def test_the_rule_that_reads_an_audit_needs_it_first(run: Run) -> None:
    steps = split_steps(run, "s", SplitSettings(rule="audit"))
    assert [type(step) for step in steps] == [AuditStep, SplitStep]


def test_data_that_was_made_in_python(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=2)
    run = ac.score(Items(list(items)), ["mock"], ["text"], run=tmp_path / "r", progress=False)
    [step] = run_steps(run)
    assert isinstance(step, ScoreStep)
    assert step.data == DataSource()
