"""The ledger in bits: sums that close, and true bits where they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from helpers.planted import ask, questions, views
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from audiocontrib.contribution.ledger import ENTRIES, WITH_ERROR, ledger
from audiocontrib.contribution.ledger_entries import FLOOR, item_columns, ledger_entries, log2_gold
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import RESPONSE_SCHEMA
from audiocontrib.statistics import mean_by_clip

Floats = NDArray[np.float64]
Told = Mapping[tuple[str, str], Sequence[Sequence[float] | None]]
"""Model and condition -> posterior of each item, None: failed."""

IDENTITIES = (
    ("bits_text", "bits_options", "bits_question"),
    ("bits_audio", "bits_presence", "bits_content"),
    ("bits_total", "bits_text", "bits_audio"),
)


def run(items: Items, told: Told) -> duckdb.DuckDBPyConnection:
    """A run in which every item was asked in one order."""
    rows = [
        {
            "item_id": item.id,
            "model": model,
            "condition": condition,
            "order": 0,
            "method": "likelihood",
            "outcome": "failed" if posterior is None else "answered",
            "posterior": None if posterior is None else list(posterior),
            "choice": None if posterior is None else int(np.argmax(posterior)),
        }
        for (model, condition), posteriors in told.items()
        for item, posterior in zip(items, posteriors, strict=True)
    ]
    con = views(items, [])
    con.register("responses", pa.Table.from_pylist(rows, schema=RESPONSE_SCHEMA))
    return con


def one(told: Mapping[tuple[str, str], Sequence[float] | None], **how: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The account of a single item with four options, of which the first is gold: of model m, and over models."""
    found = ledger(run(questions(1), {cell: [p] for cell, p in told.items()}), calibrated=False, **how)
    return found.table.to_pylist()[0], found.items.to_pylist()[0]


def at(p: float) -> list[float]:
    """A posterior with p on the gold."""
    return [p, *[(1 - p) / 3] * 3]


ALL = {"audio": 0.9, "text": 0.3, "options": 0.28, "silence": 0.2, "noise": 0.4, "swap": 0.35}


