"""A data set without golds: it is asked, nothing is scored, and every command that reads it or its run says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.manifests import lines, row, write

from audiocontrib.cli import main
from audiocontrib.cli.output import WITHOUT_GOLD


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [{k: v for k, v in row(n).items() if k != "answer"} for n in range(4)]
    data = write(tmp_path / "my.jsonl", lines(*rows))
    given = ("--dataset", data, "--map", "answer=-", "--model", "mock", "--condition", "text", "--condition", "silence")
    scored = call("score", *given, "--run", tmp_path / "run")
    assert scored.exit_code == 0
    assert f"my: {WITHOUT_GOLD}" in scored.stderr
    return tmp_path / "run"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("contribution",),
        ("evaluate",),
        ("show",),
        ("query", "select count(*) from items"),
        ("split", "--threshold", "0.5"),
        ("report",),
    ],
    ids=lambda command: command[0],
)
def test_every_command_on_its_run_says_so(command: tuple[str, ...], run: Path) -> None:
    done = call(*command, "--run", run)
    assert f"{run}: {WITHOUT_GOLD}" in done.stderr
    assert done.exit_code == 0
    assert "Traceback" not in done.output


def test_one_gold_is_enough_to_say_nothing(tmp_path: Path) -> None:
    data = write(tmp_path / "my.jsonl", lines(row(1), row(2)))
    shown = call("score", "--dataset", data, "--model", "mock", "--condition", "text", "--run", tmp_path / "run")
    assert WITHOUT_GOLD not in shown.stderr
    assert WITHOUT_GOLD not in call("show", "--run", tmp_path / "run").stderr
