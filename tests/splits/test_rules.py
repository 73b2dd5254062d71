"""The rules beside the published one, on mocks whose leaks are planted; their settings, findings and refusals."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
import scipy
from helpers import ROOT
from helpers.planted import ask, questions, views

from audiocontrib.contribution.answerable import NotIdentified
from audiocontrib.contribution.run_view import filtered_view
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.splits import RULES, Split, split
from audiocontrib.splits.recipe import read_split_recipe
from audiocontrib.splits.review import read_sheet, write_sheet
from audiocontrib.splits.sensitivity import leave_one_out, sensitivity
from audiocontrib.splits.settings import judges, settings_of

RECIPES = ROOT / "recipes" / "splits"
N, SHARE = 300, 0.4
LEAKS = {f"planted/{i:05d}": i % 5 < 2 for i in range(N)}


def mocks(n: int = 3, **planted: Any) -> list[MockModel]:
    return [MockModel(Planted(leak=LEAKS, seed=s, **planted), f"m{s}") for s in range(n)]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Three independent models, all cyclic orders, silence and audio; 40 % of the texts betray the gold."""
    items = questions(N, k=(4, 3, 5, 2), per_clip=2)
    with views(items, ask(items, mocks(), ["silence", "audio"], cyclic=True)) as con:
        yield con


def placed(made: Split) -> dict[str, str]:
    return dict(zip(made.table["item_id"].to_pylist(), made.table["split"].to_pylist(), strict=True))


@pytest.mark.slow
def test_every_rule_places_every_item_and_says_why(con: duckdb.DuckDBPyConnection) -> None:
    for name, known in RULES.items():
        if name == "audit":  # it needs an audit's scores, and has tests of its own
            continue
        made = split(con, rule=name)
        assert made.threshold == known.threshold
        assert len(made.table) == N
        assert set(made.table["split"].to_pylist()) <= {"weak", "strong", "undecided"}
        assert all(made.table["reason"].to_pylist())
        assert all(s is None or 0 <= s <= 1 for s in made.table["score"].to_pylist()), name
        assert made.table["unsolved"].null_count == 0
        json.dumps(made.findings)


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "least"), [("votes", 0.85), ("posterior", 0.97), ("fdr", 0.9)])
def test_planted_leaks_are_recovered(con: duckdb.DuckDBPyConnection, rule: str, least: float) -> None:
    found = placed(split(con, rule=rule))
    assert sum((found[i] == "weak") == leak for i, leak in LEAKS.items()) / N >= least


@pytest.mark.slow
def test_posterior_gives_the_share_of_leaks(con: duckdb.DuckDBPyConnection) -> None:
    findings = split(con, rule="posterior").findings
    low, high = findings["answerable_share_interval"]
    assert low < SHARE < high
    assert findings["expected_false_weak_share"] < 0.05
    assert split(con, rule="posterior").warnings == ()


def test_fdr_keeps_its_target_and_says_what_it_found(con: duckdb.DuckDBPyConnection) -> None:
    made = split(con, rule="fdr", fdr=0.1)
    weak = [i for i, part in placed(made).items() if part == "weak"]
    assert sum(not LEAKS[i] for i in weak) / len(weak) <= 0.15  # one set; simulations are in test_decoys.py
    assert made.findings["certified"] == len(weak)
    low, high = made.findings["leak_share_interval"]
    assert low < SHARE < high
    assert made.findings["least_certifiable"] == 10
    assert split(con, rule="fdr", decoys="all").findings["least_certifiable"] == {2: 10, 3: 5, 4: 4, 5: 3}
    assert sum(not LEAKS[i] for i in weak) / len(weak) <= made.findings["false_at_most"] < 0.5
    truly_left = [LEAKS[i] for i, part in placed(made).items() if part == "strong"]
    low, high = made.findings["leaks_left_in_strong_interval"]
    assert low <= sum(truly_left) / len(truly_left) <= high
    assert len([i for i in split(con, rule="fdr", fdr=0.02).table["split"].to_pylist() if i == "weak"]) <= len(weak)


