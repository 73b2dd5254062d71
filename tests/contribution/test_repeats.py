"""Repeats are never items or orders: each measure counts one reply to a question, and says which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from helpers.planted import answer, ask, questions, requests, views
from test_scope import MEASURES, NEEDS

from audiocontrib.contribution import Scope, accuracy, contributions
from audiocontrib.contribution.answer_counts import count_answers
from audiocontrib.contribution.certificate import certificate
from audiocontrib.contribution.measure import measure
from audiocontrib.contribution.repeats import pass_rates_of_items, repeats
from audiocontrib.contribution.thinking import thinking
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import Outcome, Response
from audiocontrib.splits import split
from audiocontrib.splits.sensitivity import sensitivity

ITEMS = questions(16, k=(3, 4))
COUNT = 3
OF_ALL = ("repeats", "pass_rates_of_items", "thinking")
FEW = ("accuracy", "votes", "posteriors", "split")
"""Those that others are made of; all of them take a minute."""


def answers(repeat: int, method: str = "likelihood") -> list[Response]:
    """Of two models under three conditions in all orders; another luck in each repeat."""
    models = [MockModel(Planted(skill=0.7, leak=0.3, seed=10 * repeat + i), f"m{i}") for i in range(2)]
    told = ask(ITEMS, models, ["audio", "silence", "text"], method, cyclic=True)
    return [replace(r, repeat=repeat, request_key=f"{r.request_key} {repeat}") for r in told]


@pytest.fixture(scope="module", params=["likelihood", "generate"])
def several(request: pytest.FixtureRequest) -> list[list[Response]]:
    return [answers(repeat, request.param) for repeat in range(COUNT)]


def tables(made: Any) -> list[Any]:
    """What a measure gives back, as values that can be compared."""
    if isinstance(made, tuple | list):
        return [value for one in made for value in tables(one)]
    if hasattr(made, "table"):
        return [made.table]
    if hasattr(made, "items") and hasattr(made, "weights"):
        return [made.items, made.table, made.weights]
    return [made] if hasattr(made, "equals") or isinstance(made, float) else [repr(made)]


def said(measure: Callable[..., Any], *run: Any, **words: Any) -> Any:
    """What a measure gives, or the line by which it refuses."""
    try:
        return measure(*run, **words)
    except AudiocontribError as error:
        return str(error)


def same(a: Any, b: Any) -> bool:
    return a.equals(b) if hasattr(a, "equals") else a == b or (a != a and b != b)


@pytest.mark.parametrize(
    "name",
    [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in MEASURES if name not in OF_ALL],
)
def test_a_measure_of_one_repeat_is_that_of_a_run_with_it_alone(several: list[list[Response]], name: str) -> None:
    """Every public measure there is, of the first (also where none is named) and of another."""
    whole = views(ITEMS, [row for own in several for row in own])
    for repeat, words in ((0, {}), (0, {"repeat": "first"}), (2, {"repeat": 2})):
        alone = views(ITEMS, [replace(row, repeat=0) for row in several[repeat]])
        more, more_alone = (NEEDS.get(name, lambda con: {})(con) for con in (whole, alone))
        wanted = tables(said(MEASURES[name], alone, **more_alone))
        found = tables(said(MEASURES[name], whole, **words, **more))
        if name == "sensitivity":
            found = [table.slice(0, wanted[0].num_rows) for table in found]
        assert all(map(same, found, wanted)), name
    assert whole.sql("select count(*) from responses").fetchall() == [(sum(map(len, several)),)]


def test_answers_without_a_scope_are_refused_rather_than_mixed(several: list[list[Response]]) -> None:
    con = views(ITEMS, [row for own in several for row in own])
    with pytest.raises(AudiocontribError, match="answered several times in one order"):
        count_answers(con)


@pytest.mark.parametrize("word", ["mean", "last", 3, -1, True, 1.0, ["first"]])
def test_an_unknown_repeat_is_one_line(several: list[list[Response]], word: Any) -> None:
    con = views(ITEMS, [row for own in several for row in own])
    with pytest.raises(UsageError, match="repeat"):
        accuracy(con, repeat=word)


def planted(choices: list[list[int | None]], gold: int = 0) -> duckdb.DuckDBPyConnection:
    """Replies to one question an item, by repeat: a choice; None: unparsed; -1: failed; -2: refused."""
    items = questions(len(choices), k=4)
    known = {None: Outcome.UNPARSED, -1: Outcome.FAILED, -2: Outcome.REFUSED}
    [pattern, *_] = ask(items, [MockModel(Planted(), "m")], ["audio"], "generate")
    rows = []
    for item, own in zip(items, choices, strict=True):
        for repeat, choice in enumerate(own):
            said = choice if choice is not None and choice >= 0 else None
            outcome = Outcome.ANSWERED if said is not None else known[choice]
            correct = None if outcome == Outcome.FAILED else said == item.answer
            told = {"choice": said, "outcome": outcome, "correct": correct, "request_key": f"{item.id} {repeat}"}
            rows.append(replace(pattern, item_id=item.id, repeat=repeat, **told))
    return views(items, rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "choice", "problem"),
    [
        ([1, 1, 2], 1, None),
        ([1, 1, 1], 1, None),
        ([1, 2, 3], None, None),
        ([1, 2, None], None, None),
        ([1, None, None], 1, None),  # as a vote over orders: what names no option is for none
        ([None, None, None], None, None),
        ([-2, -2, -2], None, None),
        ([1, 1, -1], None, "1 of 1 answers failed"),
    ],
)
def test_the_majority(said: list[int | None], choice: int | None, problem: str | None) -> None:
    con = planted([said, [0, 0, 0]])
    row = votes(con, repeat="majority").to_pylist()[0]
    assert (row["choice"], row["problem"]) == (choice, problem)
    kept = {"failed": problem is not None, "refused": said == [-2, -2, -2]}
    counted = accuracy(con, repeat="majority").to_pylist()[0]
    assert (counted["failed"], counted["refused"]) == (int(kept["failed"]), int(kept["refused"]))


def test_a_missing_repeat_is_no_majority() -> None:
    con = planted([[0, 0, 0], [1, 1]])
    assert [row["problem"] for row in votes(con, repeat="majority").to_pylist()] == [None, "1 of 1 answers failed"]
    assert [row["problem"] for row in votes(con, repeat=2).to_pylist()] == [None, "not asked"]


def test_the_majority_of_posteriors_is_their_mean() -> None:
    several = [answers(repeat) for repeat in range(COUNT)]
    con = views(ITEMS, [row for own in several for row in own])
    found = contributions(con, repeat="majority")["p_silence"].to_numpy(zero_copy_only=False)
    each = [contributions(con, repeat=r)["p_silence"].to_numpy(zero_copy_only=False) for r in range(COUNT)]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-12)


def test_pass_rates_and_the_floor_by_hand() -> None:
    con = planted([[0, 0, 0, 0], [1, 0, 1, 0], [2, 0, 2, 2]])  # golds are 0, 1, 2
    rows = pass_rates_of_items(con).to_pylist()
    assert [(row["right"], row["pass_rate"], row["majority"]) for row in rows] == [
        (4, 1.0, True), (2, 0.5, False), (3, 0.75, True),
    ]  # fmt: skip
    [row] = repeats(con).to_pylist()
    assert (row["repeats"], row["n"], row["ever"], row["always"]) == (4, 3, 1.0, 1 / 3)
    assert row["pass_rate"] == pytest.approx(0.75)
    assert (row["lowest"], row["highest"]) == (pytest.approx(1 / 3), pytest.approx(1.0))
    assert row["majority"] == pytest.approx(2 / 3)
    # of the pairs of repeats, 0 of 6, 4 of 6 and 3 of 6 differ
    assert row["changes"] == pytest.approx((0 + 4 / 6 + 3 / 6) / 3)
    assert row["floor"] == pytest.approx(1.959964 * np.sqrt(row["changes"] / 3))
    with pytest.raises(UsageError, match="all repeats together"):
        repeats(con, repeat=1)


def test_repeats_that_decline_are_counted_apart() -> None:
    con = planted([[0, -2, 0, None], [-2, -2, -2, -2]])
    rows = pass_rates_of_items(con).to_pylist()
    assert [(row["right"], row["abstained"], row["pass_rate"], row["majority"]) for row in rows] == [
        (2, 1, 0.5, True), (0, 4, 0.0, False),
    ]  # fmt: skip
    [row] = repeats(con).to_pylist()
    assert (row["abstained"], row["pass_rate"], row["lowest"], row["highest"]) == (5 / 8, 0.25, 0.0, 0.5)
    assert row["majority"] == 0.5


def test_two_repeats_lie_within_the_floor_in_95_of_100_cases() -> None:
    """Items of all pass rates, drawn anew 400 times: the floor of 8 repeats against two further ones."""
    random = np.random.default_rng(0)
    n, inside = 200, 0
    for _ in range(400):
        p = random.beta(0.6, 0.6, n)
        drawn = random.random((10, n)) < p
        variance = drawn[:8].var(axis=0, ddof=1).mean()
        inside += abs(drawn[8].mean() - drawn[9].mean()) <= 1.96 * np.sqrt(2 * variance / n)
    assert 0.92 <= inside / 400 <= 0.98
    con = planted([[int(item % 4 if right else (item + 1) % 4) for right in drawn[:8, item]] for item in range(n)])
    [row] = repeats(con).to_pylist()
    assert row["floor"] == pytest.approx(1.96 * np.sqrt(2 * variance / n), rel=1e-4)


def test_a_run_with_one_reply_each_has_no_floor() -> None:
    con = views(ITEMS, answers(0))
    assert {row["floor"] for row in repeats(con).to_pylist()} == {None}


@pytest.mark.slow
def test_splits_keep_and_vary_which_repeat_counts(several: list[list[Response]]) -> None:
    con = views(ITEMS, [row for own in several for row in own])
    made = split(con, condition="text", repeat="majority")
    assert made.settings["repeat"] == "majority"
    assert split(con, condition="text").settings["repeat"] == 0
    assert "repeat" not in split(views(ITEMS, several[0]), condition="text").settings
    assert split(con, **made.settings).table.equals(made.table)
    varied = sensitivity(con, condition="text", repeat="majority").to_pylist()
    by_repeat = {row["variant"]: row for row in varied if row["varies"] == "repeats"}
    assert list(by_repeat) == [f"repeat {r} only" for r in range(COUNT)]
    for repeat in range(COUNT):
        other = split(con, condition="text", repeat=repeat).table
        moved = np.mean([a != b for a, b in zip(other["split"], made.table["split"], strict=True)])
        assert by_repeat[f"repeat {repeat} only"]["moved"] == pytest.approx(moved)


def test_a_certificate_counts_each_item_once(several: list[list[Response]]) -> None:
    con = views(ITEMS, [row for own in several for row in own])
    found = certificate(con, strong=ITEMS.table, model="m0", repeat=1)
    alone = views(ITEMS, [replace(row, repeat=0) for row in several[1]])
    assert found == certificate(alone, strong=ITEMS.table, model="m0")


@pytest.mark.slow
def test_it_is_said_which_repeat_counts(several: list[list[Response]], capsys: pytest.CaptureFixture[str]) -> None:
    con = views(ITEMS, [row for own in several for row in own])
    accuracy(con)
    assert "of several answers to each question, one counts: repeat 0 alone" in capsys.readouterr().err
    accuracy(con)
    assert capsys.readouterr().err == ""  # once
    notes = measure(con, scope=Scope(condition="text", repeat=1)).notes
    assert "of several answers to each question, one counts: repeat 1 alone" in notes
    assert any("m0: audio minus text is" in note for note in notes)


BOUNDS = (0, 8, None)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accuracy", "votes", "split"])
def test_a_measure_of_one_bound_is_that_of_a_run_with_it_alone(several: list[list[Response]], name: str) -> None:
    """The same of bounds of thoughts: the largest where none is named, and none of its own is larger than any."""
    own = [[replace(row, repeat=0, think_tokens=b) for row in rows] for rows, b in zip(several, BOUNDS, strict=True)]
    whole = views(ITEMS, [row for rows in own for row in rows])
    for place, words in ((2, {}), (2, {"think_tokens": "free"}), (0, {"think_tokens": 0}), (1, {"think_tokens": 8})):
        wanted = tables(MEASURES[name](views(ITEMS, own[place])))
        assert all(map(same, tables(MEASURES[name](whole, **words)), wanted))
    assert split(whole, condition="text").settings["think_tokens"] == "free"
    with pytest.raises(UsageError, match="it holds those with: 0, 8, free"):
        accuracy(whole, think_tokens=9)


@pytest.mark.slow
def test_repeats_of_thoughts_of_several_bounds() -> None:
    """Each bound has its own repeats; a majority is of one bound."""
    rows = [replace(row, think_tokens=bound) for bound in (0, 8) for repeat in range(3) for row in answers(repeat)]
    con = views(ITEMS, [replace(row, request_key=f"{row.request_key} {row.think_tokens}") for row in rows])
    alone = views(ITEMS, [row for repeat in range(3) for row in answers(repeat)])
    found = contributions(con, repeat="majority", think_tokens=0)
    wanted = contributions(alone, repeat="majority")
    # sums may be in another order: equal but for the last digit
    pd.testing.assert_frame_equal(found.to_pandas(), wanted.to_pandas(), rtol=1e-12)
    assert repeats(con).equals(repeats(alone))


def test_contribution_against_the_length_of_thoughts() -> None:
    """A mock that needs up to 40 words of thought to know what it hears, and answers from the text without."""
    items = questions(120)
    con = duckdb.connect()
    rows = []
    for bound in (0, 20, 40):
        model = MockModel(Planted(skill=0.9, thought=40, seed=3), "m")
        for spec in ("audio", "silence"):
            for request in requests(items, spec):
                row = answer(model, replace(request, think_tokens=bound), "likelihood")
                rows.append(replace(row, think_tokens=bound, thought_tokens=bound))
    con = views(items, rows)
    found = thinking(con).to_pylist()
    assert [row["think_tokens"] for row in found] == [0, 20, 40]
    assert all(row["n"] == 120 for row in found)
    added = [row["contribution"] for row in found]
    assert added[0] < 0.15 < added[1] < added[2]
    assert added[2] > 0.75
    assert found[0]["accuracy_audio"] == pytest.approx(accuracy(con, think_tokens=0).to_pylist()[0]["accuracy"])
    with pytest.raises(UsageError, match="all bounds of thoughts together"):
        thinking(con, think_tokens=0)
