"""A saved split is held against its own files and its run, whichever way it is read; the run and other splits stay."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError
from audiocontrib.store import Run, SavedSplit
from audiocontrib.store.split_check import SPLIT_SCHEMA, digest
from audiocontrib.store.splits import write_split

RECIPE = Path(__file__).parents[2] / "recipes/training/tiny/weak_to_strong.yaml"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    items, folder = ac.load_items("demo", limit=12), tmp_path_factory.mktemp("splits") / "run"
    models = ["mock:skill=0.9,leak=0.5,seed=1", "mock:skill=0.8,leak=0.4,seed=2"]
    run = ac.score(items, models, ["audio", "silence"], names=["a", "b"], run=folder, progress=False)
    for name in ("good", "bad"):
        ac.split(run).save(run.split_folder(name))
    return run


@pytest.fixture
def run(made: Run, tmp_path: Path) -> Run:
    return Run.open(shutil.copytree(made.path, tmp_path / "run"))


def rewritten(change: Callable[[pa.Table], pa.Table], *, settings: bool = True) -> Callable[[Path], None]:
    """The table in a split's folder, changed; without ``settings`` no file says how the split was made."""

    def damage(folder: Path) -> None:
        table = change(pq.read_table(folder / "split.parquet"))
        if not settings:
            (folder / "settings.json").unlink()
            table = table.replace_schema_metadata(None)
        pq.write_table(table, folder / "split.parquet")

    return damage


def column(name: str, values: Callable[[pa.ChunkedArray[Any]], Any]) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(table.column_names.index(name), name, values(table[name]))


def settings(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "settings.json"
        changed = change(json.loads(path.read_text()))
        if isinstance(changed, dict) and not changed.get("sha256", True):
            del changed["sha256"]
        path.write_text(json.dumps(changed))

    return damage


def by_pandas(folder: Path) -> None:
    """Parts the other way round, by a program that keeps no metadata."""
    table = pd.read_parquet(folder / "split.parquet")
    table["split"] = np.where(table["split"] == "weak", "strong", "weak")
    table.to_parquet(folder / "split.parquet")


FOREIGN = pa.table({"item_id": ["toy/1"], "split": ["weak"], "score": [0.0], "reason": ["r"], "unsolved": [False]})
TWICE = [lambda t: pa.concat_tables([t, t]), lambda t: pa.concat_tables([t, t.slice(3, 1)])]
DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "rows twice": (rewritten(TWICE[0]), "2 times; each item has one row"),
    "a row twice, settings gone": (rewritten(TWICE[1], settings=False), "2 times; each item has one row"),
    "rows gone": (rewritten(lambda t: t.slice(2)), "not those that were saved"),
    "all rows gone": (rewritten(lambda t: t.slice(0, 0)), "not those that were saved"),
    "another order": (rewritten(lambda t: t.take(list(range(11, -1, -1)))), "not those that were saved"),
    "foreign ids": (rewritten(lambda t: pa.concat_tables([t, FOREIGN.cast(t.schema)])), "not those that were saved"),
    "foreign ids, settings gone": (
        rewritten(lambda t: pa.concat_tables([t.replace_schema_metadata(None), FOREIGN]), settings=False),
        "1 items that .* has not, e.g. toy/1",
    ),
    "no id": (rewritten(column("item_id", lambda c: pa.nulls(len(c), pa.string()))), "a row has no item_id"),
    "a part that is none": (rewritten(column("split", lambda c: pc.replace_substring(c, "weak", "Weak"))), "'Weak'"),
    "a part that is null": (rewritten(column("split", lambda c: pa.nulls(len(c), pa.string()))), "split is None"),
    "parts that are numbers": (rewritten(column("split", lambda c: pa.array([1] * len(c)))), "split is '1'"),
    "parts swapped by pandas": (by_pandas, "not those that were saved"),
    "score against the part": (
        rewritten(column("score", lambda c: pa.array([0.1] * len(c)))),
        "not those that were saved",
    ),
    "score out of range": (
        rewritten(column("score", lambda c: pa.array([7.0] * len(c))), settings=False),
        "numbers outside 0 to 1",
    ),
    "score is NaN": (
        rewritten(column("score", lambda c: pa.array([float("nan")] * len(c))), settings=False),
        "not finite",
    ),
    "score is a text": (rewritten(column("score", lambda c: pa.array(["much"] * len(c)))), "score is not double"),
    "reason changed": (rewritten(column("reason", lambda c: pa.array(["r"] * len(c)))), "not those that were saved"),
    "column gone": (rewritten(lambda t: t.drop_columns(["split"])), "no column split"),
    "column twice": (rewritten(lambda t: t.append_column("split", t["split"])), "cannot be read"),
    "settings edited": (settings(lambda s: s | {"threshold": 0.9}), "settings.json is damaged"),
    "settings edited, seal gone": (
        settings(lambda s: {**s, "threshold": 0.9, "sha256": ""}),
        r"settings.json is not what split.parquet",
    ),
    "models edited": (settings(lambda s: s | {"models": ["a"]}), "settings.json is damaged"),
    "settings lack a field": (settings(lambda s: {"rule": s["rule"]}), r"settings.json is not what split.parquet"),
    "settings are a list": (settings(lambda s: [s]), "settings.json is damaged .it holds a list, not an object"),
    "settings cut off": (
        lambda folder: (folder / "settings.json").write_text("{") and None,
        "settings.json is damaged",
    ),
    "table cut off": (
        lambda folder: (folder / "split.parquet").write_bytes((folder / "split.parquet").read_bytes()[:200]) and None,
        "split.parquet is damaged",
    ),
    "table empty": (lambda folder: (folder / "split.parquet").write_bytes(b"") and None, "split.parquet is damaged"),
    "certificate damaged": (
        lambda folder: (folder / "certificate.json").write_text("[{") and None,
        "certificate.json is damaged",
    ),
    "of a run that has grown": (lambda folder: None, "it lacks 1 of the run's items"),
}


