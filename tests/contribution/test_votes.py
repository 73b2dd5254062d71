"""Votes, scores and accuracies from written answers and from planted mocks."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from typing import Any

import duckdb
import pytest
from helpers.lazy import lazy
from helpers.planted import ask, questions, views

from audiocontrib.contribution import accuracy, contributions, unanimity
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import RESPONSE_SCHEMA

proportion = lazy("statsmodels.stats.proportion")

ONE = questions(1)  # four options, the gold is option 0
Row = dict[str, Any]


def row(
    choice: int | None = None,
    posterior: list[float] | None = None,
    order: int = 0,
    outcome: str = "answered",
    model: str = "m",
    condition: str = "silence",
    item: int = 0,
) -> Row:
    method = "generate" if posterior is None else "likelihood"
    return {
        "item_id": f"planted/{item:05d}",
        "model": model,
        "condition": condition,
        "order": order,
        "method": method,
        "outcome": outcome,
        "choice": choice,
        "posterior": posterior,
    }


def run(rows: list[Row], items: Items = ONE) -> duckdb.DuckDBPyConnection:
    import pyarrow as pa

    con = views(items, [])
    con.register("responses", pa.Table.from_pylist(rows, schema=RESPONSE_SCHEMA))
    return con


def vote(rows: list[Row], items: Items = ONE) -> Row:
    [found] = votes(run(rows, items)).to_pylist()
    return found


def test_a_likelihood_vote_is_the_best_mean_posterior() -> None:
    found = vote(
        [
            row(1, [0.3, 0.6, 0.1, 0.0], order=0),
            row(0, [0.8, 0.1, 0.1, 0.0], order=1),
            row(1, [0.4, 0.5, 0.1, 0.0], order=2),
            row(1, [0.4, 0.5, 0.1, 0.0], order=3),
        ]
    )
    assert found["choice"] == 0  # though most orders chose option 1
    assert found["correct"] is True
    assert found["p_gold"] == pytest.approx(0.475)
    assert found["problem"] is None


def test_a_tie_is_no_vote() -> None:
    third = 1 / 3
    tied = vote([row(0, [third, third, third, 0.0]), row(0, [0.3, 0.1 + 0.2, 0.4 - 1e-1, 0.1], order=1)])
    assert (tied["choice"], tied["correct"]) == (None, False)
    assert vote([row(1, [0.3, 0.1 + 0.2, 0.2, 0.2])])["choice"] is None  # 0.1 + 0.2 is a hair above 0.3
    assert vote([row(0, [0.25 + 1e-9, 0.25, 0.25, 0.25])])["correct"] is True


@pytest.mark.parametrize(
    ("replies", "choice"),
    [
        ([0, 0, 1, 2], 0),
        ([0, 0, 1, 1], None),
        ([0, 1, 1, 1], 1),
        ([0, "refused", "refused", "unparsed"], 0),
        ([1, 0, "refused", "unparsed"], None),
        (["refused", "refused", "unparsed", "refused"], None),
    ],
)
def test_a_generated_vote_is_the_most_frequent_choice(replies: list[Any], choice: int | None) -> None:
    rows = [
        row(None, order=order, outcome=reply) if isinstance(reply, str) else row(reply, order=order)
        for order, reply in enumerate(replies)
    ]
    found = vote(rows)
    assert (found["choice"], found["correct"], found["p_gold"]) == (choice, choice == 0, None)
    assert found["problem"] is None  # a refusal is an answer that is not right, not a missing vote


@pytest.mark.parametrize(
    ("replies", "abstained"),
    [
        (["refused"] * 4, True),
        (["refused", "refused", "unparsed", "unparsed"], True),
        (["refused", "unparsed", "unparsed", "unparsed"], False),
        (["unparsed"] * 4, False),
        ([0, "refused", "refused", "refused"], False),  # it answered once
        ([0, 1, "refused", "refused"], False),  # a tie
    ],
)
def test_a_vote_that_declines_is_an_abstention(replies: list[Any], abstained: bool) -> None:
    rows = [
        row(None, order=order, outcome=reply) if isinstance(reply, str) else row(reply, order=order)
        for order, reply in enumerate(replies)
    ]
    assert vote(rows)["abstained"] is abstained


def test_accuracy_tells_three_ways_of_answering() -> None:
    items = questions(6)
    gold = [item.answer or 0 for item in items]
    rows = [row(gold[0]), row((gold[1] + 1) % 4, item=1)]
    rows += [row(outcome="refused", item=2), row(outcome="refused", item=3)]
    rows += [row(outcome="unparsed", item=4), row(outcome="failed", item=5)]
    [found] = accuracy(run(rows, items)).to_pylist()
    counts = [found[name] for name in ("n", "right", "wrong", "abstained", "no_choice", "missing")]
    assert counts == [5, 1, 1, 2, 1, 1]
    assert (found["accuracy"], found["credited"]) == (0.2, pytest.approx((1 + 2 / 4) / 5))
    assert found["chance_corrected"] == pytest.approx((0.3 - 0.25) / 0.75)


def test_a_failed_order_is_a_missing_vote() -> None:
    some = vote([row(0), row(order=1, outcome="failed"), row(0, order=2), row(0, order=3)])
    assert (some["problem"], some["choice"], some["correct"]) == ("1 of 4 answers failed", None, None)
    assert vote([row(outcome="failed")])["problem"] == "1 of 1 answers failed"


def test_a_failure_that_was_asked_again_is_forgotten() -> None:
    found = vote([row(outcome="failed"), row(0)])
    assert (found["problem"], found["correct"]) == (None, True)


def test_missing_orders_and_questions_not_yet_asked() -> None:
    items = questions(4, k=[4, 4, 2, 2])
    rows = [row(0, order=o) for o in range(4)] + [row(0, item=1, order=o) for o in range(3)]
    rows += [row(0, item=2, order=o) for o in range(2)]
    problems = votes(run(rows, items))["problem"].to_pylist()
    assert problems == [None, "1 of 4 orders are missing", None, "not asked"]
    rows = [row(0, order=o, condition="audio") for o in range(4)] + [row(0)]  # one condition is behind
    assert votes(run(rows))["problem"].to_pylist() == [None, "3 of 4 orders are missing"]


def test_without_a_key_there_is_a_choice_but_no_score() -> None:
    items = questions(1, keyed=False)
    found = vote([row(2, [0.1, 0.1, 0.7, 0.1])], items)
    assert (found["choice"], found["correct"], found["p_gold"]) == (2, None, None)
    [score] = contributions(run([row(2), row(2, condition="audio")], items)).to_pylist()
    for name in ("score", "votes_right", "right_with_audio", "unsolved", "contribution"):
        assert score[name] is None


def test_both_methods_in_one_run_must_be_told_apart() -> None:
    con = run([row(1), row(0, [0.7, 0.1, 0.1, 0.1])])
    with pytest.raises(AudiocontribError, match="by generate and by likelihood; say which"):
        votes(con)
    assert votes(con, method="generate")["choice"].to_pylist() == [1]
    assert votes(con, method="likelihood")["choice"].to_pylist() == [0]


def three(right: list[bool], condition: str = "silence") -> list[Row]:
    return [row(0 if r else 1, model=m, condition=condition) for m, r in zip("abc", right, strict=True)]


def test_the_score_is_the_share_of_wrong_models() -> None:
    [found] = contributions(run(three([True, False, True]))).to_pylist()
    assert (found["models"], found["votes_right"], found["models_right"]) == (3, 2, ["a", "c"])
    assert found["score"] == pytest.approx(1 / 3)
    assert found["missing"] == []
    assert found["right_with_audio"] is None
    assert found["unsolved"] is None


@pytest.mark.parametrize(("right", "unsolved"), [([False] * 3, True), ([False, True, False], False)])
def test_unsolved(right: list[bool], unsolved: bool) -> None:
    [found] = contributions(run(three([False] * 3) + three(right, "audio"))).to_pylist()
    assert (found["right_with_audio"], found["unsolved"]) == (sum(right), unsolved)


def test_unsolved_is_unknown_where_a_vote_with_audio_is_missing() -> None:
    asked = [*three([False] * 3), row(1, model="a", condition="audio")]
    failed = row(outcome="failed", model="b", condition="audio")
    [found] = contributions(run([*asked, failed])).to_pylist()
    assert (found["right_with_audio"], found["unsolved"]) == (None, None)
    right = row(0, model="c", condition="audio")
    [found] = contributions(run([*asked, failed, right])).to_pylist()
    assert (found["right_with_audio"], found["unsolved"]) == (None, False)


def test_a_missing_vote_leaves_no_score() -> None:
    items = questions(2)
    rows = [*three([True, True, True]), row(1, item=1, model="a"), row(outcome="failed", item=1, model="b")]
    found = contributions(run(rows, items)).to_pylist()[1]
    assert found["missing"] == ["b: 1 of 1 answers failed under silence", "c: not asked under silence"]
    assert (found["models"], found["votes_right"], found["score"]) == (3, 1, None)


def test_posteriors_are_averaged_over_models_and_orders() -> None:
    def asked(model: str, condition: str, *golds: float) -> list[Row]:
        return [row(0, [p, 1 - p, 0.0, 0.0], order=o, model=model, condition=condition) for o, p in enumerate(golds)]

    rows = asked("a", "audio", 0.9, 0.7) + asked("b", "audio", 0.6, 0.6)
    rows += asked("a", "silence", 0.2, 0.4) + asked("b", "silence", 0.5, 0.5) + asked("t", "text", 0.1, 0.3)
    [found] = contributions(run(rows)).to_pylist()
    assert found["p_audio"] == pytest.approx(0.7)
    assert found["p_silence"] == pytest.approx(0.4)
    assert found["p_text"] == pytest.approx(0.2)
    assert found["contribution"] == pytest.approx(0.3)
    [against_text] = contributions(run(rows), condition="text").to_pylist()
    assert against_text["contribution"] is None  # no model was asked both ways
    assert against_text["models"] == 1
    [without] = contributions(run(asked("a", "audio", 0.9))).to_pylist()
    assert (without["p_silence"], without["contribution"], without["models"]) == (None, None, 0)


def test_contribution_needs_every_model_that_was_asked_both_ways() -> None:
    items = questions(2)
    rows = [
        row(0, [0.6, 0.4, 0.0, 0.0], model=m, condition=c, item=i)
        for i in range(2)
        for m in "ab"
        for c in ("audio", "silence")
    ]
    first, second = contributions(run(rows[:-1], items)).to_pylist()
    assert (first["contribution"], first["p_silence"], first["p_audio"]) == (0, 0.6, 0.6)
    assert (second["contribution"], second["p_silence"], second["p_audio"]) == (None, None, 0.4)


def test_empty_run() -> None:
    [found] = contributions(run([])).to_pylist()
    assert (found["models"], found["score"], found["contribution"]) == (0, None, None)
    assert accuracy(run([])).num_rows == 0
    assert math.isnan(unanimity(run([])))


def test_accuracy_of_planted_mocks() -> None:
    items = questions(300, per_clip=3)
    mocks = [MockModel(Planted(skill=0.8), "hears"), MockModel(Planted(skill=0, leak=1, seed=1), "reads")]
    table = accuracy(views(items, ask(items, mocks, ["audio", "silence"]))).to_pylist()
    assert [(r["model"], r["condition"]) for r in table] == [
        ("hears", "audio"),
        ("hears", "silence"),
        ("reads", "audio"),
        ("reads", "silence"),
    ]
    hears, guesses, *reads = table
    for found in table:
        assert (found["n"], found["chance"], found["missing"], found["failed"]) == (300, 0.25, 0, 0)
        low, high = proportion.proportion_confint(found["right"], 300, method="wilson")
        alike = found["accuracy"] in (0, 1)  # then the clips count, not the items
        assert alike or (found["low"], found["high"]) == pytest.approx((low, high), abs=5e-3)
        assert found["interval"] in ("Wilson, clustered", "all alike, clustered")
    assert hears["low"] < 0.8 + 0.2 / 4 < hears["high"]
    assert guesses["chance_corrected"] == pytest.approx((guesses["accuracy"] - 0.25) / 0.75)
    assert [r["accuracy"] for r in reads] == [1, 1]


def test_accuracy_by_group_adds_up() -> None:
    items = questions(60, k=[2, 4])
    con = views(items, ask(items, [MockModel()], ["audio"]))
    [whole] = accuracy(con).to_pylist()
    parts = accuracy(con, by=["question_type", "source_dataset"]).to_pylist()
    assert len(parts) == 6
    assert sum(p["n"] for p in parts) == whole["n"] == 60
    assert sum(p["right"] for p in parts) == whole["right"]
    assert whole["chance"] == pytest.approx(0.375)
    assert {p["chance"] for p in parts if p["question_type"] == "sound"} == {0.5}
    with pytest.raises(UsageError, match="accuracy by answer: it can be by dataset, question_type"):
        accuracy(con, by=["answer"])


def test_accuracy_counts_what_was_not_answered() -> None:
    items = questions(5)
    rows = [
        row(0),
        row(outcome="refused", item=1),
        row(outcome="unparsed", item=2),
        row(outcome="failed", item=3),
    ]
    [found] = accuracy(run(rows, items)).to_pylist()
    assert (found["n"], found["right"], found["missing"]) == (3, 1, 2)
    assert (found["refused"], found["unparsed"], found["failed"]) == (1, 1, 1)
    [none] = accuracy(run([row(outcome="failed")])).to_pylist()
    assert (none["n"], none["right"], none["accuracy"], none["failed"]) == (0, 0, None, 1)


def test_accuracy_counts_failures_where_a_group_has_no_name() -> None:
    rows = [row(0), row(outcome="failed", item=1), row(outcome="failed", item=1, condition="audio")]
    *asked, named = questions(3)
    items = Items([*asked, replace(named, extra={"theme": "rain"})])
    found = accuracy(run(rows, items), by=["extra.theme"]).to_pylist()
    [silent] = [r for r in found if r["condition"] == "silence" and r["n"]]
    assert (silent["condition"], silent["extra.theme"], silent["n"], silent["failed"]) == ("silence", None, 1, 1)


def test_agreement() -> None:
    items = questions(4)
    rows = [row(1, model=m, item=0) for m in "ab"]  # alike, and wrong
    rows += [row(0, model="a", item=1), row(2, model="b", item=1)]
    rows += [row(outcome="refused", model=m, item=2) for m in "ab"]
    rows += [row(0, model="a", item=3), row(outcome="failed", model="b", item=3)]  # does not count
    assert unanimity(run(rows, items)) == pytest.approx(1 / 3)
    assert math.isnan(unanimity(run([row(1)])))


@pytest.mark.slow
def test_it_runs_without_torch() -> None:
    code = "import sys, audiocontrib.contribution, audiocontrib.splits; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
