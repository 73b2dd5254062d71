"""Certificates from the command line: held-out models, rotation, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.planted import questions

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.models.mock import MockModel, Planted

LEAKS = {f"planted/{i:05d}": i % 5 < 2 for i in range(200)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models that filter, one that reads as they do one that only guesses, and two of one taste; text only."""
    models = [MockModel(Planted(leak=LEAKS, seed=s, noise=0.5), f"m{s}") for s in range(4)]
    models.append(MockModel(Planted(seed=9), "guesser"))
    models += [MockModel(Planted(seed=s, content_preference=9, shared_preference=1), f"twin{s}") for s in range(2)]
    folder = tmp_path_factory.mktemp("certify") / "run"
    made = ac.score(questions(200), models, ["text"], run=folder, progress=False)
    ac.split(made, condition="text", models=["m0", "m1", "m2"]).save(made.split_folder("votes"))
    return folder


def certify(run: Path, *more: str) -> Result:
    split = () if "--split" in more else ("--split", "votes")
    return CliRunner().invoke(main, ["certify", "--run", str(run), *split, "--format", "json", *more])


@pytest.mark.slow
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
    assert kept.pop("sha256")
    assert kept.pop("raters") == found.pop("raters") == ["m0", "m1", "m2"]
    assert kept == pytest.approx(found)


@pytest.mark.slow
def test_every_model_of_the_split_in_turn(run: Path) -> None:
    assert certify(run, "--model", "guesser").exit_code == 0
    done = certify(run, "--rotate")
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["model"] for row in rows] == ["m0", "m1", "m2"]
    assert [row["split"] for row in rows] == ["votes without m0", "votes without m1", "votes without m2"]
    assert rows[0]["raters"] == ["m1", "m2"]
    folder = run / "splits" / "votes"
    [held_out] = json.loads((folder / "certificate.json").read_text())  # it stays as it was
    assert held_out["model"] == "guesser"
    assert len(json.loads((folder / "certificate-rotated.json").read_text())) == 3
    assert all(100 < row["n"] < 140 for row in rows)


@pytest.mark.slow
def test_below_chance_it_is_certified_by_the_options_that_leave_an_item_strong(run: Path) -> None:
    """The set holds what one twin gets wrong, and there the other errs too."""
    made = ac.open_run(run)
    folder = ac.split(made, condition="text", models="twin0").save(made.split_folder("twins"))
    done = certify(run, "--split", "twins", "--model", "twin1")
    assert done.exit_code == 0, done.output
    [kept] = json.loads((folder / "certificate.json").read_text(), parse_constant=pytest.fail)
    assert kept["right"] < kept["n"] / 10
    assert kept["over_filtered"] is True
    assert kept["conditional"] is True
    assert 0 <= kept["residual_upper"] < 0.2  # it errs as the other does, so it answers next to nothing of what is left
    assert (kept["rule"], kept["raters"], kept["split"]) == ("votes", ["twin0"], "twins")


def test_a_split_that_is_made_again_has_no_certificate(run: Path) -> None:
    made = ac.open_run(run)
    folder = ac.split(made, condition="text", models=["m0", "m1"]).save(made.split_folder("again"))
    assert certify(run, "--split", "again", "--model", "guesser").exit_code == 0
    [kept] = json.loads((folder / "certificate.json").read_text())
    assert kept["rotated"] is False
    ac.split(made, condition="text", models=["m0", "m2"]).save(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["settings.json", "split.parquet"]


@pytest.mark.slow
def test_a_model_that_the_rule_names_took_part(run: Path) -> None:
    made = ac.open_run(run)
    asked = {"rule": "adf", "condition": "text", "models": ["m0", "m1"]}
    ac.split(made, commonsense="m3", **asked).save(made.split_folder("adf"))
    refused = certify(run, "--split", "adf", "--model", "m3")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "m3 took part in the split 'adf'" in refused.stderr
    turned = certify(run, "--split", "adf", "--rotate")
    assert turned.exit_code == 0, turned.output
    rows = [json.loads(line) for line in turned.stdout.splitlines()]
    assert [(row["model"], row["rotated"]) for row in rows] == [("m0", True), ("m1", True)]
    ac.split(made, commonsense="m1", **asked).save(made.split_folder("adf"))
    refused = certify(run, "--split", "adf", "--rotate")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "m1 is named by the rule adf itself" in refused.stderr


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--model", "m1"), 2, "m1 took part in the split 'votes', so it certifies nothing"),
        ((), 2, "name the held-out model, or ask to rotate"),
        (("--model", "m3", "--rotate"), 2, "one of the two"),
        (("--model", "nobody"), 2, "no answers of 'nobody'"),
        (("--model", "m3", "--split", "none"), 2, "has no split 'none'; there are: "),
    ],
)
def test_refusals(run: Path, more: tuple[str, ...], code: int, message: str) -> None:
    done = certify(run, *more)
    assert done.exit_code == code
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
