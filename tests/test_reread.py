"""Stored replies are read again by today's reader; what changes is shown first, and the older reading is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.answers import READER
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.importing import import_responses
from audiocontrib.items import Items, make_item
from audiocontrib.reread import reread
from audiocontrib.responses import Outcome
from audiocontrib.store import Run

OPTIONS = ("guitar", "piano", "violin", "drum")
REPLIES = (
    "piano",
    "The answer is guitar. Wait, actually it's piano.",
    "Piano is highly unlikely.",
    "I cannot hear any audio.",
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Replies that an older reader has read: each as an option that it names."""

    def older(reply: str, choices: tuple[str, ...], **_: object) -> ac.answers.Answer:
        named = [i for i, choice in enumerate(choices) if choice in reply.lower()]
        return ac.answers.Answer(Outcome.ANSWERED, named[-1]) if named else ac.answers.Answer(Outcome.REFUSED)

    items = Items(
        [
            make_item(dataset="t", own_id=f"q{n}", question="Which?", choices=OPTIONS, answer="piano", audio=None)
            for n in range(len(REPLIES))
        ]
    )
    rows = [{"item_id": f"t/q{n}", "model": "m", "condition": "audio", "reply": r} for n, r in enumerate(REPLIES)]
    rows[1]["order"] = 1
    file = tmp_path / "answers.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with monkeypatch.context() as patch:
        patch.setattr("audiocontrib.answers.parse", older)
        made = import_responses(file, tmp_path / "run", items).run
    manifest = json.loads((made.path / "run.json").read_text())
    del manifest["reader"], manifest["sha256"]  # as older programs wrote it
    (made.path / "run.json").write_text(json.dumps(manifest))
    return Run.open(made.path)


def choices(run: Run) -> list[int | None]:
    return run.table("select choice from responses order by item_id")["choice"].to_pylist()


def test_a_dry_run_says_what_would_change_and_writes_nothing(run: Run) -> None:
    choices(run)  # a look at the answers keeps which rows are beaten
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    done = reread(run, dry_run=True)
    assert (done.reader_before, done.reader, done.written) == (1, READER, False)
    assert done.changes.to_pylist() == [
        {
            "model": "m", "condition": "audio", "n": 4, "changed": 2, "other_choice": 1,
            "answered_before": 3, "answered_now": 2, "refused_before": 1, "refused_now": 1,
            "unparsed_before": 0, "unparsed_now": 1,
        }
    ]  # fmt: skip
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before
    assert choices(run) == [1, 0, 1, None]


def test_the_new_reading_counts_and_the_older_one_is_kept(run: Run) -> None:
    reread(run)
    assert choices(run) == [1, 1, None, None]
    assert run.table("select correct from responses order by item_id")["correct"].to_pylist() == [
        True,
        True,
        False,
        False,
    ]
    [kept] = (run.path / "readings").glob("*.parquet")
    rows = pq.read_table(kept).to_pylist()
    assert [(r["choice_before"], r["choice"], r["outcome"]) for r in rows] == [
        (0, 1, "answered"),
        (1, None, "unparsed"),
    ]
    assert Run.open(run.path).reader == READER
    again = reread(Run.open(run.path))
    assert (again.reader_before, len(again.readings)) == (READER, 0)


def test_the_command_shows_examples_and_a_run_of_an_older_reader_says_so(run: Run) -> None:
    said = CliRunner().invoke(main, ["query", "select 1 as one", "--run", str(run.path)])
    assert f"read by reader 1, and today's is {READER}; `audiocontrib reread" in said.stderr
    shown = CliRunner().invoke(main, ["reread", "--run", str(run.path), "--dry-run", "--format", "csv"])
    assert shown.exit_code == 0
    assert 't/q1: "guitar" -> "piano": The answer is guitar.' in shown.stderr
    assert "of 4 replies, 2 would change; nothing was written" in shown.stderr
    assert CliRunner().invoke(main, ["reread", "--run", str(run.path)]).exit_code == 0
    said = CliRunner().invoke(main, ["query", "select 1 as one", "--run", str(run.path)])
    assert "reader" not in said.stderr


def test_a_run_that_a_newer_reader_has_read_is_left_alone(run: Run) -> None:
    reread(run)
    run.set_reader(READER + 1)
    with pytest.raises(AudiocontribError, match="update audiocontrib"):
        reread(Run.open(run.path))
