"""The table of posteriors: means, counts and flips over the orders, against sums done by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from helpers.planted import ask, questions, views

from audiocontrib.contribution import contributions
from audiocontrib.contribution.posteriors import padded, posteriors
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import RESPONSE_SCHEMA, Outcome, Response

Row = dict[str, Any]
MIXED = questions(40, k=[4, 2, 5, 3])
GUESSES = [MockModel(Planted(skill=0.5, leak=0.3, unparseable=0.2, seed=s), name) for s, name in enumerate("abc")]


def run(rows: list[Row], items: Items) -> duckdb.DuckDBPyConnection:
    given = {"model": "m", "condition": "silence", "outcome": "answered", "method": "likelihood"}
    con = views(items, [])
    con.register("responses", pa.Table.from_pylist([given | row for row in rows], schema=RESPONSE_SCHEMA))
    return con


def told(*orders: list[float] | int | str | None, items: Items | None = None) -> Row:
    """The row of one item's answers, an order each: a posterior, a choice, an outcome, or None for not asked."""
    rows: list[Row] = []
    for order, answer in enumerate(orders):
        row: Row = {"item_id": "planted/00000", "order": order, "method": "generate"}
        if isinstance(answer, list):
            row |= {"method": "likelihood", "posterior": answer}
        elif isinstance(answer, str):
            row |= {"outcome": answer}
        else:
            row |= {"choice": answer}
        rows += [] if answer is None else [row]
    [found] = posteriors(run(rows, items or questions(1))).to_pylist()
    return dict(found)


def test_likelihoods_are_averaged_in_content_space() -> None:
    found = told([0.1, 0.7, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1], [0.2, 0.5, 0.2, 0.1])
    assert found["posterior"] == pytest.approx([0.7 / 3, 0.5, 0.5 / 3, 0.1])
    means = [0.1 * 0.4 * 0.2, 0.7 * 0.3 * 0.5, 0.1 * 0.2 * 0.2, 0.1**3]
    means = [m ** (1 / 3) for m in means]
    assert np.exp(found["log_posterior"]) == pytest.approx([m / sum(means) for m in means])
    assert (found["k"], found["answer"], found["orders"], found["problem"]) == (4, 0, 3, None)
    assert found["counts"] == [1, 2, 0, 0]
    assert found["flips"] == pytest.approx(2 / 3)


def test_a_tie_counts_for_none_and_is_an_answer_of_its_own() -> None:
    found = told([0.4, 0.4, 0.1, 0.1], [0.1 + 0.2, 0.3, 0.2, 0.2], [0.4, 0.3, 0.2, 0.1])
    assert found["counts"] == [1, 0, 0, 0]
    assert found["flips"] == pytest.approx(2 / 3)  # the two ties are alike


def test_an_excluded_option_has_a_finite_log_posterior() -> None:
    found = told([1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0])
    assert found["posterior"] == [1, 0, 0, 0]
    assert found["log_posterior"] == pytest.approx([0, *[math.log(1e-300)] * 3])


def test_replies_are_shares_of_the_orders() -> None:
    found = told(2, 2, "refused", 1)
    assert found["posterior"] == [0, 0.25, 0.5, 0]
    assert found["log_posterior"] is None
    assert (found["counts"], found["orders"]) == ([0, 1, 2, 0], 4)
    assert found["flips"] == pytest.approx(5 / 6)
    silent = told("refused", "unparsed")
    assert (silent["posterior"], silent["flips"], silent["problem"]) == ([0, 0, 0, 0], 0, None)
    assert told(3)["flips"] is None


def test_what_is_missing_has_no_posterior_but_says_what_was_answered() -> None:
    given = [[0.7, 0.1, 0.1, 0.1], [0.6, 0.2, 0.1, 0.1]]
    rows: list[Row] = [{"item_id": "planted/00000", "order": o, "posterior": p} for o, p in enumerate(given)]
    rows += [{"item_id": "planted/00001", "order": 0, "posterior": given[0]}]
    rows += [{"item_id": "planted/00001", "order": 1, "outcome": "failed"}]
    rows += [{"item_id": "planted/00002", "order": 0, "posterior": given[0]}]
    found = posteriors(run(rows, questions(4))).to_pylist()
    assert [row["problem"] for row in found] == [
        None,
        "1 of 2 answers failed",
        "1 of 2 orders are missing",
        "not asked",
    ]
    assert [row["orders"] for row in found] == [2, 1, 1, 0]
    assert [row["counts"][0] for row in found] == [2, 1, 1, 0]
    assert [row["posterior"] is None for row in found] == [row["log_posterior"] is None for row in found]
    assert [row["posterior"] is None for row in found] == [False, True, True, True]


