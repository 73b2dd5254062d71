"""SIGTERM and SIGINT: what was answered is kept and not asked again; a second signal ends the process at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audiocontrib.store import Run

MODEL = """
import os, time

def answer(prompt, audio):
    with open(os.environ["ASKED"], "a") as file:
        file.write(prompt.replace("\\n", " ") + "\\n")
    time.sleep(float(os.environ["PAUSE"]))
    return "<answer>" + prompt.split("['")[1].split("'")[0] + "</answer>"
"""
N = 60


def begin(folder: Path, pause: float) -> subprocess.Popen[str]:
    (folder / "mine.py").write_text(MODEL)
    words = ["score", "--dataset", "demo", "--limit", str(N), "--model", "mine.py:answer", "--name", "m", "--method",
             "generate", "--condition", "text", "--orders", "given", "--run", "r", "--save-every", "1000"]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "audiocontrib", *words], cwd=folder, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"ASKED": str(folder / "asked"), "PAUSE": str(pause)},
    )  # fmt: skip


def asked(folder: Path) -> list[str]:
    path = folder / "asked"
    return path.read_text().splitlines() if path.exists() else []


def wait_for(folder: Path, n: int, process: subprocess.Popen[str]) -> None:
    while len(asked(folder)) < n:
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_nothing_answered_is_asked_again(number: int, code: int, tmp_path: Path) -> None:
    process = begin(tmp_path, 0.02)
    wait_for(tmp_path, random.Random(number).randrange(3, N // 2), process)
    process.send_signal(number)
    said = process.communicate()[1]
    assert process.returncode == code
    assert said.rstrip().endswith("what was answered is kept, the same command goes on from there")
    assert "Traceback" not in said
    first = asked(tmp_path)
    assert 0 < len(first) < N
    kept = Run.open(tmp_path / "r").query("from responses")
    assert len(kept) == len(first)
    again = begin(tmp_path, 0)
    assert again.wait() == 0
    assert len(asked(tmp_path)) == N
    assert len(Run.open(tmp_path / "r").query("from responses")) == N


@pytest.mark.slow
def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = begin(tmp_path, 3.0)
    wait_for(tmp_path, 1, process)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    start = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert time.monotonic() - start < 2
