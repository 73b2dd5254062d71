"""show: a run in one screen."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.items import Items, Quarantined
from audiocontrib.store import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    items = ac.load_items("demo", limit=12)
    return ac.score(
        items,
        ["mock:name=a", "mock:name=b"],
        ["silence", "text"],
        run=tmp_path_factory.mktemp("r") / "r",
        progress=False,
    )


def said(*words: str) -> list[str]:
    done = CliRunner().invoke(main, ["show", *words])
    assert done.exit_code == 0, done.output
    return done.stderr.splitlines()


def test_what_was_asked_of_whom_and_what_comes_next(run: Run) -> None:
    lines = said("--run", str(run.path))
    assert lines[0].startswith("demo: 12 items on ")
    assert lines[0].endswith(" clips, 0 quarantined")
    assert lines[1] == "models: a, b"
    assert lines[2] == "asked: silence, text; likelihood, orders cyclic, prompt audiomcq"
    asked = 4 * sum(len(item.choices) for item in run.load_items())
    assert lines[3] == f"answers: {asked:,}, 0 failed"
    assert f"next: audiocontrib split --run {run.path} --threshold 0.5" in lines


def test_splits_are_named_with_their_sizes(run: Run) -> None:
    split = ac.split(run, rule="votes")
    split.save(run.split_folder("votes"))
    parts = split.table["split"].to_pylist()
    lines = said("--run", str(run.path))
    assert f"split votes: {parts.count('strong')} strong, {parts.count('weak')} weak, 0 undecided" in lines
    assert f"next: audiocontrib card --run {run.path} --split votes" in lines
    assert not any("--threshold" in line for line in lines)


def test_what_is_left_is_counted(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=12)
    run = ac.score(items, ["mock"], ["text"], run=tmp_path / "r", shard="1/2", progress=False)
    whole = sum(len(item.choices) for item in items)
    there = len(run.responses)
    assert 0 < there < whole
    assert said("--run", str(run.path))[3] == f"answers: {there}, 0 failed, {whole - there} not asked yet"


@pytest.mark.slow
def test_an_unfinished_run_goes_on_with_the_command_that_began_it(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=12)
    run = ac.score(items, ["mock"], ["text"], run=tmp_path / "my run", shard="1/2", progress=False)
    begun = ["score", "--dataset", "demo", "--limit", "12", "--model", "mock", "--condition", "text"]
    manifest = run.path / "run.json"

    def begin(*words: str) -> list[str]:
        facts = json.loads(manifest.read_text()) | {"command": ["/bin/audiocontrib", *begun, *words]}
        facts.pop("step", None)  # as audiocontrib 0.1 wrote it
        facts.pop("sha256", None)  # changed by hand
        manifest.write_text(json.dumps(facts))
        lines = said("--run", str(run.path))
        return lines[next(i for i, line in enumerate(lines) if line.startswith("next: ")) :]

    first, second = begin("--run", str(run.path))
    assert first == f"next: audiocontrib {shlex.join(begun)} --run '{run.path}'"
    assert second == f"      audiocontrib split --run '{run.path}' --threshold 0.5"
    assert begin("--run", str(run.path), "--shard", "1/2")[0] == f"next: {second.strip()}"  # it would find nothing
    again = CliRunner().invoke(main, shlex.split(first.removeprefix("next: audiocontrib ")))
    assert again.exit_code == 0, again.output
    assert "not asked yet" not in said("--run", str(run.path))[3]


def test_failures_what_is_set_aside_an_audit_and_a_report_are_named(tmp_path: Path) -> None:
    items = ac.load_items("demo", limit=12)
    aside = Quarantined("demo", "gone.wav", None, "audio", "is missing", item_id="demo/gone")
    run = ac.score(
        Items(list(items), [aside]),
        ["mock:fail=0.5,fail_always=1"],
        ["text"],
        orders="given",
        run=tmp_path / "r",
        progress=False,
    )
    failed = int((run.responses["outcome"] == "failed").sum())
    assert 0 < failed < 12
    lines = said("--run", str(run.path))
    assert lines[0].endswith(", 1 quarantined")
    assert lines[3] == f"answers: {12 - failed}, {failed} failed"
    assert lines[-1] == f"      audiocontrib report --run {run.path}"
    run.save_audit(run.table("select item_id, 0.5 as p_text from items"))
    (run.path / "report.html").write_text("<p>")
    lines = said("--run", str(run.path))
    assert f"audit: {run.path / 'audit.parquet'}" in lines
    assert f"report: {run.path / 'report.html'}" in lines
    assert lines[-1].startswith("next: ")


def test_the_run_can_be_named_in_place_of_an_item(run: Run) -> None:
    assert said(str(run.path)) == said("--run", str(run.path))
    twice = CliRunner().invoke(main, ["show", str(run.path), "--run", str(run.path)])
    assert twice.exit_code == 2
    assert twice.stderr.startswith("error: two runs are named: ")