def test_fdr_threshold_moves_items_between_strong_and_undecided_only(con: duckdb.DuckDBPyConnection) -> None:
    strict, loose = (placed(split(con, rule="fdr", threshold=t)) for t in (1.0, 0.1))
    assert [i for i, p in strict.items() if p == "weak"] == [i for i, p in loose.items() if p == "weak"]
    assert sum(p == "strong" for p in strict.values()) <= sum(p == "strong" for p in loose.values())


def test_a_balanced_strong_set_is_nearer_to_chance(con: duckdb.DuckDBPyConnection) -> None:
    def gold_on_top(made: Split) -> float:
        strong = [r["reason"] for r in made.table.to_pylist() if r["split"] == "strong"]
        return sum(reason.startswith("gold on top") for reason in strong) / len(strong)

    plain, balanced = split(con, rule="fdr", threshold=1.0), split(con, rule="fdr", balanced=True)
    chance = (1 / 4 + 1 / 3 + 1 / 5 + 1 / 2) / 4
    assert gold_on_top(plain) < gold_on_top(balanced) < chance + 0.05
    assert abs(gold_on_top(balanced) - chance) < 0.1 < chance - gold_on_top(plain)
    assert balanced.table.equals(split(con, rule="fdr", balanced=True).table)
    assert placed(balanced) != placed(split(con, rule="fdr", balanced=True, seed=1))


def test_one_order_of_three_models_identifies_nothing() -> None:
    items = questions(60)
    con = views(items, ask(items, mocks(), ["silence"]))
    with pytest.raises(NotIdentified, match="cyclic"):
        split(con, rule="posterior")


def test_models_that_share_their_preferences_are_told(con: duckdb.DuckDBPyConnection) -> None:
    items = questions(200)
    shared = mocks(content_preference=9.0, shared_preference=0.9, confidence=9.0, noise=0.0)
    alike = views(items, ask(items, shared, ["silence"], cyclic=True))
    [warning] = split(alike, rule="posterior").warnings
    assert "only the set-level share is identified" in warning
    made = split(alike, rule="fdr", fdr=0.01)
    assert made.findings["certified"] == 0
    [warning] = made.warnings
    assert warning.startswith("0 items can be called answerable")
    assert "only the set-level share" in warning


def test_group_forgives_luck_where_the_group_is_at_chance() -> None:
    """60 items of one template are guessed, 60 of another are known; votes call some of the guessed ones weak."""
    items = questions(240, k=2)
    named = [replace(i, question="Is it loud?" if n % 2 else "Which animal barks?") for n, i in enumerate(items)]
    items = Items(replace(i, choices=("yes", "no") if n % 2 else i.choices) for n, i in enumerate(named))
    leaks = {item.id: item.question != "Is it loud?" for item in items}
    models = [MockModel(Planted(leak=leaks, seed=s), f"m{s}") for s in range(3)]
    con = views(items, ask(items, models, ["silence"]))
    votes, group = (placed(split(con, rule=r)) for r in ("votes", "group"))
    wrong = [sum((found[i] == "weak") != leak for i, leak in leaks.items()) for found in (votes, group)]
    assert wrong[0] > 30
    assert wrong[1] == 0
    findings = split(con, rule="group").findings
    assert findings["items_by_votes_alone"] == 0
    assert split(con, rule="group", least=500).findings["items_by_votes_alone"] == 240
    assert placed(split(con, rule="group", least=500)) == votes
    reasons = [r["reason"] for r in split(con, rule="group").table.to_pylist() if "no more than by luck" in r["reason"]]
    assert len(reasons) == wrong[0]


def test_a_group_with_one_frequent_gold_must_beat_that() -> None:
    items = Items(replace(i, choices=("yes", "no"), answer=int(n % 10 == 0)) for n, i in enumerate(questions(100, k=2)))
    always_yes = MockModel(Planted(leak={i.id: i.answer == 0 for i in items}, noise=0, content_preference=0), "yes")
    con = views(items, ask(items, [always_yes], ["silence"]))
    assert "weak" in placed(split(con)).values()
    assert "weak" not in placed(split(con, rule="group")).values()


