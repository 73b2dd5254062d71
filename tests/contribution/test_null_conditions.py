"""Conditions without audio, compared: planted effects of silence are found, and none where there is none."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.planted import ask, questions, views

from audiocontrib.contribution import accuracy
from audiocontrib.contribution.null_conditions import nulls
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import Response

ITEMS = questions(400, k=(2, 4), per_clip=2)


def reader(name: str = "reader", silence_effect: float = 0.0, seed: int = 0) -> MockModel:
    """It knows 60 % of the items from the text, and guesses the same on the others whatever is played."""
    planted = Planted(leak=0.6, silence_effect=silence_effect, content_preference=3, noise=0, seed=seed)
    return MockModel(planted, name)


def compared(responses: list[Response], items: Items = ITEMS, **settings: Any) -> dict[tuple[str, ...], dict[str, Any]]:
    rows = nulls(views(items, responses), **settings).to_pylist()
    return {(row["model"], row["first"], row["second"]): row for row in rows}


@pytest.mark.slow
def test_a_model_that_the_sound_does_not_disturb_takes_all_nulls_alike() -> None:
    conditions = ["audio", "swap", "noise:-40", "text", "silence", "silence:5", "silence:matched"]
    found = compared(ask(ITEMS, [reader()], conditions))
    order = ["text", "silence", "silence:5", "silence:matched", "noise:-40", "swap"]
    assert list(found) == [("reader", a, b) for i, a in enumerate(order) for b in order[i + 1 :]]
    for row in found.values():
        assert (row["n"], row["difference"], row["influence"], row["changed"], row["presence"]) == (400, 0, 0, 0, 0)
        assert row["p_equivalent"] == pytest.approx(0.98**200)  # 200 clips, of which none differs
        assert (row["verdict"], row["p_different"]) == ("equivalent", 1)
        assert row["low"] < 0 < row["high"]
        assert row["minimum_detectable"] is None


@pytest.mark.slow
def test_a_planted_effect_of_silence_is_found() -> None:
    responses = ask(ITEMS, [reader("calm"), reader("shaken", 0.5)], ["text", "silence", "swap"])
    found = compared(responses)
    row = found["shaken", "text", "silence"]
    # half of the 60 % that the text betrays is lost, and part of that is guessed all the same
    assert row["verdict"] == "different"
    assert -0.3 < row["low"] < row["difference"] < row["high"] < -0.1
    assert row["influence"] == pytest.approx(-row["difference"])  # nothing is won by silence
    assert row["influence"] <= row["changed"]
    assert row["presence_low"] < row["presence"] < row["presence_high"] < 0
    assert found["calm", "text", "silence"]["verdict"] == "equivalent"
    accuracies = {(r["model"], r["condition"]): r["accuracy"] for r in accuracy(views(ITEMS, responses)).to_pylist()}
    for (model, first, second), pair in found.items():
        assert pair["first_accuracy"] == pytest.approx(accuracies[model, first])
        assert pair["second_accuracy"] == pytest.approx(accuracies[model, second])
        assert pair["difference"] == pytest.approx(pair["second_accuracy"] - pair["first_accuracy"])


def test_influence_sees_flips_that_cancel() -> None:
    lost = ask(ITEMS, [reader("m")], ["text"])
    won = ask(ITEMS, [reader("m", seed=1)], ["silence"])
    row = compared(lost + won)["m", "text", "silence"]
    assert abs(row["difference"]) < 0.08
    assert row["influence"] > 0.3
    assert row["verdict"] == "undecided"
    assert row["minimum_detectable"] > 0.05


def test_a_wider_margin_decides() -> None:
    responses = ask(ITEMS, [reader("shaken", 0.1)], ["text", "silence"])
    narrow, wide = (compared(responses, margin=m)["shaken", "text", "silence"] for m in (0.02, 0.15))
    assert narrow["verdict"] == "different"
    assert wide["verdict"] == "equivalent"
    assert (narrow["difference"], narrow["p_different"]) == (wide["difference"], wide["p_different"])


@pytest.mark.slow
def test_p_values_are_corrected_for_all_rows() -> None:
    responses = ask(ITEMS, [reader("shaken", 0.1)], ["text", "silence", "silence:5"])
    one = compared(responses, conditions=["silence", "text"])
    three = compared(responses)
    assert list(one) == [("shaken", "text", "silence")]
    assert 1 <= three["shaken", "text", "silence"]["p_different"] / one["shaken", "text", "silence"]["p_different"] <= 3
    assert three["shaken", "text", "silence:5"]["p_different"] > 0
    smallest = min(row["p_different"] for row in three.values())
    assert smallest == pytest.approx(3 * min(p for row in three.values() for p in [one_p(responses, row)]))


def one_p(responses: list[Response], row: dict[str, Any]) -> float:
    """The p-value of a row by itself."""
    [alone] = compared(responses, conditions=[row["first"], row["second"]]).values()
    return float(alone["p_different"])


def test_replies_have_no_bits_and_refusals_are_choices_of_nothing() -> None:
    shy = MockModel(Planted(leak=1.0, refuse_without_audio=0.5), "shy")
    row = compared(ask(ITEMS, [shy], ["text", "silence"], "generate"))["shy", "text", "silence"]
    assert row["presence"] is row["presence_low"] is None
    assert row["influence"] == pytest.approx(0.5, abs=0.08)  # one refused and the other not
    assert row["changed"] == row["influence"]


def test_presence_cuts_a_confident_error() -> None:
    items = questions(1)
    [text, silence] = ask(items, [reader("m")], ["text", "silence"])
    fields = {name: getattr(silence, name) for name in silence.__slots__}
    sure = Response(**fields | {"posterior": (0.0, 1.0, 0.0, 0.0), "choice": 1})
    even = Response(**{n: getattr(text, n) for n in text.__slots__} | {"posterior": (0.25, 0.25, 0.25, 0.25)})
    row = compared([even, sure], items)["m", "text", "silence"]
    assert row["presence"] == pytest.approx(math.log2(1 / 40) - math.log2(1 / 4))
    assert row["low"] is row["p_equivalent"] is row["presence_low"] is None  # one clip fixes nothing
    assert row["verdict"] == "undecided"


def test_items_without_key_or_vote_do_not_count() -> None:
    rows = ask(ITEMS, [reader()], ["text", "silence"])
    some = [row for row in rows if row.condition == "text" or row.item_id > "planted/00099"]
    assert compared(some)["reader", "text", "silence"]["n"] == 300
    keyless = questions(20, keyed=False)
    row = compared(ask(keyless, [reader()], ["text", "silence"]), keyless)["reader", "text", "silence"]
    assert (row["n"], row["difference"], row["verdict"]) == (0, None, "undecided")


@pytest.mark.slow
def test_what_cannot_be_compared_is_said() -> None:
    con = views(ITEMS, ask(ITEMS, [reader()], ["audio", "text"]))
    assert len(nulls(con)) == 0  # one null: no pair
    with pytest.raises(UsageError, match="no answers under 'silence:5'; it holds those under: audio, text"):
        nulls(con, conditions=["text", "silence:5", "noise"])
    with pytest.raises(UsageError, match="margin is 2, but must be a number between 0 and 1"):
        nulls(con, margin=2)
    with pytest.raises(UsageError, match="it holds none"):
        nulls(views(ITEMS, []), conditions=["text"])
    both = [row for method in ("likelihood", "generate") for row in ask(ITEMS, [reader()], ["text", "silence"], method)]
    with pytest.raises(AudiocontribError, match="by generate and by likelihood"):
        nulls(views(ITEMS, both))
