"""The audit from the command line: data sets, runs, other sets, exit codes; and the split rule on its scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from helpers.audited import ARTEFACTS, innocent, planted

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items, item_from_row


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["audit", *map(str, arguments), "--quiet"])


def write(folder: Path, rows: list[dict[str, Any]], name: str = "set.jsonl") -> Path:
    path = folder / name
    lines = [
        {"id": i, "question": r["question"], "choices": r["choices"], "answer": r["answer"], "audio": f"{i}.wav"}
        for i, r in enumerate(rows)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def shortcut(tmp_path: Path) -> Path:
    """A set whose gold has a word of its own in half of the items."""
    return write(tmp_path, planted(200, ARTEFACTS["gold has a word of its own"][0], share=0.5).to_pylist())


@pytest.mark.slow
def test_findings_as_a_table_and_for_machines(shortcut: Path) -> None:
    asked = ("--dataset", shortcut, "--answer-as", "index")
    table = call(*asked)
    assert table.exit_code == 0, table.output
    assert "classifier that sees the options alone" in table.stdout
    assert "all or none of the above" not in table.stdout  # nothing was found there
    assert "classifier that sees options: it goes by" in table.stderr
    assert "zarquon" in table.stderr
    assert "all or none of the above" in call(*asked, "--all").stdout
    made = json.loads(call(*asked, "--format", "json").stdout)
    assert made["worst"] == "alarm"
    assert {f["check"]: f for f in made["findings"]}["classifier that sees the options alone"]["severity"] == "alarm"


def test_fail_on(shortcut: Path, tmp_path: Path) -> None:
    failed = call("--dataset", shortcut, "--answer-as", "index", "--fail-on", "alarm", "--check", "probes")
    assert failed.exit_code == 1
    assert "findings are alarms or worse" in failed.stderr
    fine = write(tmp_path, innocent(200).to_pylist(), "fine.jsonl")
    assert call("--dataset", fine, "--answer-as", "index", "--fail-on", "note", "--check", "surface").exit_code == 0


def test_other_sets_are_searched(shortcut: Path, tmp_path: Path) -> None:
    rows = innocent(30, seed=5).to_pylist()
    ours, theirs = write(tmp_path, rows[:20], "ours.csv.jsonl"), write(tmp_path, rows[10:], "theirs.jsonl")
    # a file of one's own gives the answer as text
    for path, part in ((ours, rows[:20]), (theirs, rows[10:])):
        write(tmp_path, [r | {"answer": r["choices"][r["answer"]]} for r in part], path.name)
    found = json.loads(
        call("--dataset", ours, "--against", f"bench={theirs}", "--check", "duplicates", "--format", "json").stdout
    )
    assert len([p for p in found["pairs"] if p["kind"] == "same text, other set"]) == 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a data set with --dataset, or a run with --run"),
        (("--dataset", "demo", "--run", "runs/x"), "one of the two"),
        (("--dataset", "none.jsonl"), "none.jsonl"),
        (("--dataset", "demo", "--limit", "3", "--check", "probe"), "did you mean 'probes'"),
        (("--dataset", "demo", "--limit", "3", "--against", "bench"), "FIELD=COLUMN"),
    ],
)
def test_bad_input_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    done = call(*arguments)
    assert done.exit_code in (1, 2)
    assert message in done.stderr.strip().splitlines()[-1]


def test_three_items_are_no_reason_for_a_traceback(tmp_path: Path) -> None:
    done = call("--dataset", write(tmp_path, innocent(3).to_pylist()), "--answer-as", "index")
    assert done.exit_code == 0, done.output
    assert "classifiers need 50 on 10" in done.stdout


@pytest.mark.slow
def test_scores_stay_in_the_run_and_feed_a_split(tmp_path: Path) -> None:
    table = planted(150, ARTEFACTS["gold has a word of its own"][0], share=0.5)
    items = Items([item_from_row(row | {"extra": "{}"}) for row in table.to_pylist()], origin={"name": "toy"})
    run = ac.score(items, ["mock:name=m"], ["text"], run=tmp_path / "run", progress=False)
    with pytest.raises(AudiocontribError, match="holds no audit; make one first"):
        ac.split(run, rule="audit", condition="text")
    done = call("--run", run.path, "--check", "probes")
    assert done.exit_code == 0, done.output
    assert run.query("select count(text_both) as n from audit").n[0] == 150
    made = ac.split(run, rule="audit", condition="text")
    marked = {r["item_id"] for r in table.to_pylist() if "zarquon" in r["choices"][r["answer"]]}
    weak = {r["item_id"] for r in made.table.to_pylist() if r["split"] == "weak"}
    assert len(weak & marked) > 0.8 * len(marked)
    assert len(weak - marked) < 0.2 * 150
    assert "a text-only classifier gives the gold" in made.table["reason"][0].as_py()
    assert ac.split(run, rule="audit", condition="text", score="text_options").findings == {"score": "text_options"}
    with pytest.raises(UsageError, match="score is 'aflite', but must be 'text_both', 'text_options'"):
        ac.split(run, rule="audit", condition="text", score="aflite")
