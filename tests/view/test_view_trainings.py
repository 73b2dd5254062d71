"""Watched trainings on the page: found by name, drawn as they grow, and nothing in them is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers.store_tools import start
from helpers.viewing import EVIL, client

from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.training.watch.table import WATCHED_SCHEMA
from audiocontrib.view.pages import STATIC
from audiocontrib.view.shelf import find_runs
from audiocontrib.view.trainings import find_trainings

WATCH = {"items": 12, "every": 2, "keep_best": True}


def rows(step: int, audio: float) -> list[dict[str, Any]]:
    given = [("accuracy", "audio", audio), ("accuracy", "silence", 0.25), ("accuracy", "text", 0.5),
             ("abstained", "silence", 0.125), ("gain", "silence", audio - 0.25),
             ("relative_gain", "silence", None)]  # fmt: skip
    return [
        {"step": step, "part": "all", "measure": measure, "condition": condition, "n": 12, "clips": 6, "value": value,
         "low": None if value is None else value - 0.1, "high": None if value is None else value + 0.1, "chance": 0.25}
        for measure, condition, value in given
    ]  # fmt: skip


def a_training(folder: Path, values: list[float], watch: Any = WATCH, start: str = "base") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    told = {"format": 2, "identity": {"settings": {"watch": watch}}, "stages": [{"stage": "sft", "start": start}]}
    (folder / "training.json").write_text(json.dumps(told))
    made = [row for place, value in enumerate(values) for row in rows(2 * place, value)]
    pq.write_table(pa.Table.from_pylist(made, schema=WATCHED_SCHEMA), folder / "watched.parquet")
    return folder


def test_trainings_are_found_by_name_in_folders_of_them(tmp_path: Path) -> None:
    one = a_training(tmp_path / "trained/mine/sft", [0.5])
    two = a_training(tmp_path / "trained/mine/grpo", [0.5])
    (tmp_path / "trained/plain").mkdir()
    assert find_trainings([tmp_path / "trained"]) == {"mine/grpo": two, "mine/sft": one}
    assert find_trainings([one, one, tmp_path / "trained/mine"]) == {"mine/sft": one, "mine/grpo": two}
    assert find_runs([tmp_path / "trained"]) == {}
    with pytest.raises(UsageError, match="holds no run; name the folder of a run, a folder of runs, or a watched"):
        find_runs([tmp_path / "trained/plain"])


def test_the_curve_is_a_table_and_a_drawing_and_grows(tmp_path: Path) -> None:
    folder = a_training(tmp_path / "mine/sft", [0.5, 0.75])
    tab = client(tmp_path)
    assert tab.get("/").headers["location"] == "trainings"
    assert "Does it listen more?" in tab.get("/trainings").text
    [listed] = tab.get("/api/trainings").json()["trainings"]
    assert (listed["name"], listed["stage"], listed["step"], listed["done"]) == ("mine/sft", "sft", 2, False)
    about = tab.get("/api/training", params={"training": "mine/sft"}).json()
    assert about["lines"][0] == ["0", "50%", "25%", "50%", "– / 12% / –", "+0.25 [0.15,0.35]", "–"]
    assert about["said"] == ["Best by accuracy with the audio: step 2."]
    drawing = tab.get("/api/curve", params={"training": "mine/sft"})
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in drawing.headers["content-security-policy"]
    assert "right: audio" in drawing.text
    a_training(folder, [0.5, 0.75, 0.875])
    (folder / "model").mkdir()
    again = tab.get("/api/training", params={"training": "mine/sft"}).json()
    assert (again["step"], again["done"], len(again["lines"])) == (4, True, 3)
    assert "The model has the weights of step 4." in again["said"][1]
    assert again["changed"] > about["changed"]


def test_runs_and_trainings_side_by_side(tmp_path: Path) -> None:
    start(tmp_path / "runs/toy")
    a_training(tmp_path / "trained/mine/sft", [0.5])
    tab = client(tmp_path / "runs", tmp_path / "trained")
    assert tab.get("/").status_code == 200
    told = tab.get("/api/runs").json()
    assert ([one["name"] for one in told["runs"]], told["trainings"]) == (["toy"], 1)
    assert tab.get("/api/trainings").json()["runs"] == 1


def test_texts_of_others_are_never_markup_and_names_never_paths(tmp_path: Path) -> None:
    a_training(tmp_path / "mine" / "<img src=x>", [0.5], start=EVIL[0])
    tab = client(tmp_path)
    [listed] = tab.get("/api/trainings").json()["trainings"]
    assert listed["start"] == EVIL[0]  # as JSON; the page puts it in as text
    drawing = tab.get("/api/curve", params={"training": listed["name"]}).text
    assert "script" not in drawing
    assert "<img" not in drawing
    script = STATIC["trainings.js"].read_text()
    assert not [word for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(") if word in script]
    for name in ("../mine/sft", str(tmp_path / "mine"), "", "mine/none", "/etc"):
        for path in ("/api/training", "/api/curve"):
            refused = tab.get(path, params={"training": name})
            assert refused.status_code == 400
            assert "there is no watched training" in refused.json()["error"]
    assert client(tmp_path, token=False).get("/api/trainings").status_code == 403


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("training.json", "{", "cannot be read"),
        ("training.json", "[]", "holds no record of a training"),
        ("training.json", json.dumps({"identity": {"settings": {"watch": {"items": 1}}}}), "watch"),
        ("watched.parquet", "PAR1", "cannot be read"),
    ],
)
def test_a_damaged_training_does_not_hide_the_others(file: str, text: str, told: str, tmp_path: Path) -> None:
    a_training(tmp_path / "a/sft", [0.5])
    (a_training(tmp_path / "b/sft", [0.5]) / file).write_text(text)
    tab = client(tmp_path)
    good, bad = tab.get("/api/trainings").json()["trainings"]
    assert good["name"] == "a/sft"
    assert told in bad["fault"]
    assert "\n" not in bad["fault"]
    assert tab.get("/api/training", params={"training": "b/sft"}).status_code in (400, 409)
    assert tab.get("/api/training", params={"training": "a/sft"}).status_code == 200


def test_a_record_without_settings_is_drawn_without_a_best_step(tmp_path: Path) -> None:
    a_training(tmp_path / "a/sft", [0.5], watch=None)
    tab = client(tmp_path)
    assert tab.get("/api/training", params={"training": "a/sft"}).json()["lines"] == []
    assert tab.get("/api/curve", params={"training": "a/sft"}).status_code == 200


def test_the_figure_of_a_training_is_a_file(tmp_path: Path) -> None:
    folder = a_training(tmp_path / "a/sft", [0.5, 0.75])

    def plot(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["plot", *words])
        return done.exit_code, done.stderr

    out = tmp_path / "w.svg"
    assert plot("watched", "--training", str(folder), "--out", str(out))[0] == 0
    first = out.read_bytes()
    assert b"optimiser steps" in first
    assert plot("watched", "--training", str(folder), "--out", str(out), "--part", "all")[0] == 0
    assert out.read_bytes() == first
    for words, told in (
        (["watched", "--training", str(folder), "--part", "weak"], "no part is called 'weak'; there are: all"),
        (["watched"], "name its folder with --training"),
        (["accuracy", "--training", str(folder)], "no other is"),
        (["watched", "--training", str(tmp_path)], "is no folder of a training"),
        (["watched", "--training", str(folder), "--split", "s"], "leave --run and --split out"),
        (["accuracy", "--part", "all"], "--part belongs to the figure watched"),
    ):
        code, said = plot(*words, "--out", str(tmp_path / "x.svg"))
        assert code == 2
        assert told in said
        assert said.count("\n") == 1
    assert plot("watched", "--training", str(folder), "--out", str(tmp_path / "x.jpg"))[0] == 2
    (folder / "watched.parquet").unlink()
    assert "was trained without watching" in plot("watched", "--training", str(folder), "--out", str(out))[1]
