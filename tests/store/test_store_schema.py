"""What a run's JSON holds goes through a schema: any other content is one line that names the field."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from helpers.store_tools import response, start

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.store import Run, open_run
from audiocontrib.store.splits import write_certificates, write_split

ODD = [None, 7, -1.5, "x", [], {}, [1], {"a": 1}, True, [None], 10**30, "\u0000"]


def made(folder: Path) -> Run:
    run = start(folder)
    run.append([response(0), response(1), response(2)])
    table = pa.table({
        "item_id": [f"toy/{n}" for n in range(3)], "split": ["weak", "strong", "weak"], "score": [0.1, 0.9, 0.0],
        "reason": ["because"] * 3, "unsolved": [False] * 3,
    })  # fmt: skip
    about = {"rule": "votes", "threshold": 0.5, "condition": "silence", "models": ["tiny"], "leave_out": []}
    write_split(run.split_folder("one"), table, about | {"findings": {"n": 3}, "warnings": ["few"]})
    write_certificates(run.split("one"), [{"model": "tiny", "condition": "silence", "n": 3, "bound": 0.25}])
    return run


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*path, key))


def with_value(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    held = dict(value) if isinstance(value, dict) else list(value)
    held[path[0]] = with_value(held[path[0]], path[1:], new)
    return held


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run.json", "splits/one/settings.json", "splits/one/certificate.json"])
def test_any_content_is_understood_or_one_line(name: str, tmp_path: Path) -> None:
    run, rng = made(tmp_path / "r").path, random.Random(name)
    path, at = run / name, str(run)
    held = json.loads(path.read_text())
    for one in held if isinstance(held, list) else [held]:
        del one["sha256"]
    commands = [
        ["show", "--run", at],
        ["query", "from splits", "--run", at],
        ["export", "--run", at, "--split", "one", "--stage", "sft", "--part", "all", "--for", "jsonl", "--out", "out"],
        ["certify", "--run", at, "--split", "one", "--model", "tiny"],
    ]
    refused = 0
    for place in list(places(held)):
        path.write_text(json.dumps(with_value(held, place, rng.choice(ODD))))
        done = CliRunner().invoke(main, rng.choice(commands))
        assert "unexpected" not in done.stderr, (place, path.read_text(), done.stderr)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        refused += "is damaged" in done.stderr
    assert refused


def test_without_items_a_run_is_refused(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    (run.path / "items.parquet").unlink()
    for command in (["split"], ["show"], ["query", "from items"], ["evaluate"], ["report"]):
        done = CliRunner().invoke(main, [*command, "--run", str(run.path)])
        assert done.exit_code == 1, command
        assert "holds no items.parquet" in done.stderr


def test_without_answers_a_run_is_not_measured(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    for command in (["split"], ["evaluate"], ["report"], ["contribution"]):
        done = CliRunner().invoke(main, [*command, "--run", str(run.path)])
        assert done.exit_code in (1, 2), command
        assert "unexpected" not in done.stderr
        assert not (run.path / "splits").exists()


@pytest.mark.parametrize("name", ["items.parquet", "quarantine.parquet"])
@pytest.mark.parametrize("change", ["lacks", "type", "other"])
def test_a_table_of_another_shape_is_one_line(name: str, change: str, tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    path = run.path / name
    table = pq.read_table(path)
    other = {
        "lacks": table.drop_columns(["dataset"]),
        "type": table.set_column(0, table.column_names[0], pa.array([1] * len(table))),
        "other": pa.table({"n": [1]}),
    }[change]
    pq.write_table(other, path)
    with pytest.raises(AudiocontribError, match=f"{name} is damaged"):
        open_run(run.path).load_items()


@pytest.mark.slow
def test_a_prompt_known_by_its_name_alone_is_reported(tmp_path: Path) -> None:
    run = ac.score(ac.load_items("demo", limit=4), ["mock"], run=tmp_path / "r", progress=False)
    CliRunner().invoke(main, ["split", "--run", str(run.path), "--name", "one"])
    held = {key: value for key, value in run.manifest.items() if key != "sha256"}
    for prompt, sampling, code in (({"name": "x"}, None, 0), ({}, None, 0), ({"name": "x"}, 7, 1)):
        changed = {**held, "identity": held["identity"] | {"prompt": prompt, "sampling": sampling}}
        (run.path / "run.json").write_text(json.dumps(changed))
        for command in (["report", "--items", "0"], ["card", "--split", "one"]):
            done = CliRunner().invoke(main, [*command, "--run", str(run.path)])
            assert done.exit_code == code, done.stderr
            assert "unexpected" not in done.stderr