def test_unsolved_items_can_be_left_out() -> None:
    items = questions(40)
    deaf = [MockModel(Planted(skill=0.3, leak=0.2, seed=s), f"m{s}") for s in range(2)]
    con = views(items, ask(items, deaf, ["silence", "audio"]))
    whole, rest = split(con), split(con, leave_out=["unsolved"])
    unsolved = sum(whole.table["unsolved"].to_pylist())
    assert unsolved > 0
    assert len(rest.table) == 40 - unsolved
    assert rest.findings["left_out_unsolved"] == unsolved
    assert rest.settings["leave_out"] == ["unsolved"]
    with pytest.raises(UsageError, match="'weak' cannot be left out"):
        split(con, leave_out=["weak"])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"rule": "votes", "fdr": 0.1}, "rule votes: there is no field 'fdr'; it has none"),
        ({"rule": "fdr", "least": 3}, "there are: fdr, decoys, strata, balanced, seed"),
        ({"rule": "fdr", "fdr": 0.0}, "fdr is 0.0, but must be a number above 0 and below 1"),
        ({"rule": "adf", "perplexity": "m0", "rank": 0}, "rank is 0, but must be a whole number above 0"),
        ({"rule": "adf", "silent_right": 0}, "silent_right is 0, but must be a whole number above 0 or null"),
        ({"rule": "group", "least": 1}, "least is 1, but must be a whole number of at least 2"),
        ({"rule": "group", "least": 8.5}, "least is 8.5, but must be a whole number"),
        ({"rule": "fdr", "balanced": "maybe"}, "balanced is 'maybe', but must be true or false"),
        ({"rule": "fdr", "seed": True}, "seed is true, but must be a whole number"),
        ({"rule": "fdr", "fdr": "low"}, "fdr is 'low', but must be a number"),
        ({"rule": "adf", "commonsense": ["m0", 1]}, "but must be a text that is not blank, a list"),
    ],
)
def test_wrong_settings(con: duckdb.DuckDBPyConnection, asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        split(con, **asked)


@pytest.fixture(scope="module")
def judged() -> Iterator[duckdb.DuckDBPyConnection]:
    """Three judges under silence, and a language model that knows a fifth of the answers from the text."""
    items = questions(100)
    reader = MockModel(Planted(leak={i.id: n % 5 == 0 for n, i in enumerate(items)}, seed=9), "reader")
    asked = [*ask(items, mocks(), ["silence"]), *ask(items, [reader], ["text"], cyclic=True)]
    sums = [replace(r, option_logprob=r.posterior, option_tokens=(1,) * 4) if r.model == "reader" else r for r in asked]
    with views(items, sums) as con:
        yield con


def test_each_step_of_adf_keeps_what_it_rejects_with_its_reason(judged: duckdb.DuckDBPyConnection) -> None:
    made = split(judged, rule="adf", commonsense="reader", perplexity="reader")
    weak = [r for r in made.table.to_pylist() if r["split"] == "weak"]
    first = [r for r in weak if r["reason"].startswith("1 silent probing: ")]
    assert len(first) == made.findings["rejected_by_1 silent probing"]
    assert {r["item_id"] for r in first} >= {i for i, leak in LEAKS.items() if leak and i < "planted/00100"}
    second = [r for r in weak if r["reason"].startswith("2 commonsense: reader right from the text alone")]
    third = [r for r in weak if r["reason"].startswith("3 perplexity: ")]
    assert len(second) == made.findings["rejected_by_2 commonsense"] > 0
    assert len(first) + len(second) + len(third) == len(weak)
    assert made.findings["steps_left_out"] == ["4 review"]
    share = made.findings["gold_among_likeliest"]
    assert share > made.findings["gold_among_likeliest_by_chance"] == 0.25
    assert made.findings["gold_among_likeliest_p"] == pytest.approx(
        scipy.stats.binom.sf(round(100 * share) - 1, 100, 0.25)
    )


def test_steps_of_adf_that_are_not_configured_are_named(judged: duckdb.DuckDBPyConnection) -> None:
    made = split(judged, rule="adf")
    assert made.findings["steps_left_out"] == ["2 commonsense", "3 perplexity", "4 review"]
    assert split(judged, rule="adf", silent_right=3).findings["silent_right"] == 3
    assert placed(made) == placed(split(judged, rule="votes"))


def test_the_review_sheet_is_written_filled_in_and_read_back(judged: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    sheet = tmp_path / "review.csv"
    made = split(judged, rule="adf", review_out=str(sheet))
    rows = list(csv.DictReader(sheet.open(encoding="utf-8")))
    assert len(rows) == made.findings["to_review"] == made.table["split"].to_pylist().count("strong")
    assert rows[0]["answer"] in rows[0]["choices"].split(" | ")
    rows[0] |= {"verdict": "Reject", "note": "two dogs bark"}
    rows[1] |= {"verdict": "keep"}
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    read = split(judged, rule="adf", review=str(sheet))
    assert read.findings["kept_without_verdict"] == len(rows) - 2
    again = {r["item_id"]: r for r in read.table.to_pylist()}
    assert again[rows[0]["item_id"]]["reason"] == "4 review: two dogs bark"
    assert again[rows[1]["item_id"]]["split"] == "strong"
    with pytest.raises(UsageError, match="is there already"):
        split(judged, rule="adf", review_out=str(sheet))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("planted/99999,keep,", "no item 'planted/99999'"),
        ("planted/00001,perhaps,", "neither keep nor reject"),
        ("planted/00001,keep,\nplanted/00001,reject,", "'planted/00001' is there a second time"),
    ],
)
def test_a_bad_sheet(judged: duckdb.DuckDBPyConnection, tmp_path: Path, line: str, message: str) -> None:
    sheet = tmp_path / "review.csv"
    sheet.write_text(f"item_id,verdict,note\n{line}\n")
    with pytest.raises(UsageError, match=f"review.csv:[23]: .*{message}"):
        split(judged, rule="adf", review=str(sheet))
    sheet.write_text("item_id;verdict\nplanted/00001;reject\n")
    with pytest.raises(UsageError, match="no column 'item_id'"):
        split(judged, rule="adf", review=str(sheet))
    with pytest.raises(UsageError, match="cannot be read"):
        split(judged, rule="adf", review=str(tmp_path / "none.csv"))


