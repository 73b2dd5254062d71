"""Pair swaps: what a data set offers, and what readers and listeners do, against brute force and planted mocks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import duckdb
import numpy as np
import pytest
from helpers.planted import ask, views

from audiocontrib.contribution.pairs import CELLS, Offered, offered, pairs
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Clip, Item, Items, make_item
from audiocontrib.models.base import Request
from audiocontrib.models.mock import MockModel, Planted

SOUNDS = ("dog", "cat", "car", "rain")


def question(
    i: int, gold: str | None, choices: Iterable[str] = SOUNDS, clip: int | None = None, about: str = "Heard?"
) -> Item:
    return make_item(
        dataset="swap",
        own_id=f"{i:04d}",
        question=about,
        choices=list(choices),
        answer=gold,
        has_key=gold is not None,
        audio=Clip(path=f"{i if clip is None else clip}.wav"),
    )


def templates(n: int, shuffled: bool = False, seed: int = 0) -> Items:
    """n questions from few templates with 2 to 5 options, listed from any option on or, shuffled, in any order."""
    random, made = np.random.default_rng(seed), []
    for i in range(n):
        template = int(random.integers(6))
        options = np.roll([f"sound {template}-{option}" for option in range(2 + template % 4)], random.integers(5))
        listed = random.permutation(options) if shuffled else options
        gold = str(random.choice(options)) if random.random() < 0.95 else None
        made.append(question(i, gold, map(str, listed), int(random.integers(n // 2)), f"Which of {template}?"))
    return Items(made)


class Reader(MockModel):
    """Prefers options by their texts, by places, and, if told so, by what stands before them; it never hears."""

    neighbours = False

    def weights(self, request: Request) -> np.ndarray:
        shown = request.prompt.options
        weights = np.array([sum(map(ord, option)) * 7 % 11 / 5 for option in shown])
        if self.neighbours:
            weights += [1.5 * (before < option) for before, option in zip(np.roll(shown, 1), shown, strict=True)]
        return weights + self.planted.position_bias * np.arange(len(shown)) ** 2


def partner_pairs(items: Items) -> set[frozenset[str]]:
    return {
        frozenset((a.id, b.id))
        for a, b in combinations([item for item in items if item.answer is not None], 2)
        if a.question == b.question
        and set(a.choices) == set(b.choices)
        and a.choices[a.answer] != b.choices[b.answer]
        and a.clip_id != b.clip_id
    }


def selected(con: duckdb.DuckDBPyConnection, seed: int = 0, partners: int = 1) -> list[dict[str, Any]]:
    return con.sql(CELLS, params={"seed": seed, "partners": partners}).to_arrow_table().to_pylist()


def measured(con: duckdb.DuckDBPyConnection, **settings: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["model"], row["condition"]): row for row in pairs(con, **settings).to_pylist()}


def test_what_is_offered_is_what_a_list_of_all_pairs_holds() -> None:
    for seed in range(3):
        items = templates(120, shuffled=True, seed=seed)
        found = partner_pairs(items)
        by_id = {item.id: item for item in items}
        groups = {(by_id[i].question, frozenset(by_id[i].choices)) for pair in found for i in pair}
        assert offered(views(items, [])) == Offered(len(groups), len(frozenset.union(*found)), len(found))


def test_nothing_is_offered_where_the_text_gold_or_clip_say_so() -> None:
    lone = [
        question(0, "dog"),
        question(1, "dog"),  # the same gold
        question(2, "cat", clip=0),  # pairs with 1 only
        question(3, "cat", about="Seen?"),
        question(4, "cat", SOUNDS[:3]),
        question(5, None),
    ]
    assert offered(views(Items(lone), [])) == Offered(1, 2, 1)
    assert offered(views(Items(lone[:2]), [])) == Offered(0, 0, 0)
    assert offered(views(Items([]), [])) == Offered(0, 0, 0)


@pytest.mark.parametrize("partners", [1, 3])
def test_selected_pairs_are_offered_ones_and_no_item_is_in_more_than_asked(partners: int) -> None:
    items = templates(200, shuffled=True)
    ids = sorted(item.id for item in items)
    by_id = {item.id: item for item in items}
    rows = selected(views(items, []), partners=partners)
    chosen = [(rows[i], rows[i + 1]) for i in range(0, len(rows), 2)]
    for a, b in chosen:
        assert a["pair"] == b["pair"]
        own, other = by_id[ids[a["item"]]], by_id[ids[b["item"]]]
        assert own.choices[a["gold"]] == own.choices[own.answer] == other.choices[b["rival"]]
        assert other.choices[b["gold"]] == other.choices[other.answer] == own.choices[a["rival"]]
    found = [frozenset((ids[a["item"]], ids[b["item"]])) for a, b in chosen]
    assert len(set(found)) == len(found)
    assert set(found) <= partner_pairs(items)
    assert max(Counter(row["item"] for row in rows).values()) == partners
    # as many as there can be, but for pairs that share a clip
    golds: dict[str, Counter[str]] = defaultdict(Counter)
    for item in items:
        if item.answer is not None:
            golds[item.question][item.choices[item.answer]] += 1
    most = sum(min(n.total() // 2, n.total() - max(n.values())) for n in golds.values())
    if partners == 1:
        assert 0.9 * most <= len(found) <= most


def test_the_selection_hangs_on_the_seed_and_not_on_the_rows() -> None:
    items = templates(100)
    once = selected(views(items, []))
    assert selected(views(Items(reversed(items)), [])) == once
    assert selected(views(items, []), seed=1) != once


@pytest.mark.slow
@pytest.mark.parametrize(("shuffled", "neighbours"), [(True, False), (False, True)])
@pytest.mark.parametrize("partners", [1, 2])
def test_a_model_that_only_reads_follows_half_the_clips_exactly(
    shuffled: bool, neighbours: bool, partners: int
) -> None:
    items = templates(150, shuffled)
    reader = Reader(Planted(position_bias=0.7), "reader")
    reader.neighbours = neighbours
    found = measured(views(items, ask(items, [reader], ["audio", "text"], cyclic=True)), partners=partners)
    assert len(found) == 2
    for row in found.values():
        assert row["pairs"] > 50 * partners
        assert row["following"] == 0.5
        assert row["effect"] == pytest.approx(0, abs=1e-9)
        assert row["following_low"] <= 0.5 <= row["following_high"]


def test_without_shared_clips_half_is_followed() -> None:
    items = Items([question(i, SOUNDS[i % 4]) for i in range(40)])
    [row] = measured(views(items, ask(items, [Reader(name="reader")], ["audio"], cyclic=True))).values()
    assert (row["pairs"], row["following"]) == (20, 0.5)
    assert 0.4 < row["following_low"] < 0.5 < row["following_high"] < 0.6  # pairs that are all alike are no certainty


@pytest.mark.slow
def test_a_reader_of_neighbours_follows_half_the_clips_on_average() -> None:
    """Options in any order: what stands before an option moves the answers to single items, to no side."""
    items = templates(1200, shuffled=True)
    reader = Reader(name="reader")
    reader.neighbours = True
    [row] = measured(views(items, ask(items, [reader], ["audio"], cyclic=True))).values()
    assert row["following"] != 0.5
    assert row["following_low"] < 0.5 < row["following_high"]
    assert row["effect_low"] < 0 < row["effect_high"]


@pytest.mark.slow
def test_a_model_that_listens_follows_the_clips() -> None:
    items = templates(200, shuffled=True)
    models = [MockModel(Planted(skill=1, confidence=5), "all"), MockModel(Planted(skill=0.5, seed=1), "half")]
    found = measured(views(items, ask(items, models, ["audio", "text"], cyclic=True)))
    assert found["all", "audio"]["following"] == 1
    assert found["all", "audio"]["effect"] == pytest.approx(5)
    assert found["all", "audio"]["pairs"] * 2 == found["all", "audio"]["items"]
    assert 0.65 < found["half", "audio"]["following"] < 0.85  # half the cells known, half of the rest by luck
    for model in ("all", "half"):
        row = found[model, "text"]
        assert row["following"] == pytest.approx(0.5, abs=0.1)
        assert row["effect"] == pytest.approx(0, abs=0.2)
    assert list(found) == [("all", "audio"), ("half", "audio"), ("all", "text"), ("half", "text")]


def one_pair(first: list[float], second: list[float], method: str = "likelihood") -> dict[str, Any]:
    """Two questions, dog and cat the golds, the second with its options the other way round."""
    items = Items([question(0, "dog", SOUNDS), question(1, "cat", SOUNDS[::-1])])
    rows = ask(items, [MockModel(Planted(), "m")], ["audio"], method)
    if method == "likelihood":
        rows = [
            type(row)(**{name: getattr(row, name) for name in row.__slots__} | {"posterior": tuple(p)})
            for row, p in zip(rows, (first, second), strict=True)
        ]
    return measured(views(items, rows))["m", "audio"]


def test_the_effect_is_the_formula_on_options_matched_by_their_text() -> None:
    row = one_pair([0.5, 0.3, 0.1, 0.1], [0.2, 0.1, 0.3, 0.4])
    m_first, m_second = np.log(0.5 / 0.3), np.log(0.4 / 0.3)  # ln p(dog) / p(cat) on either clip
    assert row["effect"] == pytest.approx((m_first - m_second) / 2)
    assert row["following"] == 0.5  # dog on both clips
    assert one_pair([0.5, 0.3, 0.1, 0.1], [0.2, 0.1, 0.4, 0.3])["following"] == 1
    assert one_pair([0.3, 0.5, 0.1, 0.1], [0.2, 0.1, 0.3, 0.4])["following"] == 0


def test_a_tie_is_half_a_cell() -> None:
    assert one_pair([0.4, 0.4, 0.1, 0.1], [0.2, 0.1, 0.4, 0.3])["following"] == 0.75


def test_replies_have_no_effect_in_nats() -> None:
    items = templates(100)
    listens, refuses = MockModel(Planted(skill=1), "a"), MockModel(Planted(refuse_with_audio=1), "b")
    found = measured(views(items, ask(items, [listens, refuses], ["audio"], "generate")))
    assert found["a", "audio"]["following"] == 1
    assert found["b", "audio"]["following"] == 0.5  # it prefers neither
    assert found["a", "audio"]["effect"] is found["a", "audio"]["effect_low"] is None


def test_pairs_without_both_votes_are_left_out() -> None:
    items = templates(60)
    rows = ask(items, [MockModel(Planted(skill=1), "m")], ["audio"], cyclic=True)
    whole = measured(views(items, rows))["m", "audio"]
    lost = {row["item"] for row in selected(views(items, []))[:1]}
    gone = {sorted(item.id for item in items)[i] for i in lost}
    part = measured(views(items, [row for row in rows if row.item_id not in gone]))["m", "audio"]
    assert (part["pairs"], part["items"]) == (whole["pairs"] - 1, whole["items"] - 2)


def test_no_pair_leaves_the_measures_open() -> None:
    items = Items([question(0, "dog")])
    row = measured(views(items, ask(items, [MockModel()], ["audio"])))["mock", "audio"]
    assert (row["pairs"], row["items"], row["following"], row["effect"]) == (0, 0, None, None)


def test_what_cannot_be_measured_is_said() -> None:
    items = templates(10)
    con = views(items, ask(items, [MockModel()], ["text"]))
    with pytest.raises(AudiocontribError, match="no answers under 'audio'; score under it first"):
        pairs(con)
    with pytest.raises(UsageError, match="partners is 0, but must be a whole number of at least 1"):
        pairs(con, partners=0)
