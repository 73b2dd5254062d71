"""Doses, conflicts and a text backbone: what is planted comes out, and a guesser hears nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from helpers.planted import ask, questions, views

from audiocontrib.conditions import condition
from audiocontrib.contribution.backbone import beyond_backbone
from audiocontrib.contribution.conflicts import conflicts
from audiocontrib.contribution.dose_response import dose_response
from audiocontrib.contribution.least_doses import least_doses
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import UsageError
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.models.mock import MockModel, Planted

MASKS = ["mask:20", "mask:60", "swap", "swap-mask:20", "swap-mask:60"]
ITEMS = questions(300)


@pytest.fixture(scope="module")
def con() -> Any:
    listener = MockModel(Planted(skill=0.9, leak=0.2, noise=0.5), "listener")
    guesser = MockModel(Planted(skill=0, leak=0), "guesser")
    return views(ITEMS, ask(ITEMS, [listener, guesser], ["audio", "silence", *MASKS, "snr:10", "snr:-10"]))


@pytest.mark.slow
def test_the_curve_falls_as_it_was_planted_and_a_guesser_hears_nothing(con: Any) -> None:
    rows = dose_response(con).to_pylist()
    assert {(r["model"], r["scale"]) for r in rows} == set(product(("listener", "guesser"), ("mask", "snr")))
    curve = {r["dose"]: r for r in rows if (r["model"], r["scale"]) == ("listener", "mask")}
    assert list(curve) == [0, 20, 60, 100]
    for dose, row in curve.items():
        known = 0.9 * (1 - dose / 100)
        expected = known + (1 - known) * (0.2 + 0.8 / 4)  # heard; else its text; else luck
        assert row["accuracy"] == pytest.approx(expected, abs=0.09)
        assert row["low"] < row["accuracy"] < row["high"]
        assert row["right"] + row["wrong"] + row["abstained"] + row["no_choice"] == row["n"] == 300
    assert curve[0]["heard"] > curve[20]["heard"] > curve[60]["heard"] > 0
    assert curve[100]["by_luck"] is None
    for row in (r for r in rows if r["model"] == "guesser" and r["heard"] is not None):
        assert row["heard_low"] < 0 < row["heard_high"]
    noisy = [r["dose"] for r in rows if (r["model"], r["scale"]) == ("listener", "snr")]
    assert noisy == [None, 10, -10]


@pytest.mark.slow
def test_the_least_dose_is_the_first_at_which_an_answer_is_no_longer_heard(con: Any) -> None:
    found = [row for row in least_doses(con).to_pylist() if row["model"] == "listener"]
    cast = {(r["item_id"], r["condition"]): r["correct"] for r in votes(con).to_pylist() if r["model"] == "listener"}
    assert len(found) == 300
    for row in found:
        own, foreign = (
            [cast[row["item_id"], name] for name in names]
            for names in (("audio", "mask:20", "mask:60"), ("swap", "swap-mask:20", "swap-mask:60"))
        )
        lost = [not a or b for a, b in zip(own, foreign, strict=True)]
        if lost[0]:
            assert row["least_dose"] is None
            assert row["note"] == ("right with another item's clip too: its text, or luck" if own[0] else
                                   "not right with the whole clip")  # fmt: skip
        elif not any(lost):
            assert (row["least_dose"], row["note"]) == (None, "right at every dose")
        else:
            assert row["least_dose"] == (20, 60)[lost.index(True) - 1]
            assert row["lost_under"] == f"mask:{row['least_dose']:g}"


def test_without_doses_or_controls_the_tables_are_empty() -> None:
    items = questions(12)
    mock = MockModel(Planted(skill=1), "m")
    none = views(items, ask(items, [mock], ["audio", "silence", "swap"]))
    assert not len(dose_response(none))
    assert not len(least_doses(none))
    assert not len(conflicts(none))
    assert not len(beyond_backbone(none))
    assert not len(least_doses(views(items, ask(items, [mock], ["audio", "mask:20"]))))


def test_a_condition_that_is_a_control_is_no_null() -> None:
    items = questions(12)
    asked = ["audio", "mask:20", "swap-mask:20", "conflict"]
    made = views(items, ask(items, [MockModel(Planted(skill=1), "m")], asked))
    with pytest.raises(UsageError, match="condition is 'conflict', which means something only beside its own table"):
        conflicts(made, condition="conflict")
    with pytest.raises(UsageError, match="only beside 'mask:20', as audio"):
        conflicts(made, condition="swap-mask:20")


def test_a_conflict_is_followed_by_ear_by_text_or_by_neither() -> None:
    sounds = ("cat", "dog", "cow", "owl")
    items = Items(
        make_item(dataset="d", own_id=f"{i:02d}", question="Which?", choices=sounds, answer=sounds[i % 4],
                  audio=Clip(f"{i}.wav"), question_type="animal")
        for i in range(40)
    )  # fmt: skip
    reader = MockModel(Planted(skill=0, leak=1), "m")  # the text says the gold
    partner = condition("conflict").partners(list(items))
    kinds = ("ear", "text", "neither", "abstained", "abstained")
    rows = [replace(row, method="generate", posterior=None) for row in ask(items, [reader], ["silence", "conflict"])]
    for place, row in enumerate(row for row in rows if row.condition == "conflict"):
        item, kind = items[place], kinds[place % 5]
        other = partner(item)
        assert other is not None
        assert other.answer not in (None, item.answer)
        neither = next(i for i in range(4) if i not in (item.answer, other.answer))
        choice = {"ear": other.answer, "text": item.answer, "neither": neither}.get(kind)
        outcome = "answered" if choice is not None else "refused"
        at = next(i for i, one in enumerate(rows) if one is row)
        rows[at] = replace(row, choice=choice, outcome=outcome, partner_id=other.id)
    [found] = conflicts(views(items, rows)).to_pylist()
    assert (found["n"], found["agree"], found["no_text"], found["chance"]) == (40, 0, 0, 0.25)
    for kind in ("ear", "text", "neither", "abstained"):
        assert found[kind] == pytest.approx(kinds.count(kind) / 5)
        assert found[f"{kind}_low"] < found[kind] < found[f"{kind}_high"]


def test_what_is_known_beyond_a_text_backbone() -> None:
    audio_model = MockModel(Planted(skill=0.9, leak=0.6, seed=1), "audio")
    backbone = MockModel(Planted(skill=0, leak=0.3, seed=2), "backbone")
    rows = [*ask(ITEMS, [audio_model], ["audio", "text"]), *ask(ITEMS, [backbone], ["text"])]
    [found] = beyond_backbone(views(ITEMS, rows), condition="text").to_pylist()
    assert (found["model"], found["reference"], found["n"]) == ("audio", "backbone", 300)
    by_hand = (found["accuracy"] - found["reference_accuracy"]) / 0.75
    assert found["beyond"] == pytest.approx(by_hand)
    assert found["beyond"] == pytest.approx(0.3, abs=0.12)
    assert found["low"] < found["beyond"] < found["high"]
    [same] = beyond_backbone(views(ITEMS, rows), reference="backbone", condition="text").to_pylist()
    assert same == found
    with pytest.raises(UsageError, match="the run did not ask under 'text'"):
        beyond_backbone(views(ITEMS, ask(ITEMS, [audio_model], ["audio", "silence"])), reference="audio")
    assert np.isfinite(found["mcnemar"])