def by_hand(rows: list[Response], items: Items) -> dict[tuple[str, str, str], Row]:
    """The complete posteriors, option by option in Python."""
    asked: dict[tuple[str, str, str], list[Response]] = {}
    for row in rows:
        asked.setdefault((row.item_id, row.model, row.condition), []).append(row)
    sizes = {item.id: len(item.choices) for item in items}
    found = {}
    for key, answers in asked.items():
        k = sizes[key[0]]
        chosen = [row.choice for row in answers]
        share = [sum(c == option for c in chosen) / len(answers) for option in range(k)]
        if answers[0].posterior is not None:
            share = [sum((row.posterior or [0] * k)[o] for row in answers) / len(answers) for o in range(k)]
        pairs = [(a, b) for i, a in enumerate(chosen) for b in chosen[:i]]
        found[key] = {
            "posterior": share,
            "counts": [chosen.count(option) for option in range(k)],
            "flips": sum(a != b for a, b in pairs) / len(pairs),
        }
    return found


@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_mocks_with_any_number_of_options(method: str) -> None:
    rows = ask(MIXED, GUESSES, ["audio", "silence"], method, cyclic=True)
    table = posteriors(views(MIXED, rows))
    assert table.num_rows == 40 * 3 * 2
    keys = [(row["item_id"], row["model"], row["condition"]) for row in table.to_pylist()]
    assert keys == sorted(keys)
    expected = by_hand(rows, MIXED)
    for key, row in zip(keys, table.to_pylist(), strict=True):
        for name, value in expected[key].items():
            assert row[name] == pytest.approx(value)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_the_order_of_the_rows_and_of_the_options_changes_nothing(method: str) -> None:
    rows = ask(MIXED, GUESSES, ["audio", "silence"], method, cyclic=True)
    con, shuffled = views(MIXED, rows), views(MIXED, [rows[i] for i in np.random.default_rng(0).permutation(len(rows))])
    for name in ("posterior", "log_posterior"):
        first, second = (padded(posteriors(c)[name]) for c in (con, shuffled))
        assert second == pytest.approx(first, nan_ok=True, abs=1e-12)
    backwards = Items([replace(i, choices=i.choices[::-1], answer=len(i.choices) - 1 - (i.answer or 0)) for i in MIXED])
    sizes = {item.id: len(item.choices) for item in MIXED}
    turned = [
        replace(
            row,
            choice=None if row.choice is None else sizes[row.item_id] - 1 - row.choice,
            posterior=None if row.posterior is None else tuple(row.posterior[::-1]),
        )
        for row in rows
    ]
    other = views(backwards, turned)
    for before, after in zip(posteriors(con).to_pylist(), posteriors(other).to_pylist(), strict=True):
        assert after["posterior"][::-1] == pytest.approx(before["posterior"])
        assert (after["counts"][::-1], after["flips"]) == (before["counts"], before["flips"])
    assert [r["correct"] for r in votes(other).to_pylist()] == [r["correct"] for r in votes(con).to_pylist()]
    first, second = (contributions(c).to_pandas() for c in (con, other))
    for name in ("votes_right", "score", "p_audio", "contribution"):
        assert second[name].to_numpy(float) == pytest.approx(first[name].to_numpy(float), nan_ok=True, abs=1e-12)


def test_a_failure_that_was_asked_again_counts_once() -> None:
    rows = ask(MIXED, GUESSES[:1], ["silence"], cyclic=True)
    failures = [replace(row, outcome=Outcome.FAILED, choice=None, posterior=None) for row in rows[::3]]
    assert posteriors(views(MIXED, rows + failures)).equals(posteriors(views(MIXED, rows)))


@pytest.mark.parametrize("answer", [[0.5, 0.5], 4])
def test_an_answer_that_does_not_fit_the_item_is_refused(answer: Any) -> None:
    with pytest.raises(AudiocontribError, match="an answer to planted/00000 does not fit the item's options"):
        told(answer)


def test_only_the_conditions_that_are_asked_for() -> None:
    con = views(MIXED, ask(MIXED, GUESSES, ["audio", "silence"]))
    table = posteriors(con, conditions=["silence"])
    assert set(table["condition"].to_pylist()) == {"silence"}
    assert table.equals(posteriors(con).filter(pa.compute.equal(posteriors(con)["condition"], "silence")))
    with pytest.raises(UsageError, match=r"no answers under 'text'; it holds those under: audio, silence"):
        posteriors(con, conditions=["silence", "text"])


def test_padded() -> None:
    column = pa.chunked_array([[[1.0, 2.0], None], [[], [3.0, 4.0, 5.0]]], pa.list_(pa.float64()))
    nan = math.nan
    expected = [[1, 2, nan], [nan] * 3, [nan] * 3, [3, 4, 5]]
    assert padded(column) == pytest.approx(np.array(expected), nan_ok=True)
    assert padded(column.slice(1), 4).shape == (3, 4)
    assert padded(column.slice(1), 4)[2, :3].tolist() == [3, 4, 5]
    assert padded(pa.chunked_array([], pa.list_(pa.int32()))).shape == (0, 0)
    assert padded(pa.chunked_array([[[1, 2]]], pa.list_(pa.int32()))).tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="a list of 3 values does not fit into 2 columns"):
        padded(column, 2)