@pytest.fixture(params=list(DAMAGES))
def damage(request: pytest.FixtureRequest, run: Run) -> str:
    """The split ``bad`` of the run damaged; gives what is to be said."""
    harm, says = DAMAGES[request.param]
    folder = run.split_folder("bad")
    harm(folder)
    if request.param == "of a run that has grown":
        saved = SavedSplit.open(folder)
        asked = {**saved.settings, "findings": {}, "warnings": []}
        write_split(folder, saved.table.slice(1), asked)
    return says


def one_line(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(AudiocontribError, match=says) as error:
        call()
    assert "bad" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_a_damaged_split_is_refused_and_all_else_is_read(run: Run, damage: str, tmp_path: Path, caplog: Any) -> None:
    one_line(lambda: run.split("bad"), damage)
    one_line(lambda: run.split(run.split_folder("bad")), damage)
    one_line(lambda: run.query("select count(*) from splits where name = 'bad'"), damage)
    with caplog.at_level(logging.WARNING):
        assert [one.name for one in run.splits()] == ["good"]
    assert "the split bad is left out" in caplog.text
    assert run.query("select distinct name from splits").name.tolist() == ["good"]
    assert len(run.split("good").table) == 12
    assert len(run.responses) == run.query("select count(*) as n from responses").n[0] > 0


VERBS: dict[str, Callable[[Run, Path], Any]] = {
    "export": lambda run, out: ac.export(run, stage="sft", split="bad", out=out, format="jsonl", progress=False),
    "evaluate": lambda run, out: ac.evaluate(run, split="bad"),
    "compare": lambda run, out: ac.compare(run, run, model="a", baseline_model="b", split="bad"),
    "report": lambda run, out: ac.report(run, split="bad", out=out, items=1),
    "card": lambda run, out: ac.card(run, split="bad"),
    "certify": lambda run, out: ac.certify(run, split="bad", rotate=True),
    "train": lambda run, out: ac.plan_training(run, "sft", recipe=RECIPE, split="bad"),
    "query": lambda run, out: ac.query(run, "from splits where name = 'bad'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["rows twice", "rows gone", "settings edited", "foreign ids, settings gone"])
def test_every_verb_takes_the_same_way_in(verb: str, name: str, run: Run, tmp_path: Path) -> None:
    harm, says = DAMAGES[name]
    harm(run.split_folder("bad"))
    one_line(lambda: VERBS[verb](run, tmp_path / "out"), says)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_on_the_command_line_it_is_one_line(run: Run) -> None:
    DAMAGES["rows gone"][0](run.split_folder("bad"))
    shown = CliRunner().invoke(main, ["show", "--run", str(run.path)])
    assert shown.exit_code == 0
    assert "note: the split bad is left out" in shown.stderr
    done = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--split", "bad"])
    assert done.exit_code == 1
    assert [line for line in done.stderr.splitlines() if "not those that were saved" in line]
    assert CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--split", "good"]).exit_code == 0


def test_the_settings_stand_in_the_table_too(run: Run) -> None:
    (run.split_folder("bad") / "settings.json").unlink()
    assert run.split("bad").settings == run.split("good").settings


def test_a_split_of_another_program_may_hold_some_items_and_columns(run: Run) -> None:
    table = pa.table({"item_id": run.split("good").table["item_id"].slice(0, 3), "split": ["weak", "strong", "weak"]})
    (run.split_folder("mine")).mkdir()
    pq.write_table(table, run.split_folder("mine") / "split.parquet")
    mine = run.split("mine")
    assert (mine.settings, mine.table.schema) == ({}, SPLIT_SCHEMA)
    assert mine.table["score"].null_count == 3
    assert run.query("select count(*) as n from splits where name = 'mine'").n[0] == 3


def test_items_that_were_left_out_are_not_missed(run: Run) -> None:
    left = ac.split(run, leave_out="unsolved")
    left.save(run.split_folder("left"))
    assert len(run.split("left").table) == len(left.table)


def test_a_split_that_was_mended_is_read_again(run: Run) -> None:
    DAMAGES["rows gone"][0](run.split_folder("bad"))
    assert [one.name for one in run.splits()] == ["good"]
    ac.split(run).save(run.split_folder("bad"))
    assert [one.name for one in run.splits()] == ["bad", "good"]


def test_the_only_split_is_refused_where_it_is_damaged(run: Run) -> None:
    shutil.rmtree(run.split_folder("good"))
    DAMAGES["rows gone"][0](run.split_folder("bad"))
    one_line(run.only_split, "not those that were saved")


def test_the_digest_is_of_the_rows_and_not_of_the_file(run: Run, tmp_path: Path) -> None:
    table = run.split("good").table
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=3, compression="gzip", use_dictionary=False)
    again = pq.read_table(tmp_path / "t.parquet")
    assert digest(again) == digest(table) == digest(pa.concat_tables([table.slice(0, 5), table.slice(5)]))
    assert digest(table) != digest(table.set_column(4, "unsolved", pa.nulls(len(table), pa.bool_())))
    shifted = table.set_column(3, "reason", pa.array(["ab", "c", *["r"] * 10]))
    assert digest(shifted) != digest(table.set_column(3, "reason", pa.array(["a", "bc", *["r"] * 10])))
