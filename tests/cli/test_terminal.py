"""Texts of data, names of files and models: shown in a terminal, never sent to it; cells are what they are."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from audiocontrib.cli.output import emit
from audiocontrib.errors import AudiocontribError, UsageError, one_line, visible

EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[35;1mred\x1b[A\x9b31m\x08\x7f\u202etxt\u2066\x00"
OWN = re.compile(rb"\x1b\[[0-9;]*[mKA]|\r|\n|\t")
"""Control sequences of rich and tqdm."""


def test_control_characters_are_shown() -> None:
    assert visible(EVIL).isprintable()
    assert visible("two\nlines\tand — 日本語 \U0001f600") == "two\nlines\tand — 日本語 \U0001f600"
    assert json.loads(f'"{visible(EVIL)}"') == EVIL
    assert str(UsageError(f"{EVIL}: no")).isprintable()
    assert one_line(ValueError(EVIL)).isprintable()
    assert str(AudiocontribError("a\n  b")) == "a\n  b"


PROGRAM = """
import json, sys
from audiocontrib.cli import main
for words in json.loads(open(sys.argv[1]).read()):
    try:
        main(words, standalone_mode=False)
    except SystemExit:
        pass
    except Exception as error:
        if hasattr(error, "show"):
            error.show()
        else:
            raise
"""


def in_a_terminal(words: list[list[str]], folder: Path) -> bytes:
    """What commands send to a terminal, one after the other in one process."""
    (folder / "words.json").write_text(json.dumps(words))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder / "words.json")], stdin=theirs, stdout=theirs, stderr=theirs,
        cwd=folder, env=os.environ | {"TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    os.close(ours)
    assert process.wait() == 0, said[-2000:]
    return said


@pytest.mark.slow
def test_no_control_byte_of_data_reaches_a_terminal(tmp_path: Path) -> None:
    evil = EVIL.replace("\x00", "")
    rows = [
        {"id": f"q{n}{evil}", "question": f"{evil} what?", "choices": [f"a{evil}", "b"], "answer": "b",
         "audio": "a.wav", "question_type": f"kind{evil}"}
        for n in range(3)
    ]  # fmt: skip
    rows.append({"id": "bad", "question": evil, "choices": ["a"], "answer": evil})
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    odd = "evil\x1b[35;1m.jsonl"
    (tmp_path / odd).write_text("{" + evil)
    asked = ["--model", "mock:leak=0.5,name=m", "--condition", "text", "--orders", "given", "--run", "r"]
    at = ["--run", "r"]
    said = in_a_terminal(
        [
            ["score", "--dataset", "data.jsonl", *asked],
            ["show", *at],
            ["show", *at, f"q1{evil}"],
            ["show", *at, f"none{evil}"],
            ["query", "select item_id, question, choices from items", *at],
            ["query", "select item_id, question from items", *at, "--format", "csv"],
            ["query", "select item_id, question from items", *at, "--format", "json"],
            ["query", f"select {evil}", *at],
            ["query", f'select 1 as "{evil}"', *at],
            ["split", *at, "--condition", "text"],
            ["evaluate", *at, "--by", "question_type", "--format", "markdown"],
            ["contribution", *at, "--by", "question_type"],
            ["validate", "--dataset", "data.jsonl", "--table", "quarantine"],
            ["validate", "--dataset", odd],
            ["datasets", "describe", odd],
            ["audit", "--dataset", "data.jsonl", "--check", "surface"],
            ["score", "--dataset", odd, *asked],
            ["score", "--dataset", "data.jsonl", "--model", f"mock:name={evil}", "--run", "s"],
            ["query", "from items", "--run", evil],
            [evil],
        ],
        tmp_path,
    )
    assert said.count(b"what?") >= 4
    assert b"\\u001b" in said
    assert b"\x1b[35;1m" not in said  # as rich would send it, but it is the data's
    assert b"\x1b[A" not in said
    left = OWN.sub(b"", said).decode()
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left), left


CELLS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "-5", "+1.5e3", "plain", "a=b", "<script>x</script>",
         "a|b", "a\nb", "*b*", "[x](http://y)", "50% & #1_{}", ""]  # fmt: skip


@pytest.fixture
def table() -> pa.Table:
    return pa.table({"text": CELLS, "n": [-float(n) for n in range(len(CELLS))]})


def test_csv_cells_are_no_formulas(table: pa.Table, capsys: pytest.CaptureFixture[str]) -> None:
    emit(table, "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    texts = [row["text"] for row in rows]
    assert texts[:5] == [f"'{cell}" for cell in CELLS[:5]]
    assert texts[5:] == CELLS[5:]
    assert [float(row["n"]) for row in rows] == [-float(n) for n in range(len(CELLS))]


def test_markdown_cells_are_texts(table: pa.Table, capsys: pytest.CaptureFixture[str]) -> None:
    emit(table, "markdown")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CELLS) + 2
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in lines)
    assert "<script>" not in "".join(lines)
    assert r"\[x\](http" in "".join(lines)


def test_latex_cells_are_texts(table: pa.Table, capsys: pytest.CaptureFixture[str]) -> None:
    emit(table, "latex")
    out = capsys.readouterr().out
    assert r"50\% \& \#1\_\{\}" in out
    assert "a b &" in out
