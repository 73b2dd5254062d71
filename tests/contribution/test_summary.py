"""The summary, the measurement and the review of unsolved items, from planted mocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from helpers.planted import ask, questions, views

from audiocontrib.contribution import accuracy, contributions
from audiocontrib.contribution.ledger import ENTRIES
from audiocontrib.contribution.measure import measure
from audiocontrib.contribution.summary import summary
from audiocontrib.contribution.unsolved import unsolved
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.responses import Response


def mocks(n: int = 3, **planted: object) -> list[MockModel]:
    return [MockModel(Planted(seed=seed, **planted), f"m{seed}") for seed in range(n)]  # type: ignore[arg-type]


def asked(
    n: int = 120,
    k: int | Sequence[int] = (2, 4),
    conditions: Iterable[str] = ("audio", "silence", "text", "swap"),
    models: Sequence[MockModel] | None = None,
) -> duckdb.DuckDBPyConnection:
    items = questions(n, k=k, per_clip=2)
    return views(items, ask(items, models or mocks(leak=0.4), conditions))


@pytest.mark.slow
def test_the_summary_finds_what_was_planted() -> None:
    con = asked(600, 4, models=mocks(1, skill=0.8, leak=0.3))
    [row] = summary(con).to_pylist()
    assert (row["n"], row["clips"], row["chance"]) == (600, 300, 0.25)
    # it knows 0.8 + 0.2 * 0.3 with the audio and 0.3 without; the rest is guessed with a quarter of luck
    assert row["contribution_low"] < 0.86 - 0.3 < row["contribution_high"]
    assert row["contribution"] == pytest.approx(row["kappa_audio"] - row["kappa_condition"])
    assert row["ac"] == pytest.approx(row["accuracy_audio"] - row["accuracy_condition"])
    found = {r["condition"]: r["accuracy"] for r in accuracy(con).to_pylist()}
    for column, condition in (("audio", "audio"), ("condition", "silence"), ("text", "text")):
        assert row[f"accuracy_{column}"] == pytest.approx(found[condition])
    assert row["bits_content_low"] > 0.5
    assert row["bits_total"] == pytest.approx(row["bits_text"] + row["bits_audio"])
    assert row["share_text"] + row["share_audio"] == pytest.approx(row["bits_total"] / 2)
    assert row["leak_share_low"] < row["leak_share"] < row["leak_share_high"]
    assert row["leak_share"] == pytest.approx(row["kappa_condition"], abs=0.05)  # one model: nearly the same
    assert row["leak_share_interval"] == row["contribution_interval"] == "Wilson, clustered"


@pytest.mark.slow
@pytest.mark.parametrize(("k", "luck"), [(2, 0.5), (3, 0.259), (4, 0.156), (5, 0.104), (10, 0.028)])
def test_the_published_vote_on_guesses(k: int, luck: float) -> None:
    [row] = summary(asked(20, k, ["silence"])).to_pylist()
    assert row["weak_by_luck"] == pytest.approx(luck, abs=5e-4)


@pytest.mark.slow
def test_groups_add_up() -> None:
    con = asked()
    con.execute("create temp table plain as from items")
    con.unregister("items")
    con.execute(
        """create temp view items as select * replace
        (case when answer > 0 then format('{{"level": {}}}', answer) else '{"other": 1}' end as extra) from plain"""
    )
    measured = measure(con).table
    [whole] = summary(con, measured=measured).to_pylist()
    for by in ("question_type", "source_dataset", "dataset", "split", "k", "extra.level"):
        parts = summary(con, by=by, measured=measured)
        assert parts.column_names[0] == by
        rows = parts.to_pylist()
        assert sum(r["n"] for r in rows) == whole["n"] == 120
        for name in ("accuracy_audio", "bits_audio", "bits_text", "ac"):
            assert sum(r["n"] * r[name] for r in rows) / 120 == pytest.approx(whole[name])
    assert summary(con, by="k", measured=measured)["k"].to_pylist() == [2, 4]
    assert summary(con, by="k", measured=measured)["chance"].to_pylist() == [0.5, 0.25]
    assert summary(con, by="extra.level", measured=measured)["extra.level"].to_pylist() == ["1", "2", "3", None]
    with pytest.raises(UsageError, match=r"summary by answer: it can be by dataset, .*, k or extra.NAME"):
        summary(con, by="answer", measured=measured)


def test_a_group_is_a_value_and_not_sql() -> None:
    with pytest.raises(UsageError):
        summary(asked(20), by="extra.a\"' from items --")


def test_without_the_audio_the_condition_is_summed_up() -> None:
    [row] = summary(asked(60, 4, ["silence"])).to_pylist()
    assert (row["n"], row["accuracy_audio"], row["contribution"], row["bits_total"]) == (60, None, None, None)
    assert row["accuracy_condition"] > 0.3
    assert row["leak_share"] is not None


def test_only_items_with_all_votes_count() -> None:
    items = questions(40)
    rows = ask(items, mocks(2), ["audio", "silence"])
    gone = [r for r in rows if not (r.item_id == items[3].id and r.model == "m1" and r.condition == "silence")]
    [row] = summary(views(items, gone)).to_pylist()
    assert row["n"] == 39
    assert len(summary(views(questions(5, keyed=False), ask(questions(5, keyed=False), mocks())))) == 0


def test_measure_holds_every_score_of_every_item() -> None:
    con = asked(60)
    found = measure(con)
    names = found.table.column_names
    assert len(names) == len(set(names))
    assert found.table.select(contributions(con).column_names).equals(contributions(con))
    assert set(ENTRIES) <= set(names)
    decoys = found.table.to_pylist()
    assert all((row["p_leak"] == 0 and row["q_value"] == 1) or row["gold_on_top"] for row in decoys)
    assert all(0 <= row["q_value"] <= 1 and row["margin"] >= 0 for row in decoys)
    # one order of a few models cannot tell luck that repeats from knowledge
    assert any(note.startswith("p_answerable is null: ") for note in found.notes)
    assert found.table["p_answerable"].null_count == 60


def test_a_run_without_the_condition_is_refused() -> None:
    with pytest.raises(AudiocontribError, match="no answers under 'noise'; it holds those under: "):
        measure(asked(20), condition="noise")


def chose(item: int, model: str, choice: int | None, condition: str = "audio") -> Response:
    """A reply of a model to one of the planted questions."""
    [plain] = ask(questions(1), [MockModel(name=model)], [condition], "generate")
    change = {
        "item_id": f"planted/{item:05d}",
        "choice": choice,
        "outcome": "answered" if choice is not None else "refused",
    }
    return Response(**{name: getattr(plain, name) for name in Response.__slots__} | change)


def test_unsolved_items_are_listed_for_review() -> None:
    items = questions(5)  # the gold of item i is option i % 4
    choices = {0: [1, 1, 2], 1: [2, 2, 2], 2: [0, 1, None], 3: [3, 0, 0], 4: [None, None, None]}
    rows = [chose(i, m, c) for i, each in choices.items() for m, c in zip("abc", each, strict=True)]
    rows += [chose(i, m, 1 if m == "b" else 3, "silence") for i in range(5) for m in "abc"]
    con = views(items, rows)
    found = unsolved(con).to_pylist()
    marked = contributions(con).to_pylist()
    assert sorted(r["item_id"] for r in found) == [r["item_id"] for r in marked if r["unsolved"]]
    assert [(r["item_id"][-1], r["agreed"], r["agreed_by"], r["models"]) for r in found] == [
        ("1", "sound 1-2", 3, 3),  # all models agree on another option: look at the key first
        ("0", "sound 0-1", 2, 3),
        ("2", None, 1, 3),
        ("4", None, 0, 3),
    ]
    assert found[0]["gold"] == "sound 1-1"
    assert found[0]["right_without"] == ["b"]
    assert found[0]["choices"] == [f"sound 1-{option}" for option in range(4)]


@pytest.mark.slow
def test_order_of_rows_and_options_is_nothing() -> None:
    plain, other = (asked(80, models=mocks(skill=0.3)) for _ in range(2))
    for name in ("items", "responses"):
        other.execute(f"create temp table shuffled_{name} as from {name} order by hash(item_id), hash(item_id || 'x')")
        other.unregister(name)
    other.execute(
        """
        create temp view items as
        select * replace (list_reverse(choices) as choices, len(choices) - 1 - answer as answer)
        from shuffled_items;
        create temp view responses as select * replace (list_reverse(posterior) as posterior,
            len(posterior) - 1 - choice as choice) from shuffled_responses
        """
    )
    one, two = measure(plain), measure(other)
    assert one.notes == two.notes
    same(one.table, two.table)
    same(summary(plain, by="k", measured=one.table), summary(other, by="k", measured=two.table))
    assert len(unsolved(plain)) > 0
    assert unsolved(plain).drop_columns(["choices"]).equals(unsolved(other).drop_columns(["choices"]))


def same(one: pa.Table, other: pa.Table) -> None:
    assert one.column_names == other.column_names
    for name in one.column_names:
        if pa.types.is_floating(one[name].type):
            assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), abs=1e-5, nan_ok=True)
        else:
            assert one[name].equals(other[name])


def test_a_mean_of_nothing_is_nothing() -> None:
    [row] = summary(asked(12, 4, ["audio", "silence"])).to_pylist()
    assert row["bits_text"] is None
    assert row["bits_text_low"] is None
    assert np.isfinite(row["contribution_low"])
