"""Published matching rules beside our exact reading, over the replies of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation import COMPARISON_SCHEMA, compare_scorers
from audiocontrib.importing import import_responses
from audiocontrib.items import Items, make_item
from audiocontrib.store import Run

ORDERS = ["low, high", "high, low", "rising", "falling"]


def run_of(tmp_path: Path, dataset: str, replies: list[str]) -> Run:
    items = Items(
        [
            make_item(dataset=dataset, own_id=str(i), question="Which?", choices=ORDERS, answer="low, high", audio=None)
            for i in range(len(replies))
        ],
        origin={"name": dataset},
    )
    path = tmp_path / "answers.jsonl"
    rows = [{"item_id": str(i), "model": "m", "condition": "silence", "reply": r} for i, r in enumerate(replies)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return import_responses(path, tmp_path / "run", items).run


def test_where_the_official_rule_and_ours_differ(tmp_path: Path) -> None:
    replies = ["low, high", "high, low", "The answer is low, high.", "rising", "A"]
    table = compare_scorers(run_of(tmp_path, "mmau", replies))
    assert table.schema == COMPARISON_SCHEMA
    [row] = table.to_pylist()
    # the permutation passes by the official rule only, the letter by ours only
    assert (row["scorer"], row["n"], row["left_out"]) == ("mmau", 5, 0)
    assert (row["only_official"], row["only_exact"], row["differ"]) == (1, 1, 2)
    assert row["accuracy"] == pytest.approx(3 / 5)
    assert row["exact"] == pytest.approx(3 / 5)
    assert (row["low"], row["high"], row["interval"]) == (None, None, "counts only")  # of five items


def test_what_is_left_out_of_the_denominator_is_counted(tmp_path: Path) -> None:
    run = run_of(tmp_path, "mmsu", ["A", "I cannot hear any audio.", "no", "B"])
    [row] = compare_scorers(run).to_pylist()
    assert (row["n"], row["left_out"], row["accuracy"], row["exact"]) == (4, 2, 0.5, 0.25)


def test_a_rule_of_another_set_can_be_named(tmp_path: Path) -> None:
    run = run_of(tmp_path, "mine", ["low, high"])
    with pytest.raises(UsageError, match="no official scorer is known for 'mine'"):
        compare_scorers(run)
    assert compare_scorers(run, scorer="muchomusic")["accuracy"].to_pylist() == [1.0]
    with pytest.raises(UsageError, match="official scorer"):
        compare_scorers(run, scorer="mine")


def test_a_run_without_replies_says_what_to_do(tmp_path: Path) -> None:
    import audiocontrib as ac

    items = Items([make_item(dataset="mmau", own_id="1", question="?", choices=["a", "b"], answer="a", audio=None)])
    run = ac.score(items, ["mock:name=m"], ["text"], run=tmp_path / "run", progress=False)
    with pytest.raises(AudiocontribError, match="by the method generate"):
        compare_scorers(run)


def test_the_command(tmp_path: Path) -> None:
    run = run_of(tmp_path, "mmau", ["low, high", "high, low"])
    official = CliRunner().invoke(
        main, ["evaluate", "--run", str(run.path), "--scorer", "official", "--format", "json"]
    )
    assert official.exit_code == 0
    assert json.loads(official.stdout)["only_official"] == 1
    exact = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--format", "json"])
    assert json.loads(exact.stdout)["accuracy"] == 0.5
    both = CliRunner().invoke(main, ["evaluate", "--run", str(run.path), "--scorer", "mmau", "--by", "split"])
    assert both.exit_code == 2
