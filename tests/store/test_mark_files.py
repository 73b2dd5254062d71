"""Marks as files: what is written is read back, once; what cannot be true is refused with its line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.store_tools import start

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.store import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = start(tmp_path / "r")
    ac.add_mark(made, "toy/0", "wrong key", answer="dog", by="ann", note="=2+3, 'so' \"it\" is — или")
    ac.add_mark(made, "toy/0", "fine", note="'-1")
    ac.add_mark(made, "toy/2", "clip bad", by="@bob")
    return made


def rows(run: Run) -> list[dict[str, Any]]:
    return ac.marks(run).to_pylist()


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_what_is_written_is_read_back_once(form: str, run: Run, tmp_path: Path) -> None:
    path, other = tmp_path / "out" / f"marks.{form}", start(tmp_path / "other")
    assert ac.write_marks(run, path) == 3
    assert (done := ac.read_marks(other, path)).added == 3
    assert rows(other) == rows(run)
    again = [ac.read_marks(one, path) for one in (other, run)]
    assert [(done.added, done.there, done.older) for done in again] == [(0, 3, 0)] * 2
    ac.add_mark(run, "toy/2", None, by="@bob")
    ac.add_mark(run, "toy/0", "leak")
    done = ac.read_marks(run, path)
    assert (done.added, done.there) == (0, 3)
    assert [row["kind"] for row in rows(run)] == ["leak", "wrong key"]


def test_a_spreadsheet_runs_no_cell(run: Run, tmp_path: Path) -> None:
    ac.write_marks(run, tmp_path / "m.csv")
    cells = [cell for row in csv.reader((tmp_path / "m.csv").open()) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_rows_of_a_person_are_taken_as_they_are_meant(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "by hand.csv"
    path.write_text(
        "\ufeffitem_id,kind,answer,by\ntoy/1,wrong key,dog,eva\ntoy/1,wrong key,2,max\ntoy/1,wrong key,2,max\n"
    )
    done = ac.read_marks(run, path)
    assert (done.added, done.there) == (2, 1)
    assert {(row["by"], row["option"]) for row in rows(run) if row["item_id"] == "toy/1"} == {
        ("eva", "dog"), ("max", "car"),
    }  # fmt: skip
    kept = tmp_path / "m.jsonl"
    ac.write_marks(run, kept)
    changed = [json.loads(line) for line in kept.read_text().splitlines()]
    changed[0] |= {"kind": "leak"}
    later = {"item_id": "toy/0", "kind": "ambiguous", "by": "ann", "at": "2020-01-01 00:00"}
    kept.write_text("".join(json.dumps(row) + "\n\n" for row in [*changed, later]))
    done = ac.read_marks(run, kept)
    assert (done.added, done.there, done.older) == (1, 4, 1)
    assert rows(run)[0]["kind"] == "leak"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("m.csv", "item_id,kind\ntoy/0,fine\ntoy/9,fine\n", "m.csv:3: the run holds no item 'toy/9'"),
        ("m.csv", "item_id,kind\ntoy/0,good\n", "m.csv:2: there is no mark 'good'"),
        ("m.csv", 'item_id,kind,note\ntoy/0,fine,"a\nb"\n', "m.csv:3: note is"),
        ("m.csv", "item_id,kind,anwser\ntoy/0,wrong key,dog\n", "m.csv:2: there is no column 'anwser'"),
        ("m.csv", "item_id,kind,answer\ntoy/0,wrong key,wolf\n", "m.csv:2: answer is 'wolf'"),
        ("m.csv", "item_id,kind,answer,option\ntoy/0,wrong key,0,car\n", "m.csv:2: option is 'car', but option 0"),
        ("m.csv", "item_id,kind,option\ntoy/0,fine,car\n", "m.csv:2: a corrected key goes with 'wrong key'"),
        ("m.csv", "item_id,kind\ntoy/0\n", "m.csv:2: it has not as many cells"),
        ("m.csv", "item_id,kind\ntoy/0,fine,more\n", "m.csv:2: it has not as many cells"),
        ("m.csv", "item_id,kind,at\ntoy/0,fine,today\n", "m.csv:2: at is 'today'"),
        ("m.csv", "item_id,note\ntoy/0,x\n", "m.csv:2: it has no kind"),
        ("m.jsonl", '{"item_id": "toy/0", "kind": "fine"}\n[1]\n', "m.jsonl:2: it is no JSON object"),
        ("m.jsonl", '{"item_id": ["toy/0"], "kind": "fine"}\n', "m.jsonl:1: the run holds no item ['toy/0']"),
        ("m.jsonl", '{"item_id": "toy/0", "kind": "fine", "note": 3}\n', "m.jsonl:1: note is 3"),
        ("m.jsonl", '{"item_id": "toy/0", "kind": "fine", "at": 3}\n', "m.jsonl:1: at is 3"),
        ("m.txt", "", "written and read as .csv or .jsonl"),
        ("none.csv", None, "cannot be read: No such file"),
    ],
)
def test_a_file_is_taken_whole_or_refused_with_its_line(
    name: str, text: str | None, why: str, run: Run, tmp_path: Path
) -> None:
    before = rows(run)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UsageError) as caught:
        ac.read_marks(run, tmp_path / name)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert rows(run) == before


def call(run: Run, *words: str, fails: bool = False) -> str:
    done = CliRunner().invoke(main, ["marks", "--run", str(run.path), *words])
    assert bool(done.exit_code) == fails, done.output
    return str(done.output)


def test_the_command_says_prints_writes_and_reads(run: Run, tmp_path: Path) -> None:
    call(run, "--add", "toy/1", "--kind", "wrong key", "--answer", "2", "--as", "eva", "--note", "a car")
    assert "car" in call(run)
    told = [json.loads(line) for line in call(run, "--format", "json").splitlines()]
    assert told[2] | {"at": None} == {
        "item_id": "toy/1", "kind": "wrong key", "answer": 2, "option": "car", "note": "a car", "by": "eva", "at": None,
    }  # fmt: skip
    assert "4 marks" in call(run, "--out", str(tmp_path / "m.csv"))
    assert "0 marks added, 4 there before, 0 older" in call(run, "--read", str(tmp_path / "m.csv"))
    call(run, "--take-back", "toy/1", "--as", "eva")
    assert "toy/1" not in call(run)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--add", "toy/1"), "--kind is missing"),
        (("--kind", "fine"), "name the item with --add"),
        (("--as", "ann"), "name an item with --add or --take-back"),
        (("--add", "toy/1", "--kind", "fine", "--out", "m.csv"), "one thing at a time"),
        (("--add", "toy/7", "--kind", "fine"), "no item 'toy/7'"),
        (("--add", "toy/1", "--kind", "wrong key", "--answer", "wolf"), "--answer"),
    ],
)
def test_the_command_refuses_in_one_line(words: tuple[str, ...], why: str, run: Run) -> None:
    told = call(run, *words, fails=True)
    assert why in told
    assert len(told.splitlines()) == 1