def test_a_model_that_was_not_asked(judged: duckdb.DuckDBPyConnection) -> None:
    for step in ("commonsense", "perplexity"):
        with pytest.raises(AudiocontribError, match="no answers of 'nobody' under 'text'; ask for them first"):
            split(judged, rule="adf", **{step: "nobody"})


def test_the_sheet_holds_no_formulas_and_its_items_are_found_again(tmp_path: Path) -> None:
    con = duckdb.connect()
    rows = [{"item_id": "=cmd()", "question": "-1+1?", "choices": ["@a", "b"], "answer": 0}]
    con.register("items", pa.Table.from_pylist(rows))
    ids = pa.table({"item_id": ["=cmd()"]})
    sheet = tmp_path / "sheet.csv"
    assert write_sheet(con, ids, sheet) == 1
    [row] = csv.DictReader(sheet.open(encoding="utf-8"))
    assert [row[c] for c in ("item_id", "question", "choices", "answer")] == ["'=cmd()", "'-1+1?", "'@a | b", "'@a"]
    sheet.write_text("item_id,verdict,note\n'=cmd(),reject,odd\n")
    assert read_sheet(sheet, ids["item_id"]).to_pylist() == [{"item_id": "=cmd()", "rejected": True, "reason": "odd"}]
    with pytest.raises(AudiocontribError, match="cannot be written"):
        write_sheet(con, ids, tmp_path / "none" / "sheet.csv")


