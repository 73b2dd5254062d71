"""What mypy says of a user's script: mistakes are errors, results have types."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

SCRIPT = """
import audiocontrib as ac

items = ac.load_items([{"question": "?", "choices": ["a", "b"], "answer": "a", "audio": "a.wav"}])
run = ac.score(items[:3], "mock", "text", run="runs/typed")
ac.score(list(items), ["mock", ac.load_model("mock")], [ac.condition("text"), "audio"], run=run)
ac.score(items, lambda prompt, audio: "a", method="generate", run=run)
ac.accuracy(run, by=["question_type"], condition="text")

reveal_type(items[0])  # Item
reveal_type(items[:2])  # Items
reveal_type(run)  # Run
reveal_type(ac.split(run))  # Split
reveal_type(run.split("votes"))  # SavedSplit
reveal_type(ac.measure(run, condition="text"))  # Measurement
reveal_type(ac.certify(run, split="votes", rotate=True))  # tuple
reveal_type(ac.show(run))  # RunOverview
reveal_type(ac.show(run, "17"))  # ItemAnswers
reveal_type(ac.audit(run))  # Audit
reveal_type(ac.validate(items))  # Validation
reveal_type(ac.train(run, "sft", recipe="r.yaml"))  # TrainingOutput
reveal_type(ac.export(run, stage="sft", out="o"))  # Exported
reveal_type(ac.report(run))  # Path
reveal_type(ac.__version__)  # str

ac.score("oops", 3, nonsense=True)  # error: Unexpected keyword argument "nonsense"
ac.score("oops", "mock", run="r")  # error: Argument 1 to "score"
ac.score(items, 3, run="r")  # error: Argument 2 to "score"
ac.score(items, "mock", run=3)  # error: Argument "run" to "score"
ac.accuracy(run, condtion="text")  # error: Unexpected keyword argument "condtion"
ac.accuracy(run, condition=3)  # error: Argument "condition" to "accuracy"
ac.accuracy(run, "text")  # error: Too many positional arguments
ac.train(run, "dpo", recipe="r.yaml")  # error: Argument 2 to "train"
ac.export(run, stage="sft")  # error: Missing named argument "out"
ac.report(run, "out.html")  # error: Too many positional arguments
ac.open_run(7)  # error: Argument 1 to "open_run"
ac.load_items(7)  # error: Argument 1 to "load_items"
ac.Item(id=1, dataset="d", question="q", choices=("a", "b"), answer=0)  # error: Argument "id" to "Item"
ac.scores(run)  # error: Module has no attribute "scores"
"""
"""Behind each line, what is to be said of it; nothing is to be said of the others."""


CONFIG = """
[mypy]
strict = True
follow_imports = silent
[mypy-audiocontrib.*]
ignore_errors = True
[mypy-av.*,huggingface_hub.*,matplotlib.*,numpy.*,openai.*,optype.*,pandas.*,pydantic.*,scipy.*,sklearn.*,torch.*,transformers.*]
follow_imports = skip
follow_imports_for_stubs = True
"""
"""The package's types without the bodies of its functions, which `mypy` checks by itself; the types of arrays, tables
and networks are left out: reading them takes a minute and a half."""


@pytest.mark.slow
def test_a_script_is_checked_by_its_types(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    (tmp_path / "mypy.ini").write_text(CONFIG)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), str(script)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"MYPYPATH": str(ROOT), "PATH": ""}
    )
    said: dict[int, list[str]] = {}
    for line in done.stdout.splitlines():
        if match := re.match(r'.*script\.py:(\d+): (?:note: Revealed type is "(?:[\w.]*\.)?(\w+)|(error: .*))', line):
            said.setdefault(int(match[1]), []).append(match[2] or match[3])
    assert said, done.stdout + done.stderr
    for number, line in enumerate(SCRIPT.splitlines(), start=1):
        wanted = line.partition("  # ")[2]
        found = said.pop(number, [])
        if wanted.startswith("error"):
            assert any(one.startswith(wanted) for one in found), (line, found)
        else:
            assert found == [wanted] * bool(wanted), (line, found)
    assert not said
