"""The bias for a place, planted in mocks: it is measured, taken out, and scores nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.planted import ask, questions, views

from audiocontrib.contribution import accuracy
from audiocontrib.contribution.positions import debiased, position_prior, positions
from audiocontrib.contribution.posteriors import padded, posteriors
from audiocontrib.contribution.rerun import rerun_floor
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.statistics import mean_by_clip

MIXED = questions(120, k=[2, 3, 4, 5])
BIASED = MockModel(Planted(skill=0, position_bias=5, noise=0), "biased")


@pytest.mark.parametrize("method", ["likelihood", "generate"])
def test_a_pure_position_bias_scores_exactly_one_in_k(method: str) -> None:
    con = views(MIXED, ask(MIXED, [BIASED], ["silence"], method, cyclic=True))
    table = positions(con)
    for k in (2, 3, 4, 5):
        rows = [row for row in table.to_pylist() if row["k"] == k]
        assert [row["place"] for row in rows] == list(range(k))
        assert [row["share"] for row in rows] == [1, *[0] * (k - 1)]
        assert [row["recall"] for row in rows] == [1, *[0] * (k - 1)]
        right = sum(row["recall"] * row["gold_n"] for row in rows)
        assert right / rows[0]["n"] == 1 / k  # of its single answers
        assert (rows[0]["spread"], rows[0]["flips"]) == (1, 1)
    for row in posteriors(con).to_pylist():
        assert row["posterior"] == pytest.approx([1 / row["k"]] * row["k"])
    assert accuracy(con)["right"].to_pylist() == [0]  # each vote is a tie, and so for nobody


def test_without_a_bias_all_places_are_alike() -> None:
    items = questions(400)
    con = views(items, ask(items, [MockModel(Planted(skill=0), "fair")], ["silence"], cyclic=True))
    for row in positions(con).to_pylist():
        assert row["n"] == 1600
        assert row["gold_n"] == 400
        assert row["share"] == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 1600))
        assert row["recall"] == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 400))
        assert row["prior"] == pytest.approx(0.25, abs=0.02)
        assert row["flips"] == pytest.approx(0.75, abs=0.05)


@pytest.mark.slow
def test_the_prior_is_that_which_was_planted() -> None:
    noisy = MockModel(Planted(skill=0.5, position_bias=1.5, content_preference=2, noise=0.5), "m")
    items = questions(400)
    con = views(items, ask(items, [noisy], ["audio", "silence"], cyclic=True))
    planted = np.exp([1.5, 0, 0, 0]) / np.exp([1.5, 0, 0, 0]).sum()
    for condition in ("audio", "silence"):
        prior = position_prior(con, model="m", condition=condition, k=4)
        assert prior.sum() == pytest.approx(1)
        assert prior == pytest.approx(planted, abs=0.02)
        assert prior == pytest.approx([r["prior"] for r in positions(con).to_pylist() if r["condition"] == condition])
    assert position_prior(con, model="m", condition="audio", k=4, share=0.1) == pytest.approx(planted, abs=0.05)
    first, again, other = (position_prior(con, model="m", condition="audio", k=4, share=0.1, seed=s) for s in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()


def test_pride_on_a_share_agrees_with_full_cyclic_averaging() -> None:
    model = MockModel(Planted(skill=0.6, position_bias=4, content_preference=2, noise=0.3, confidence=3), "m")
    items = questions(300, k=[4, 3])
    con = views(items, ask(items, [model], ["audio"], cyclic=True))
    whole = posteriors(con)
    table = debiased(con, model="m", condition="audio", share=0.1)
    assert table["item_id"].equals(whole["item_id"])
    assert table["k"].equals(whole["k"])
    assert sorted(set(table["orders"].to_pylist())) == [1, 3, 4]
    rest = table["orders"].to_numpy() == 1
    assert rest.sum() == 270
    full, pride = padded(whole["posterior"]), padded(table["posterior"])
    assert np.nansum(pride, axis=1) == pytest.approx(1)
    assert pride[~rest] == pytest.approx(full[~rest], nan_ok=True)
    single = posteriors(views(items, ask(items, [model], ["audio"])))
    raw = padded(single["posterior"])
    best = [np.nanargmax(p[rest], axis=1) for p in (full, pride, raw)]
    assert (best[1] == best[0]).mean() > 0.97
    assert (best[2] == best[0]).mean() < 0.6  # as they are, single answers follow the place


def test_pride_reads_the_first_order_that_was_answered() -> None:
    model, fair = (MockModel(Planted(skill=0, position_bias=b, content_preference=2, noise=0), "m") for b in (3, 0))
    items = questions(40)
    rows = ask(items, [model], ["silence"], cyclic=True)
    con = views(items, [row for row in rows if row.item_id < "planted/00010" or row.order > 1])
    table = debiased(con, model="m", condition="silence", share=1.0)
    assert table["orders"].to_pylist() == [4] * 10 + [1] * 30
    unbiased = padded(posteriors(views(items, ask(items, [fair], ["silence"])))["posterior"])
    assert padded(table["posterior"])[10:] == pytest.approx(unbiased[10:])


def test_a_place_of_which_nothing_is_known_is_null() -> None:
    items = questions(4, keyed=False)
    con = views(items, ask(items, [BIASED], ["silence"]))
    for row in positions(con).to_pylist():
        assert (row["gold_n"], row["recall"], row["spread"], row["prior"], row["flips"]) == (0, None, None, None, None)
    assert positions(views(items, [])).num_rows == 0


def test_the_prior_needs_all_orders() -> None:
    items = questions(8)
    con = views(items, ask(items, [BIASED], ["silence"]))
    says = "biased answered no item with 4 options under silence with likelihoods in all its orders; ask"
    for share in (0.5, 1.0):
        with pytest.raises(AudiocontribError, match=says):
            position_prior(con, model="biased", condition="silence", k=4, share=share)
        with pytest.raises(AudiocontribError, match=says):
            debiased(con, model="biased", condition="silence", share=share)
    with pytest.raises(AudiocontribError, match="with 5 options"):
        position_prior(con, model="biased", condition="silence", k=5)
    with pytest.raises(AudiocontribError, match="no answers under 'text'"):
        debiased(con, model="biased", condition="text")
    whole = views(items, ask(items, [BIASED], ["silence"], cyclic=True))
    for share in (0, 1.5):
        with pytest.raises(UsageError, match=f"share {share} is not above 0 and at most 1"):
            position_prior(whole, model="biased", condition="silence", k=4, share=share)


def test_the_floor_is_the_share_of_requests_with_another_choice() -> None:
    items = questions(50)
    mocks = [MockModel(Planted(skill=0), name) for name in "ab"]
    rows = ask(items, mocks, ["silence"])
    again = [
        replace(row, choice=((row.choice or 0) + 1) % 4) if row.model == "a" and i < 10 else row
        for i, row in enumerate(rows)
    ]
    again[20] = replace(again[20], choice=None, outcome="refused")
    again[21] = replace(again[21], choice=None, outcome="failed")
    again = [row for row in again if row.request_key != rows[60].request_key]
    a, b = rerun_floor(views(items, rows), other=views(items, again)).to_pylist()
    assert (a["model"], a["condition"], a["n"], a["differ"]) == ("a", "silence", 49, 11)
    assert (a["share"], a["low"], a["high"]) == (11 / 49, *mean_by_clip([1] * 11 + [0] * 38, range(49)).interval())
    assert (b["model"], b["n"], b["differ"], b["share"]) == ("b", 49, 0, 0)
    with pytest.raises(UsageError, match="the two runs share no request; a re-run asks the same model"):
        rerun_floor(views(items, rows), other=views(items, ask(items, mocks, ["audio"])))


def test_abstentions_are_told_from_other_replies_without_an_option() -> None:
    items = questions(60)
    shy = MockModel(Planted(refuse_without_audio=0.3, unparseable=0.2), "shy")
    rows = positions(
        views(items, ask(items, [shy], ["silence"], "generate", cyclic=True)), condition="silence"
    ).to_pylist()
    for row in rows:
        assert sum(one["share"] for one in rows) + row["abstained"] + row["no_choice"] == pytest.approx(1)
        assert 0.2 < row["abstained"] < 0.4
        assert 0.05 < row["no_choice"] < 0.25