def test_an_item_that_a_step_could_not_judge_is_undecided(judged: duckdb.DuckDBPyConnection) -> None:
    """It did not pass; but what another step rejects is weak."""
    with filtered_view(judged, "responses", "model <> 'reader' or item_id < 'planted/00050' or \"order\" > 0"):
        found = split(judged, rule="adf", commonsense="reader", perplexity="reader").table.to_pylist()
    later = [r for r in found if r["item_id"] >= "planted/00050"]
    assert {r["split"] for r in later} == {"weak", "undecided"}
    assert all(r["reason"].startswith("1 silent probing: ") for r in later if r["split"] == "weak")
    undecided = {r["reason"] for r in later if r["split"] == "undecided"}
    assert undecided == {"2 commonsense: reader: 1 of 4 orders are missing"}
    assert "undecided" not in {r["split"] for r in found if r["item_id"] < "planted/00050"}
    with filtered_view(judged, "responses", "model <> 'reader' or item_id < 'planted/00050'"):
        found = split(judged, rule="adf", perplexity="reader").table.to_pylist()
    reasons = {r["reason"] for r in found if r["split"] == "undecided"}
    assert reasons == {"3 perplexity: reader: not asked"}


def test_a_text_that_says_nothing_has_no_small_p() -> None:
    items = questions(200, k=(2, 4))
    guesser = MockModel(Planted(seed=4), "guesser")
    asked = [*ask(items, mocks(), ["silence"]), *ask(items, [guesser], ["text"], cyclic=True)]
    asked = [replace(r, option_logprob=r.posterior, option_tokens=(1,) * len(r.posterior or ())) for r in asked]
    findings = split(views(items, asked), rule="adf", perplexity="guesser").findings
    assert findings["gold_among_likeliest_by_chance"] == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert findings["gold_among_likeliest_p"] > 0.05


def test_a_gold_that_ties_with_another_option_is_not_the_likeliest() -> None:
    items = questions(40)
    alike = [replace(r, option_logprob=(-1.0,) * 4, option_tokens=(1,) * 4) for r in ask(items, mocks(1), ["text"])]
    con = views(items, [*ask(items, mocks(), ["silence"]), *alike])
    assert split(con, rule="adf", perplexity="m0").findings["gold_among_likeliest"] == 0
    assert split(con, rule="adf", perplexity="m0", rank=4).findings["rejected_by_3 perplexity"] > 0


def test_models_that_a_rule_names_need_not_vote(judged: duckdb.DuckDBPyConnection) -> None:
    """The reader is asked under text, the others under silence: leaving out a voter does not lose the reader."""
    asked = {"rule": "adf", "commonsense": "reader", "perplexity": "reader"}
    made = split(judged, models=["m0", "m1"], **asked)
    assert made.settings["models"] == ["m0", "m1"]
    assert made.findings["rejected_by_2 commonsense"] > 0
    assert [model for model, _ in leave_one_out(judged, models=["m0", "m1", "m2"], **asked)] == ["m0", "m1", "m2"]
    assert judges(made.settings) == ["reader", "reader"]
    assert judges(split(judged).settings) == []


@pytest.mark.slow
def test_sensitivity(con: duckdb.DuckDBPyConnection) -> None:
    rows = {r["variant"]: r for r in sensitivity(con, rule="votes", threshold=0.5).to_pylist()}
    first = rows["votes, threshold 0.5"]
    assert (first["moved"], first["kappa"], first["jaccard_weak"]) == (0, pytest.approx(1), 1)
    assert (first["varies"], first["threshold"]) == (None, 0.5)
    assert {(r["variant"], r["threshold"]) for r in rows.values() if r["varies"] == "threshold"} == {
        (f"threshold {t:g}", t) for t in (0.1, 0.25, 0.34, 0.67, 0.75, 0.9)
    }
    assert {r["variant"]: r["threshold"] for r in rows.values() if r["varies"] == "models"} == {
        f"without m{i}": 0.5 for i in range(3)
    }
    assert rows["threshold 0.9"]["weak"] >= first["weak"] >= rows["threshold 0.25"]["weak"]
    alone = {"without m0", "without m1", "without m2", "order 0 only", "order 1 only"}
    fewer = {"first 2 orders", "first 3 orders", "first 4 orders"}
    assert alone | fewer < rows.keys()
    assert "order 2 only" not in rows  # some items have two options, so two orders
    assert rows["order 0 only"]["undecided"] == 0
    assert all(r["note"] is None for r in rows.values())
    assert 0 < rows["threshold 0.1"]["false_share"] < first["false_share"] < rows["threshold 0.9"]["false_share"] < 1
    assert first["found"] == pytest.approx(first["weak"] * (1 - first["false_share"]) / N)
    assert first["false_share_error"] > 0 < first["found_error"]
    made = placed(split(con, threshold=0.9))
    base = placed(split(con, threshold=0.5))
    false = [not LEAKS[i] for i, part in base.items() if part == "weak"]
    assert sum(false) / len(false) == pytest.approx(first["false_share"], abs=3 * first["false_share_error"])
    assert rows["threshold 0.9"]["moved"] == pytest.approx(sum(made[i] != base[i] for i in base) / N)


