"""Certificates from the command line: held-out models, rotation, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from planted import questions

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.models.mock import MockModel, Planted

LEAKS = {f"planted/{i:05d}": i % 5 < 2 for i in range(200)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models that filter, one that reads as they do and one that only guesses; text only."""
    models = [MockModel(Planted(leak=LEAKS, seed=s, noise=0.5), f"m{s}") for s in range(4)]
    models.append(MockModel(Planted(seed=9), "guesser"))
    folder = tmp_path_factory.mktemp("certify") / "run"
    made = ac.score(questions(200), models, ["text"], run=folder, progress=False)
    ac.split(made, condition="text", models=["m0", "m1", "m2"]).save(made.split_folder("votes"))
    return folder


def certify(run: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["certify", "--run", str(run), "--split", "votes", "--format", "json", *more])


def test_a_held_out_model_certifies(run: Path) -> None:
    done = certify(run, "--model", "guesser")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["model"] == "guesser"
    assert found["residual_upper"] < 0.15
    assert found["over_filtered"] is False
    assert "at most" in done.stderr
    assert "2255 items would bound it by 2 points" in done.stderr
    [kept] = json.loads((run / "splits" / "votes" / "certificate.json").read_text())
    assert kept == pytest.approx(found)


def test_every_model_of_the_split_in_turn(run: Path) -> None:
    done = certify(run, "--rotate")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["model"] for row in rows] == ["m0", "m1", "m2"]
    assert all(100 < row["n"] < 140 for row in rows)


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--model", "m1"), 2, "m1 took part in the split 'votes', so it certifies nothing"),
        ((), 2, "--model, or say --rotate"),
        (("--model", "m3", "--rotate"), 2, "one of the two"),
        (("--model", "nobody"), 1, "nobody chose no option"),
        (("--model", "m3", "--split", "none"), 2, "no split 'none'; there are: votes"),
    ],
)
def test_refusals(run: Path, more: tuple[str, ...], code: int, message: str) -> None:
    done = certify(run, *more)
    assert done.exit_code == code
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
