"""show: a run in one screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
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