@pytest.mark.slow
def test_a_variant_that_cannot_be_made_says_why(con: duckdb.DuckDBPyConnection) -> None:
    rows = {r["variant"]: r for r in sensitivity(con, rule="posterior").to_pylist()}
    assert "ask in all orders (cyclic)" in rows["order 0 only"]["note"]
    assert rows["order 0 only"]["weak"] is None
    assert rows["without m0"]["note"] is None


@pytest.mark.slow
def test_a_large_run_is_looked_at_on_whole_clips_and_it_is_said(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audiocontrib.splits.sensitivity.MOST_ITEMS", 100)
    before = con.sql("show all tables").fetchall()
    rows = sensitivity(con, rule="votes").to_pylist()
    n = rows[0]["n"]
    assert 60 < n < 140
    assert n % 2 == 0  # two items a clip
    assert rows[0]["note"] == f"all rows: a sample of {n} of {N} items, by whole clips"
    assert {row["n"] for row in rows} == {n}
    assert con.sql("show all tables").fetchall() == before
    assert len(split(con).table) == N


def test_leave_one_out(con: duckdb.DuckDBPyConnection) -> None:
    made = dict(leave_one_out(con, models=["m0", "m1", "m2"], rule="votes"))
    assert list(made) == ["m0", "m1", "m2"]
    assert made["m1"].settings["models"] == ["m0", "m2"]
    with pytest.raises(UsageError, match="has only one"):
        list(leave_one_out(con, models=["m0"]))


def test_only_the_answers_of_the_models_named_count(con: duckdb.DuckDBPyConnection) -> None:
    made = split(con, models=["m2", "m0"])
    assert made.settings["models"] == ["m0", "m2"]
    assert set(made.scores["models"].to_pylist()) == {2}
    assert split(con).settings["models"] == ["m0", "m1", "m2"]  # the connection is as it was
    assert split(con, models="m1").settings["models"] == ["m1"]
    with pytest.raises(UsageError, match="no answers of 'm7'; it holds those of: m0, m1, m2"):
        split(con, models=["m7"])


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_recipes_that_ship_can_be_read(path: Path) -> None:
    asked = read_split_recipe(path)
    assert asked.rule in RULES
    assert asked.settings.keys() <= settings_of(asked.rule).keys()
    assert asked.arguments().keys() >= {"rule", "condition", "audio", *asked.settings}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: votes", "no field 'rules'"),
        ("- votes", r"it is .*, but must be fields and values \(such as rule: …\)"),
        ("rule: [", "cannot be read"),
        ("settings: 3", "settings is 3, but must be names and values"),
        ("settings: {rule: fdr}", "settings: rule votes: there is no field 'rule'"),
        ("threshold: half", "threshold is 'half', but must be a number"),
        ("models: [m0, {a: 1}]", r"models\[1\] is .*, but must be a text that is not blank"),
    ],
)
def test_bad_recipes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError, match=message) as error:
        read_split_recipe(tmp_path / "r.yaml")
    assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="cannot be read"):
        read_split_recipe(tmp_path / "none.yaml")


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["votes", "group", "posterior", "fdr"])
def test_a_shuffle_of_all_options_and_rows_changes_no_split(rule: str) -> None:
    items = questions(120, k=(4, 3, 2), per_clip=2)
    rows = ask(items, mocks(), ["silence", "audio"], cyclic=True)
    plain = split(views(items, rows), rule=rule)
    random = np.random.default_rng(0)
    new = {item.id: random.permutation(len(item.choices)) for item in items}  # place -> old index
    old = {name: np.argsort(places) for name, places in new.items()}
    turned = [
        replace(i, choices=tuple(i.choices[p] for p in new[i.id]), answer=int(old[i.id][i.answer])) for i in items
    ]
    moved = [
        replace(
            r,
            choice=int(old[r.item_id][r.choice]),
            posterior=tuple(r.posterior[p] for p in new[r.item_id]),
        )
        for r in rows
    ]
    order = random.permutation(len(moved))
    shuffled = split(views(Items(turned[::-1]), [moved[i] for i in order]), rule=rule)
    assert placed(shuffled) == placed(plain)
    scores = [made.table["score"].to_pylist() for made in (plain, shuffled)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


def declining(refuse: float, unparseable: float = 0.0) -> duckdb.DuckDBPyConnection:
    """Replies of three models, some of which decline without the audio; 40 % of the texts betray the gold."""
    items = questions(N, k=(4, 3, 5, 2), per_clip=2)
    models = mocks(refuse_without_audio=refuse, unparseable=unparseable)
    return views(items, ask(items, models, ["silence", "audio"], "generate", cyclic=True))


@pytest.mark.slow
def test_a_reply_that_declines_is_no_guess() -> None:
    """The share of leaks is that of the same models where they do not decline, and the reasons name who abstained."""
    con = declining(0.3)
    made = split(con, rule="posterior")
    low, high = made.findings["answerable_share_interval"]
    assert low < SHARE < high
    assert abs(made.findings["answerable_share"] - SHARE) < 0.02  # .30 where a refusal counts as a wrong guess
    for rule in ("posterior", "fdr"):
        reasons = {row["item_id"]: row["reason"] for row in split(con, rule=rule).table.to_pylist()}
        for row in split(con, rule=rule).scores.to_pylist():
            said = "; abstained: " + ", ".join(row["models_abstained"])
            assert reasons[row["item_id"]].endswith(said) == bool(row["models_abstained"])
    found = split(con, rule="fdr")
    false = [not LEAKS[name] for name, part in placed(found).items() if part == "weak"]
    assert len(false) > 90
    assert np.mean(false) <= 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("refuse", "unparseable"), [(1.0, 0.0), (0.0, 1.0)])
