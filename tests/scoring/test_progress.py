"""Progress: a bar in a terminal, plain lines in a log file."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from helpers.store_tools import response

from audiocontrib.responses import Outcome
from audiocontrib.scoring import progress
from audiocontrib.scoring.progress import Progress

SCORE = ["-m", "audiocontrib", "score", "--dataset", "demo", "--limit", "12", "--model", "mock:skill=1,seconds=0.01",
         "--condition", "audio", "--condition", "text"]  # fmt: skip


def test_a_log_file_gets_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with Progress("tiny", 10, shown=True) as bar:
        bar.skip(4)
        bar.add([response(0), response(1, condition="silence", choice=0, correct=False)])
        bar.add([response(2, Outcome.FAILED)])
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert re.fullmatch(
        r"tiny: 6 of 10 questions \(60%\), [\d.,]+ a second, [\d:]+ left, audio 100%, silence 0%", lines[0]
    )
    assert lines[-1].startswith("tiny: 7 of 10 questions (70%)")
    assert lines[-1].endswith(", audio 100%, silence 0%, failed 1")


def test_lines_come_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("tiny", 10, shown=True) as bar:
        for number in range(10):
            bar.add([response(number)])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_nothing_is_shown_where_nothing_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("tiny", 10, shown=False) as bar:
        bar.add([response(0)])
    assert capsys.readouterr().err == ""


def test_what_was_done_before_is_no_speed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress("tiny", 200_000, shown=True) as bar:
        time.sleep(0.6)  # tqdm looks at the speed every half second
        bar.skip(100_000)
        for number in range(2):
            time.sleep(0.6)
            bar.add([response(number)])
        drawn = capsys.readouterr().err.split("\r")  # before the end: the bar is drawn though few were added
    assert "100002/200000" in drawn[-1]
    speed = re.search(r"([\d.]+)q/s", drawn[-1])
    assert speed is not None
    assert 0 < float(speed[1]) < 10


@pytest.mark.slow
def test_a_log_of_the_command_has_no_control_characters(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, *SCORE, "--run", str(tmp_path / "r")], capture_output=True, text=True, check=True
    )
    assert "\r" not in done.stderr
    assert "\x1b" not in done.stderr
    assert re.search(
        r"^mock: \d+ of \d+ questions \(100%\), .* a second, 0:00:00 left, audio 100%", done.stderr, re.MULTILINE
    )


@pytest.mark.slow
def test_a_terminal_gets_a_bar(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    process = subprocess.Popen(
        [sys.executable, *SCORE, "--run", str(tmp_path / "r")], stdout=subprocess.DEVNULL, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    assert process.wait() == 0
    text = seen.decode(errors="replace")
    assert "\r" in text
    assert "q/s" in text
    assert "audio=100%" in text
