"""The condition ``foreign``: one option more, the gold of another item, seeded and written down."""

from __future__ import annotations

from pathlib import Path

import pytest

import audiocontrib as ac
from audiocontrib.conditions.foreign import partners_by_kind
from audiocontrib.errors import UsageError
from audiocontrib.items import Items
from audiocontrib.models.mock import MockModel, Planted
from audiocontrib.store import Run

MODELS = [MockModel(Planted(seed=i), f"m{i}") for i in range(3)]


@pytest.fixture(scope="module")
def items() -> Items:
    return ac.load_items("demo", limit=60)


@pytest.fixture(scope="module")
def run(items: Items, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("foreign") / "r"
    return ac.score(items, MODELS, ["text", "foreign"], run=folder, progress=False)


@pytest.mark.slow
def test_the_partner_is_of_the_same_kind_and_its_gold_is_new(items: Items, run: Run) -> None:
    by_id = {item.id: item for item in items}
    rows = run.query("select distinct item_id, partner_id from responses where condition = 'foreign'")
    assert 0 < len(rows) <= len(items)
    find, other = partners_by_kind(list(items)), partners_by_kind(list(items), seed=1)
    for item_id, partner_id in rows.itertuples(index=False):
        item, lender = by_id[item_id], by_id[partner_id]
        assert find(item) is not None
        assert find(item).id == partner_id
        assert item.clip_id != lender.clip_id
        assert (item.question, item.question_type) != (None, None)
        assert item.question == lender.question or item.question_type == lender.question_type
        assert lender.choices[lender.answer] not in item.choices
    assert any(find(item) != other(item) for item in items)


def test_every_rotation_of_one_option_more_is_asked(items: Items, run: Run) -> None:
    sizes = {item.id: len(item.choices) for item in items}
    counts = run.query(
        'select item_id, model, count(*) as n, count(distinct "order") as orders, max(len(posterior)) as k '
        "from responses where condition = 'foreign' group by all"
    )
    for row in counts.itertuples():
        assert row.n == row.orders == row.k == sizes[row.item_id] + 1


def test_other_measures_do_not_see_it_and_the_rule_does(run: Run) -> None:
    assert set(ac.accuracy(run)["condition"].to_pylist()) == {"text"}
    made = ac.split(run, rule="fdr", decoys="foreign", condition="text")
    assert made.settings["decoys"] == "foreign"
    assert (
        made.findings["items_in_contest"]
        == run.query("select count(distinct item_id) as n from responses where condition = 'foreign'")["n"][0]
    )
    assert "golds_look_like_golds" in made.findings
    with pytest.raises(UsageError, match="one option more"):
        ac.split(run, rule="votes", condition="foreign")


def test_without_its_answers_foreign_decoys_are_refused_in_one_line(items: Items, tmp_path: Path) -> None:
    run = ac.score(items, MODELS, ["text"], run=tmp_path / "r", progress=False)
    with pytest.raises(UsageError, match="the run holds none; score under it"):
        ac.split(run, rule="fdr", decoys="foreign", condition="text")
