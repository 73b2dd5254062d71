"""The published rule, thresholds, reasons, the summary and the saved files."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.planted import answer, ask, questions, requests, views

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import Outcome, Response
from audiocontrib.splits import RULES, SPLIT_SCHEMA, RuleInput, RuleResult, Split, rule, split
from audiocontrib.store.json_seal import read_sealed
from audiocontrib.store.split_check import digest


def answers(patterns: list[tuple[bool, ...]], condition: str = "silence") -> tuple[Items, list[Response]]:
    """One item per pattern; model ``tiny-x`` is right on it where the pattern says so."""
    items = questions(len(patterns))
    responses = []
    for place in range(len(patterns[0])):
        right = {item.id: pattern[place] for item, pattern in zip(items, patterns, strict=True)}
        model = MockModel(Planted(), f"tiny-{'abcdefghij'[place]}")
        for request in requests(items, condition):
            gold, found = request.item.answer, answer(model, request, "generate")
            choice = gold if right[request.item.id] else (gold + 1) % 4
            responses.append(replace(found, choice=choice, correct=choice == gold))
    return items, responses


PATTERNS = list(itertools.product([False, True], repeat=3))


def test_the_published_rule_over_all_patterns() -> None:
    found = split(views(*answers(PATTERNS))).table.to_pylist()
    assert [r["split"] for r in found] == ["weak" if sum(p) >= 2 else "strong" for p in PATTERNS]
    assert [r["score"] for r in found] == pytest.approx([1 - sum(p) / 3 for p in PATTERNS])


@pytest.mark.slow
@pytest.mark.parametrize("models", [1, 2, 3, 4, 7, 10])
def test_a_score_equal_to_the_threshold_is_strong(models: int) -> None:
    con = views(*answers([(False,) * wrong + (True,) * (models - wrong) for wrong in range(models + 1)]))
    for needed in range(models + 1):
        exact = Fraction(needed, models)
        by_steps = sum([1 / models] * needed)  # 0.1 + 0.1 + 0.1 > 0.3
        for threshold in (exact, float(exact), min(by_steps, 1.0)):
            found = split(con, threshold=threshold).table["split"].to_pylist()
            assert found == ["weak"] * needed + ["strong"] * (models + 1 - needed)


def test_thresholds_between_the_shares() -> None:
    con = views(*answers([(False, True, True)]))
    assert split(con, threshold=0.33).table["split"].to_pylist() == ["strong"]
    assert split(con, threshold=0.34).table["split"].to_pylist() == ["weak"]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan"), float("inf")])
def test_bad_threshold(threshold: float) -> None:
    with pytest.raises(UsageError, match=r"threshold is .* must be a number between 0 and 1"):
        split(views(*answers(PATTERNS)), threshold=threshold)


def test_reasons() -> None:
    reasons = split(views(*answers(PATTERNS))).table["reason"].to_pylist()
    assert reasons[0] == "0 of 3 models right under silence"
    assert reasons[6] == "2 of 3 models right under silence (tiny-a, tiny-b)"
    assert reasons[7] == "3 of 3 models right under silence (tiny-a, tiny-b, tiny-c)"
    single = views(*answers([(True,)], condition="silence:matched"))
    found = split(single, condition="silence:matched").table["reason"].to_pylist()
    assert found == ["1 of 1 model right under silence:matched (tiny-a)"]


def test_undecided_items_say_why() -> None:
    items, responses = answers(PATTERNS)
    failed = replace(responses[0], outcome=Outcome.FAILED, choice=None, correct=None)
    without_key = Items(replace(item, answer=None) if item is items[2] else item for item in items)
    con = views(without_key, [failed, *responses[2:]])
    found = split(con).table.to_pylist()
    assert [r["split"] for r in found[:3]] == ["undecided"] * 3
    assert [r["score"] for r in found[:3]] == [None] * 3
    assert found[0]["reason"] == "tiny-a: 1 of 1 answers failed under silence"
    assert found[1]["reason"] == "tiny-a: not asked under silence"
    assert found[2]["reason"] == "the item has no answer key"
    assert "undecided" not in [r["split"] for r in found[3:]]


def test_quarantined_items_are_left_out() -> None:
    items, responses = answers(PATTERNS)
    con = views(items, responses)
    con.register(
        "quarantine",
        pa.table({"item_id": [None, items[3].id, items[4].id], "field": ["json", "audio", "id"]}),
    )
    found = split(con)
    assert items[3].id not in found.table["item_id"].to_pylist()
    assert found.summary()["n"].to_pylist() == [7]


def test_unsolved_stands_beside_the_split() -> None:
    items, silent = answers([(False,) * 3, (False,) * 3])
    _, heard = answers([(False,) * 3, (True, False, False)], condition="audio")
    found = split(views(items, silent + heard))
    assert found.table["split"].to_pylist() == ["strong", "strong"]
    assert found.table["unsolved"].to_pylist() == [True, False]
    assert found.summary()["unsolved"].to_pylist() == [1]
    assert split(views(items, silent)).table["unsolved"].to_pylist() == [None, None]


def test_nothing_asked_says_what_to_run() -> None:
    con = views(*answers(PATTERNS))
    with pytest.raises(
        AudiocontribError, match=r"no answers under 'text'; it holds those under: silence; score under it first"
    ) as error:
        split(con, condition="text")
    assert "\n" not in str(error.value)


def test_unknown_rule_and_summary() -> None:
    con = views(*answers(PATTERNS))
    with pytest.raises(UsageError, match="no split rule is called 'vote'; did you mean 'votes'"):
        split(con, rule="vote")
    with pytest.raises(UsageError, match="summary by 'clip_id'"):
        split(con).summary(by="clip_id")


def test_a_run_is_as_good_as_its_connection() -> None:
    items, responses = answers(PATTERNS)

    class Run:
        opened: list[duckdb.DuckDBPyConnection] = []  # noqa: RUF012

        def connect(self) -> duckdb.DuckDBPyConnection:
            self.opened.append(views(items, responses))
            return self.opened[-1]

    assert split(Run()).table == split(views(items, responses)).table
    with pytest.raises(duckdb.ConnectionException):  # what the split opened it has closed
        Run.opened[0].execute("select 1")


@pytest.mark.parametrize(("k", "share"), [(2, 0.5), (3, 0.259), (4, 0.156), (5, 0.104), (10, 0.028)])
def test_luck_of_the_published_rule(k: int, share: float) -> None:
    items = questions(6, k=k)
    mocks = [MockModel(Planted(seed=seed), f"m{seed}") for seed in range(3)]
    found = split(views(items, ask(items, mocks, ["silence"]))).summary()
    assert found["guessing_weak_share"][0].as_py() == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(("threshold", "share"), [(0.0, 0.0), (0.5, 10 / 64), (1.0, 1 - 27 / 64)])
def test_luck_follows_the_threshold(threshold: float, share: float) -> None:
    found = split(views(*answers(PATTERNS)), threshold=threshold).summary()
    assert found["guessing_weak_share"][0].as_py() == pytest.approx(share)


@pytest.mark.slow
def test_guessing_mocks_are_called_weak_as_often_as_luck_says() -> None:
    items = questions(900, k=[2, 4])
    mocks = [MockModel(Planted(skill=0, seed=seed), f"m{seed}") for seed in range(3)]
    [found] = split(views(items, ask(items, mocks, ["silence"]))).summary().to_pylist()
    assert found["guessing_weak_share"] == pytest.approx((0.5 + 0.15625) / 2)
    assert found["weak_share"] == pytest.approx(found["guessing_weak_share"], abs=0.06)


def test_planted_leaks_are_weak_and_the_rest_strong() -> None:
    items = questions(40, k=6)
    leaks = {item.id: place % 4 == 0 for place, item in enumerate(items)}
    planted = Planted(skill=1, leak=leaks, noise=0, position_bias=1)  # position luck ends in ties
    mocks = [MockModel(planted, name) for name in "abc"]
    table = split(views(items, ask(items, mocks, cyclic=True))).table.to_pylist()
    assert {r["item_id"]: r["split"] == "weak" for r in table} == leaks
    assert not any(r["unsolved"] for r in table)


def test_summary_adds_up() -> None:
    items = questions(60)
    con = views(items, ask(items, [MockModel(Planted(leak=0.5))], ["silence"])[:-6])
    whole = split(con)
    [total] = whole.summary().to_pylist()
    assert (total["n"], total["undecided"]) == (60, 6)
    assert total["weak_share"] + total["strong_share"] == pytest.approx(1)
    assert total["weak_share"] == pytest.approx(total["weak"] / 54)
    for by, groups in [
        ("question_type", ["music", "sound"]),
        ("source_dataset", ["first", "second", "third"]),
    ]:
        parts = whole.summary(by=by)
        assert parts[by].to_pylist() == groups
        for count in ("n", "weak", "strong", "undecided"):
            assert sum(parts[count].to_pylist()) == total[count]


def saved(folder: Path, found: Split) -> tuple[pa.Table, dict[str, object]]:
    assert found.save(folder) == folder
    return pq.read_table(folder / "split.parquet"), read_sealed(folder / "settings.json", dict)


def test_save(tmp_path: Path) -> None:
    con = views(*answers(PATTERNS))
    table, settings = saved(tmp_path / "splits" / "first", split(con, threshold=1 / 3, method="generate"))
    assert table.schema.remove_metadata() == SPLIT_SCHEMA
    assert settings == {
        "rows_sha256": digest(table),
        "rule": "votes",
        "threshold": 1 / 3,
        "condition": "silence",
        "audio": "audio",
        "method": "generate",
        "models": ["tiny-a", "tiny-b", "tiny-c"],
        "leave_out": [],
        "findings": {},
        "warnings": [],
    }
    assert json.loads(table.schema.metadata[b"audiocontrib"]) == settings
    again, _ = saved(tmp_path / "splits" / "first", split(con, threshold=1.0))
    assert again["split"].to_pylist().count("weak") == 7
    assert sorted(p.name for p in (tmp_path / "splits" / "first").iterdir()) == [
        "settings.json",
        "split.parquet",
    ]


def test_save_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudiocontribError, match="cannot be written") as error:
        split(views(*answers(PATTERNS))).save(tmp_path / "file")
    assert "\n" not in str(error.value)


def test_another_rule_can_be_registered() -> None:
    @rule("everything-strong", 0.5, "all of it")
    def everything(asked: RuleInput) -> RuleResult:
        query = "select item_id, 'strong' as split, 1 as score, '' as reason, null as guessing from items"
        return RuleResult(asked.con.sql(query).to_arrow_table())

    try:
        found = split(views(*answers(PATTERNS)), rule="everything-strong").summary().to_pylist()
    finally:
        del RULES["everything-strong"]
    assert (found[0]["strong"], found[0]["guessing_weak_share"]) == (8, None)