def test_where_no_vote_names_an_option_fdr_decides_nothing(refuse: float, unparseable: float) -> None:
    made = split(declining(refuse, unparseable), rule="fdr")
    assert set(placed(made).values()) == {"undecided"}
    [reason] = set(made.table["reason"].to_pylist())
    assert reason == "no vote names an option" + ("; abstained: m0, m1, m2" if refuse else "")
    assert made.findings["abstained_by_all"] == N * bool(refuse)
    assert any("every model abstains" in warning for warning in made.warnings) == bool(refuse)


@pytest.mark.slow
def test_posterior_refuses_where_all_abstain() -> None:
    with pytest.raises(NotIdentified, match="every model abstains on every item"):
        split(declining(1.0), rule="posterior")


def test_of_a_group_too_small_for_an_interval_nothing_is_called_weak() -> None:
    items = Items(replace(i, question="Which?", choices=("yes", "no")) for i in questions(12, k=2, per_clip=4))
    knows = MockModel(Planted(leak={i.id: True for i in items}, noise=0, content_preference=0), "knows")
    con = views(items, ask(items, [knows], ["silence"]))  # 12 items, but 3 clips
    made = split(con, rule="group")
    assert set(placed(made).values()) == {"undecided"}
    assert made.findings["items_in_groups_too_small"] == 12
    assert all("too small, or on too few clips" in reason for reason in made.table["reason"].to_pylist())