def test_known_posteriors_give_their_bits() -> None:
    found, _ = one({("m", c): at(p) for c, p in ALL.items()})
    bits = {c: np.log2(p) for c, p in ALL.items()}
    expected = {
        "bits_options": 2 + bits["options"],
        "bits_question": bits["text"] - bits["options"],
        "bits_text": 2 + bits["text"],
        "bits_presence": bits["swap"] - bits["text"],
        "bits_content": bits["audio"] - bits["swap"],
        "bits_audio": bits["audio"] - bits["text"],
        "bits_total": 2 + bits["audio"],
        "bits_gain": bits["audio"] - bits["silence"],
        "presence_silence": bits["silence"] - bits["text"],
        "presence_noise": bits["noise"] - bits["text"],
        "d_p": 0.6,
        "right_audio": 1,
        "right_condition": 0,
        "right_text": 1,
        "ac": 1,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert (found["item_id"], found["model"], found["k"]) == ("planted/00000", "m", 4)
    assert [found[f"raw_{name}"] for name in ("text", "audio", "total")] == [
        found[f"bits_{name}"] for name in ("text", "audio", "total")
    ]


MIXED = item_columns(views(questions(3, k=[2, 4, 10]), []))


@given(
    st.dictionaries(st.sampled_from([*ALL, "condition"]), st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1)
)
@settings(max_examples=200, deadline=None)
def test_the_sums_close(posteriors: dict[str, list[float]]) -> None:
    items = MIXED
    with np.errstate(divide="ignore"):
        log2_p = {
            c: log2_gold(np.log(np.repeat(np.array(p)[:, None], 10, axis=1)), items) for c, p in posteriors.items()
        }
    found = ledger_entries(log2_p, log2_p, {}, items)
    assert tuple(found) == ENTRIES
    for total, first, second in IDENTITIES:
        known = ~np.isnan(found[first] + found[second])
        assert found[total][known] == pytest.approx((found[first] + found[second])[known], abs=1e-9)
    needs = {"bits_text": {"text"}, "bits_audio": {"audio", "text"}, "bits_total": {"audio"}}
    needs |= {"bits_content": {"audio", "swap"}, "bits_question": {"text", "options"}}
    for name, conditions in needs.items():
        assert np.isnan(found[name]).all() == (not conditions <= set(posteriors))
    assert (np.nan_to_num(np.abs(found["d_p"])) <= 1).all()


@pytest.mark.slow
def test_the_sums_close_over_models_after_calibration() -> None:
    items = questions(120, k=[2, 3, 5], per_clip=2)
    mocks = [MockModel(Planted(leak=0.4, seed=seed), f"m{seed}") for seed in range(3)]
    con = views(items, ask(items, mocks, ["audio", "silence", "text", "options", "swap", "swap:1"]))
    found = ledger(con)
    assert found.notes == ()
    assert found.weights["own"].null_count == 0
    for table in (found.table, found.items):
        for total, first, second in IDENTITIES:
            sums = table[first].to_numpy() + table[second].to_numpy()
            assert table[total].to_numpy() == pytest.approx(sums, abs=1e-9)
            assert not np.isnan(sums).any()
        least = np.log2(table["k"].to_numpy()) - np.log2(FLOOR * table["k"].to_numpy())
        assert (table["bits_total"].to_numpy() >= least - 1e-9).all()


def test_a_confident_error_is_cut_at_the_floor() -> None:
    found, _ = one({("m", "audio"): [0.0, 1.0, 0.0, 0.0], ("m", "text"): at(0.25)})
    assert found["bits_total"] == pytest.approx(2 - np.log2(40))
    assert found["bits_audio"] == pytest.approx(2 - np.log2(40))
    assert found["d_p"] == pytest.approx(1 / 40 - 1 / 4)


def test_donors_are_averaged_in_the_log() -> None:
    told = {("m", "audio"): at(0.8), ("m", "text"): at(0.4), ("m", "swap"): at(0.1), ("m", "swap:1"): at(0.4)}
    found, _ = one(told)
    assert found["bits_presence"] == pytest.approx(np.log2(0.2) - np.log2(0.4))  # 0.2: geometric mean of the donors
    assert found["bits_content"] == pytest.approx(2)
    one_left, _ = one(told | {("m", "swap"): None})  # an item may have no partner
    assert one_left["bits_presence"] == pytest.approx(0)


def test_conditions_that_were_not_asked_merge_their_terms() -> None:
    found = ledger(run(questions(1), {("m", "audio"): [at(0.8)], ("m", "text"): [at(0.4)]}), calibrated=False)
    [row] = found.table.to_pylist()
    assert (row["bits_text"], row["bits_audio"]) == pytest.approx((2 + np.log2(0.4), 1))
    for name in ("options", "question", "presence", "content", "gain"):
        assert row[f"bits_{name}"] is None
    assert found.notes == (
        "no model was asked under silence: bits_gain and ac are null",
        "no model was asked under options: bits_options and bits_question are null; bits_text is their sum",
        "no model was asked under swap: bits_presence and bits_content are null; bits_audio is their sum",
    )


def test_without_text_the_bounded_twin_is_against_the_condition() -> None:
    found, _ = one({("m", "audio"): at(0.8), ("m", "silence"): at(0.3)})
    assert found["d_p"] == pytest.approx(0.5)
    assert found["bits_gain"] == pytest.approx(np.log2(0.8 / 0.3))
    assert (found["bits_text"], found["bits_audio"]) == (None, None)
    assert found["bits_total"] == pytest.approx(2 + np.log2(0.8))


@pytest.mark.parametrize(("audio", "silence", "ac"), [(0.9, 0.1, 1), (0.9, 0.9, 0), (0.1, 0.1, 0), (0.1, 0.9, -1)])
def test_ac_is_the_difference_of_votes(audio: float, silence: float, ac: int) -> None:
    found, _ = one({("m", "audio"): at(audio), ("m", "silence"): at(silence)})
    assert found["ac"] == ac


def test_means_and_errors_over_models() -> None:
    golds = {"a": 0.9, "b": 0.5, "c": 0.4}
    told = {(m, "audio"): [at(p)] for m, p in golds.items()} | {(m, "text"): [at(0.3)] for m in [*golds, "reader"]}
    found = ledger(run(questions(1), told), calibrated=False)
    [row] = found.items.to_pylist()
    assert found.models == ("a", "b", "c")  # the reader has no audio to account for
    assert found.table["model"].to_pylist() == ["a", "b", "c", "reader"]
    gains = [p - 0.3 for p in golds.values()]
    assert row["d_p"] == pytest.approx(np.mean(gains))
    assert row["d_p_se"] == pytest.approx(np.std(gains, ddof=1) / np.sqrt(3))
    assert row["right_audio"] == 1
    [alone] = ledger(run(questions(1), {("a", "audio"): [at(0.9)]})).items.to_pylist()
    assert alone["bits_total"] is not None
    assert [alone[f"{name}_se"] for name in WITH_ERROR] == [None] * len(WITH_ERROR)


def test_a_mean_needs_all_models() -> None:
    told = {("a", "audio"): [at(0.9)] * 2, ("b", "audio"): [at(0.9), None], ("a", "text"): [at(0.3)] * 2}
    found = ledger(run(questions(2), told), calibrated=False)
    assert found.items["bits_total"].is_valid().to_pylist() == [True, False]
    assert found.items["bits_text"].null_count == 2
    assert (
        "not every model (not b) was asked under text: bits_text and bits_audio are null; bits_total is their sum"
        in found.notes
    )


def test_without_a_key_there_are_no_bits() -> None:
    found = ledger(run(questions(1, keyed=False), {("m", "audio"): [at(0.9)]}))
    assert all(found.items[name].null_count == 1 for name in ENTRIES)


def test_replies_have_votes_but_no_bits() -> None:
    items = questions(60)
    con = views(items, ask(items, [MockModel(Planted(skill=1))], method="generate"))
    found = ledger(con)
    assert found.notes == ("the answers are replies without likelihoods: there are no bits",)
    assert found.items["bits_total"].null_count == 60
    assert found.items["right_audio"].to_pylist() == [1] * 60


def test_an_empty_run() -> None:
    found = ledger(run(questions(2), {}))
    assert (len(found.table), len(found.items), found.models) == (0, 2, ())
    assert found.items["bits_total"].null_count == 2


def test_both_methods_must_be_told_apart() -> None:
    items = questions(1)
    both = ask(items, [MockModel()]) + ask(items, [MockModel()], method="generate")
    with pytest.raises(AudiocontribError, match="say which with method="):
        ledger(views(items, both))
    assert ledger(views(items, both), method="likelihood").items["bits_total"].null_count == 0


N = 3000


def softmax(z: Floats) -> Floats:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def drawn(truth: Floats, told: Mapping[str, Floats]) -> tuple[duckdb.DuckDBPyConnection, Floats]:
    """A run whose golds are drawn from softmax(truth), (N, 4), and in which softmax(told) was said; the true bits."""
    items, random = questions(N, per_clip=2), np.random.default_rng(0)
    p = softmax(truth)
    gold = (p.cumsum(axis=1) < random.random((N, 1))).sum(axis=1)
    own = np.array([item.answer for item in items])
    places = (np.arange(4) + (gold - own)[:, None]) % 4  # the gold that was drawn goes where the item has its own
    con = run(items, {("m", c): np.take_along_axis(softmax(z), places, axis=1) for c, z in told.items()})
    return con, 2 + np.log2(np.take_along_axis(p, gold[:, None], axis=1)[:, 0])


def test_calibration_finds_the_true_bits() -> None:
    z = np.random.default_rng(1).normal(size=(N, 4)) * 2
    con, true = drawn(z, {"audio": 3 * z})  # three times too sure
    found = ledger(con)
    [learned] = found.weights.to_pylist()
    assert learned["own"] == pytest.approx(1 / 3, rel=0.1)
    assert learned["surprise_after"] < learned["surprise_before"]
    bits, raw = (found.items[name].to_numpy() for name in ("bits_total", "raw_total"))
    assert np.abs(bits - np.maximum(true, 2 - np.log2(40))).max() < 0.2
    assert raw.mean() < bits.mean() - 0.1


@pytest.mark.parametrize("any_clip", [True, False])
def test_presence_and_content_are_told_apart(any_clip: bool) -> None:
    """A model that wakes up when it hears anything has presence and no content; one that listens, the reverse."""
    random = np.random.default_rng(2)
    reads, hears = random.normal(size=(N, 4)) * 0.3, random.normal(size=(N, 4)) * 2
    told = {"text": reads, "audio": reads + hears, "swap": reads + hears if any_clip else reads}
    con, _ = drawn(reads + hears, {c: z + random.normal(size=(N, 4)) * 0.2 for c, z in told.items()})
    found, clip = ledger(con).items, np.arange(N) // 2
    presence, content = (
        mean_by_clip(found[f"bits_{n}"].to_numpy(), clip, None).interval() for n in ("presence", "content")
    )
    there, absent = (presence, content) if any_clip else (content, presence)
    assert there.low > 0.5
    assert absent.low < 0 < absent.high


@pytest.mark.slow
def test_order_of_rows_and_options_is_nothing() -> None:
    items = questions(100, k=[2, 4], per_clip=2)
    asked = ask(items, [MockModel(Planted(leak=0.3, seed=s), f"m{s}") for s in range(2)], ["audio", "text", "swap"])
    plain = views(items, asked)
    shuffled = views(items, asked)
    for name in ("items", "responses"):
        shuffled.execute(
            f"create temp table shuffled_{name} as from {name} order by hash(item_id), hash(item_id || 'x')"
        )
        shuffled.unregister(name)
    shuffled.execute(
        """
        create temp view items as
        select * replace (list_reverse(choices) as choices, len(choices) - 1 - answer as answer)
        from shuffled_items;
        create temp view responses as select * replace (list_reverse(posterior) as posterior,
            len(posterior) - 1 - choice as choice) from shuffled_responses
        """
    )
    for name in ("table", "items"):
        one, other = (getattr(ledger(con), name) for con in (plain, shuffled))
        assert one["item_id"].equals(other["item_id"])
        for column in ENTRIES:
            assert other[column].to_numpy() == pytest.approx(one[column].to_numpy(), abs=1e-5, nan_ok=True)
