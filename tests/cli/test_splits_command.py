"""`audiocontrib split`: options, recipes, notes, and what is kept in the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.planted import ask, questions
from helpers.store_tools import manifest

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.models.mock import MockModel, Planted

N = 120


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models that share most of their preferences, in all orders; on some items none is right with audio."""
    planted = {"skill": 0.6, "content_preference": 9.0, "shared_preference": 0.9, "confidence": 9.0, "noise": 0.0}
    models = [MockModel(Planted(seed=s, **planted), f"m{s}") for s in range(3)]
    folder = tmp_path_factory.mktemp("split") / "run"
    made = ac.Run.create_or_resume(folder, manifest(), questions(N))
    made.append(ask(questions(N), models, ["audio", "silence"], cyclic=True))
    return folder


def split(run: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["split", "--run", str(run), "--format", "json", *more])


def kept(run: Path, name: str) -> dict[str, object]:
    return dict(json.loads((run / "splits" / name / "settings.json").read_text()))


def summary(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout.splitlines()[0]))


@pytest.mark.slow
def test_the_published_rule_is_the_default(run: Path) -> None:
    assert summary(split(run))["n"] == N
    settings = kept(run, "votes-0.5")
    assert (settings["rule"], settings["threshold"], settings["condition"]) == ("votes", 0.5, "silence")
    assert settings["models"] == ["m0", "m1", "m2"]
    count = "select count(*) as n from contributions join splits using (item_id) where name = 'votes-0.5'"
    assert ac.open_run(run).query(count).n[0] == N


def test_each_rule_has_a_threshold_of_its_own(run: Path) -> None:
    summary(split(run, "--rule", "fdr", "--fdr", "0.2", "--balanced"))
    settings = kept(run, "fdr-0.9")
    assert (settings["threshold"], settings["fdr"], settings["balanced"]) == (0.9, 0.2, True)


def test_what_the_answers_do_not_say_is_noted_and_kept(run: Path) -> None:
    done = split(run, "--rule", "posterior", "--name", "told")
    summary(done)
    [note] = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert "only the set-level share is identified" in note
    settings = kept(run, "told")
    assert [f"note: {warning}" for warning in settings["warnings"]] == [note]  # type: ignore[attr-defined]
    assert settings["findings"]["shared_preferences"] > 0.1  # type: ignore[index]


def test_unsolved_items_are_left_out_and_counted(run: Path) -> None:
    whole = summary(split(run))
    done = split(run, "--leave-out", "unsolved", "--name", "solved")
    assert 0 < whole["unsolved"] < N  # type: ignore[operator]
    assert summary(done)["n"] == N - whole["unsolved"]  # type: ignore[operator]
    assert f"left out unsolved: {whole['unsolved']}" in done.stderr
    assert kept(run, "solved")["leave_out"] == ["unsolved"]


def test_options_win_over_a_recipe(run: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "r.yaml"
    recipe.write_text("rule: group\nthreshold: 0.4\nmodels: m1\nsettings: {least: 5}\n")
    summary(split(run, "--split-recipe", str(recipe), "--name", "written"))
    settings = kept(run, "written")
    assert [settings[key] for key in ("rule", "threshold", "models", "least")] == ["group", 0.4, ["m1"], 5]
    more = ("--threshold", "0.7", "--model", "m0", "--model", "m2", "--set", "least=9")
    summary(split(run, "--split-recipe", str(recipe), "--name", "written", *more))
    settings = kept(run, "written")
    assert [settings[key] for key in ("rule", "threshold", "models", "least")] == ["group", 0.7, ["m0", "m2"], 9]


def test_a_saved_split_can_be_made_again_from_its_settings(run: Path) -> None:
    made = ac.split(ac.open_run(run), rule="group", threshold=0.4, least=5, leave_out="unsolved")
    saved = {**made.settings}
    assert ac.split(ac.open_run(run), **saved).table.equals(made.table)


@pytest.mark.parametrize("by", ["question_type", "source_dataset", "k"])
def test_by(run: Path, by: str) -> None:
    done = split(run, "--by", by)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(row["n"] for row in rows) == N
    assert all(row[by] for row in rows)


@pytest.mark.slow
def test_sensitivity_is_printed_and_nothing_is_kept(run: Path) -> None:
    before = sorted(run.glob("splits/*"))
    done = split(run, "--sensitivity", "--model", "m0", "--model", "m1")
    variants = [json.loads(line)["variant"] for line in done.stdout.splitlines()]
    assert variants[0] == "votes, threshold 0.5"
    assert {"without m0", "without m1", "order 3 only", "first 3 orders"} < set(variants)
    assert "without m2" not in variants
    assert sorted(run.glob("splits/*")) == before


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--set", "least"), "--set: 'least' is not FIELD=VALUE, as in --set least=10"),
        (("--set", "least=3"), "--set: rule votes: there is no field 'least'; it has none"),
        (("--set", "run=3"), "--set: rule votes: there is no field 'run'"),
        (
            ("--rule", "fdr", "--set", "balanced=maybe"),
            "--set: rule fdr: balanced is 'maybe', but must be true or false",
        ),
        (("--rule", "votes", "--balanced"), "split: rule votes: there is no field 'balanced'"),
        (("--threshold", "2"), "threshold is 2.0, but must be a number between 0 and 1"),
        (("--model", "m7"), "no answers of 'm7'"),
        (("--split-recipe", "none.yaml"), "none.yaml: the recipe cannot be read"),
    ],
)
@pytest.mark.parametrize("form", [(), ("--sensitivity",)])
def test_wrong_options_are_one_line(run: Path, more: tuple[str, ...], message: str, form: tuple[str, ...]) -> None:
    done = split(run, *more, *form)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_split_stays_in_its_run(run: Path) -> None:
    done = split(run, "--name", "../out")
    assert done.exit_code == 2
    assert "a split cannot be called '../out'" in done.stderr
    assert not (run / "out").exists()
