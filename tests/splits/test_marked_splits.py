"""A run whose keys are corrected by marks is as one that had them from the beginning."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.items import Items
from audiocontrib.publish import split_files
from audiocontrib.splits.sensitivity import sensitivity
from audiocontrib.store import Run, write_table_atomic
from audiocontrib.store.run import RESPONSES

WRONG = 6
"""So many items of the marked run have another option as their key."""
RULES: list[dict[str, Any]] = [
    {"rule": "votes"},
    {"rule": "votes", "leave_out": "unsolved", "threshold": 1},
    {"rule": "group", "least": 2},
    {"rule": "posterior"},
    {"rule": "fdr"},
    {"rule": "fdr", "decoys": "all"},
    {"rule": "fdr", "decoys": "foreign", "condition": "text"},
    {"rule": "fdr", "balanced": True, "strata": "question_type"},
    {"rule": "adf", "models": ["a", "b"], "commonsense": "c", "perplexity": "c"},
]


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Run:
    items, folder = ac.load_items("demo", limit=60), tmp_path_factory.mktemp("marked") / "right"
    models = [f"mock:skill=0.{9 - n},leak=0.4,seed={n}" for n in range(3)]
    conditions = ["audio", "silence", "text", "foreign"]
    return ac.score(items, models, conditions, names=["a", "b", "c"], orders="cyclic", run=folder, progress=False)


def lenders(run: Run) -> set[str]:
    """Items on the clips of those whose clip or gold was borrowed."""
    return set(run.table(
        "select item_id from items where clip_id in (select clip_id from items join "
        "(select distinct partner_id as item_id from responses where partner_id is not null) using (item_id))"
    )["item_id"].to_pylist())  # fmt: skip


@pytest.fixture(scope="module")
def marked(right: Run) -> Run:
    """The same answers to the same items, some with another key, which is marked."""
    items = right.load_items()
    free = [item.id for item in items if item.id not in lenders(right)][:WRONG]
    assert len(free) == WRONG
    keys = {item.id: ((item.answer or 0) + 1) % len(item.choices) if item.id in free else item.answer for item in items}
    held = Items([replace(item, answer=keys[item.id]) for item in items], origin=items.origin)
    run = Run.create_or_resume(right.path.parent / "marked", right.manifest, held)
    answers = right.table("from responses order by created_at, request_key")
    correct = [None if was is None else choice is not None and choice == keys[item] for was, choice, item in
               zip(*(answers[name].to_pylist() for name in ("correct", "choice", "item_id")), strict=True)]  # fmt: skip
    at = answers.schema.get_field_index("correct")
    answers = answers.set_column(at, answers.schema.field(at), pa.array(correct, pa.bool_()))
    write_table_atomic(answers, run.path / RESPONSES / "0.parquet")
    for item in items:
        if item.id in free:
            ac.add_mark(run, item.id, "wrong key", answer=item.choices[item.answer or 0], by="ann")
    ac.add_mark(run, items[0].id, "fine", by="bob")
    return run


def test_the_keys_make_a_difference(right: Run, marked: Run) -> None:
    assert ac.accuracy(marked).to_pylist() != ac.accuracy(right).to_pylist()
    assert ac.split(marked).table != ac.split(right).table


@pytest.mark.parametrize("asked", RULES, ids=lambda asked: "-".join(map(str, asked.values())))
def test_a_split_is_as_with_the_right_keys_from_the_beginning(asked: dict[str, Any], right: Run, marked: Run) -> None:
    wanted, made = ac.split(right, **asked), ac.split(marked, **asked, corrected_keys=True)
    assert made.table.equals(wanted.table)
    assert made.warnings == wanted.warnings
    assert made.findings == {**wanted.findings, "keys_corrected": WRONG}
    assert made.settings == {**wanted.settings, "corrected_keys": True}


@pytest.mark.slow
def test_every_measure_follows(right: Run, marked: Run) -> None:
    by_marks = ac.marked(marked, corrected_keys=True)
    for measure in (ac.accuracy, ac.contributions, ac.evaluate, ac.unsolved):
        assert measure(by_marks).equals(measure(right)), measure
    assert ac.measure(by_marks, condition="text").table.equals(ac.measure(right, condition="text").table)
    assert ac.evaluate(marked, corrected_keys=True).equals(ac.evaluate(right))
    assert sensitivity(marked, corrected_keys=True).equals(sensitivity(right))
    who = {"model": "a", "baseline_model": "b"}
    assert ac.compare(marked, marked, **who, corrected_keys=True).equals(ac.compare(right, right, **who))


@pytest.mark.slow
def test_a_certificate_a_card_and_what_is_published_follow_a_saved_split(
    right: Run, marked: Run, tmp_path: Path
) -> None:
    for run, words in ((right, {}), (marked, {"corrected_keys": True})):
        ac.split(run, models=["a", "b"], **words).save(run.split_folder("ab"))
    assert marked.split("ab").table.equals(right.split("ab").table)
    assert len(marked.split("ab").marking.keys) == WRONG
    for who in ({"model": "c"}, {"rotate": True}):
        assert ac.certify(marked, split="ab", **who, save=False) == ac.certify(right, split="ab", **who, save=False)
    card = ac.card(marked, split="ab")
    assert "every item came out in the same part" in card
    assert f"keys corrected: {WRONG}" in card
    assert "--corrected-keys" in card
    tables = []
    for run in (right, marked):
        split_files(run, "ab", tmp_path / run.path.name)
        tables.append(pq.read_table(tmp_path / run.path.name / "split.parquet"))
    assert tables[0].equals(tables[1])
    assert "by marks" not in ac.report(marked, out=tmp_path / "report.html", items=2).read_text()


def exported(run: Run, folder: Path, **words: Any) -> list[dict[str, Any]]:
    asked = {"stage": "sft", "format": "jsonl", "part": "all", "copies": 1, "audio": "copy", "progress": False}
    made = ac.export(run, out=folder, **asked, **words)
    return [json.loads(line) for line in next(made.folder.glob("*.jsonl")).read_text().splitlines()]


def test_an_export_of_a_saved_split_has_the_corrected_answers(right: Run, marked: Run, tmp_path: Path) -> None:
    for run, words in ((right, {}), (marked, {"corrected_keys": True})):
        ac.split(run, **words).save(run.split_folder("all"))
    wanted = exported(right, tmp_path / "right", split="all")
    assert exported(marked, tmp_path / "marked", split="all") == wanted
    manifest = json.loads((tmp_path / "marked" / "manifest.json").read_text())
    assert len(manifest["request"]["marking"]["keys"]) == WRONG
    ac.split(marked).save(marked.split_folder("as it is"))
    assert exported(marked, tmp_path / "as it is", split="as it is") != wanted
    assert len(exported(marked, tmp_path / "again", split="as it is", corrected_keys=True)) == len(wanted)


def test_marked_items_are_left_out(marked: Run) -> None:
    n = len(marked.load_items())
    fine, wrong = marked.load_items()[0].id, ac.marks(marked).to_pylist()[1]["item_id"]
    made = ac.split(marked, without_marked=["wrong key", "fine"])
    assert len(made.table) == n - WRONG - 1
    assert made.findings["left_out_marked"] == WRONG + 1
    both = ac.split(marked, without_marked=["wrong key", "fine"], corrected_keys=True)
    assert set(both.table["item_id"].to_pylist()) == {*made.table["item_id"].to_pylist(), *corrected(marked)} - {fine}
    assert wrong in both.table["item_id"].to_pylist()
    ac.split(marked, without_marked="fine").save(marked.split_folder("without"))
    assert marked.split("without").settings["without_marked"] == ["fine"]
    assert {row["n"] + row["missing"] for row in ac.evaluate(marked, without_marked="fine").to_pylist()} == {n - 1}
    better = ac.marked(marked, without="fine", corrected_keys=True)
    assert fine not in better.load_items().table["item_id"].to_pylist()
    held = marked.query("select item_id, correct from responses").merge(better.responses, on="item_id")
    assert fine not in set(better.items["item_id"]) | set(held["item_id"])
    assert better.responses["correct"].mean() != marked.responses["correct"].mean()
    keys = dict(zip(better.items["item_id"], better.items["answer"], strict=True))
    assert {item.id: item.answer for item in better.load_items()} == keys


def corrected(run: Run) -> list[str]:
    return [row["item_id"] for row in ac.marks(run).to_pylist() if row["kind"] == "wrong key"]


def test_a_saved_split_keeps_its_keys_whatever_is_marked_later(right: Run, marked: Run, tmp_path: Path) -> None:
    ac.split(marked, corrected_keys=True).save(marked.split_folder("kept"))
    ac.split(right).save(right.split_folder("kept"))
    item = next(one for one in marked.load_items() if one.id in corrected(marked) and len(one.choices) > 2)
    key = (
        right.load_items()
        .table["answer"]
        .to_pylist()[list(right.load_items().table["item_id"].to_pylist()).index(item.id)]
    )
    other = next(place for place in range(len(item.choices)) if place not in (key, item.answer))
    ac.add_mark(marked, item.id, "wrong key", answer=other, by="eva")
    try:
        with pytest.raises(AudiocontribError, match=f"{item.id} is corrected to .* by ann and to .* by eva"):
            ac.split(marked, corrected_keys=True)
        ac.add_mark(marked, item.id, None, by="ann")
        with pytest.raises(AudiocontribError, match=f"{item.id} is corrected to .* in one place"):
            exported(marked, tmp_path / "no", split="kept", corrected_keys=True)
        assert exported(marked, tmp_path / "kept", split="kept") == exported(right, tmp_path / "right", split="kept")
    finally:
        ac.add_mark(marked, item.id, "wrong key", answer=key, by="ann")
        ac.add_mark(marked, item.id, None, by="eva")


def test_what_was_borrowed_by_a_wrong_key_does_not_count(right: Run, tmp_path: Path) -> None:
    borrowed = right.table("select item_id, partner_id from responses where condition = 'foreign'").to_pylist()
    lender = borrowed[0]["partner_id"]
    item = next(one for one in right.load_items() if one.id == lender)
    ac.add_mark(right, lender, "wrong key", answer=((item.answer or 0) + 1) % len(item.choices))
    try:
        with ac.marked(right, corrected_keys=True).views() as con:
            kept = con.sql("select item_id, partner_id from responses where condition = 'foreign'").fetchall()
        assert 0 < len(kept) < len(borrowed)
        assert lender not in {partner for _, partner in kept}
        made = ac.split(right, rule="fdr", decoys="foreign", condition="text", corrected_keys=True)
        reasons = {row["item_id"]: row["reason"] for row in made.table.to_pylist()}
        assert "no item of its kind lends it a gold" in reasons[borrowed[0]["item_id"]]
    finally:
        ac.add_mark(right, lender, None)


@pytest.mark.slow
def test_what_cannot_follow_is_refused_in_one_line(marked: Run) -> None:
    ac.audit(marked, checks=["probes"])
    with pytest.raises(UsageError, match="cannot follow corrected ones"):
        ac.split(marked, rule="audit", corrected_keys=True)
    assert len(ac.split(marked, rule="audit", without_marked="fine").table)
    with pytest.raises(UsageError, match="there is no mark 'odd'"):
        ac.split(marked, without_marked="odd")
    with pytest.raises(UsageError, match="of the run as it is"):
        ac.marked(marked, corrected_keys=True).save_contributions(pa.table({"item_id": ["x"]}))
    with marked.views() as con, pytest.raises(UsageError, match="give the run"):
        ac.split(con, corrected_keys=True)
    with ac.marked(marked, corrected_keys=True).views() as con:
        assert ac.split(con).settings["corrected_keys"]


def call(*words: str) -> str:
    done = CliRunner().invoke(main, [*words])
    assert done.exit_code == 0, done.output
    return str(done.output)


@pytest.mark.slow
def test_the_commands_say_what_they_left_out_and_corrected(right: Run, marked: Run, tmp_path: Path) -> None:
    run, words = ["--run", str(marked.path)], ["--without-marked", "fine, ambiguous", "--corrected-keys"]
    told = call("split", *run, *words, "--name", "cli")
    assert f"by marks: items left out (ambiguous, fine): 1; keys corrected: {WRONG}" in told
    assert f"keys corrected: {WRONG}" in told
    assert not (marked.path / "contributions.parquet").exists()
    told = call("evaluate", *run, *words, "--format", "latex")
    assert f"keys corrected: {WRONG}" in told.split("\\caption")[1].split("\n")[0]
    assert "goes by 6 corrected keys, these numbers by 0" in call("evaluate", *run, "--split", "cli")
    out = [
        "--out",
        str(tmp_path / "o"),
        "--split",
        "cli",
        "--stage",
        "sft",
        "--for",
        "jsonl",
        "--quiet",
        "--copy-clips",
    ]
    assert f"keys corrected: {WRONG}" in call("export", *run, *out)
    recipe = tmp_path / "s.yaml"
    recipe.write_text("rule: votes\ncorrected_keys: true\nwithout_marked: [fine, ambiguous]\n")
    call("split", *run, "--split-recipe", str(recipe), "--name", "recipe")
    one, other = marked.split("cli"), marked.split("recipe")
    assert one.table.equals(other.table)
    assert one.settings == other.settings
    assert "corrected_keys" not in ac.split(right, rule="votes").settings


def test_whose_clip_was_chosen_by_a_wrong_key_says_nothing(tmp_path: Path) -> None:
    """Under swap and conflict another item's clip is played, chosen by its gold; a conflict also by one's own."""
    items = ac.load_items("demo", limit=60)
    asked = ["audio", "silence", "swap", "conflict"]
    run = ac.score(items, ["mock:skill=0.9"], asked, names=["a"], orders="given", run=tmp_path / "r", progress=False)
    told = run.table("select item_id, condition, partner_id from responses order by all").to_pylist()
    lender = next(row["partner_id"] for row in told if row["condition"] == "swap")
    clip = {item.id: item.clip_id for item in items}
    item = next(one for one in items if one.id == lender)
    ac.add_mark(run, lender, "wrong key", answer=((item.answer or 0) + 1) % len(item.choices))
    better = ac.marked(run, corrected_keys=True)
    kept = better.table("select item_id, condition, partner_id from responses").to_pylist()
    gone = [row for row in told if row not in kept]
    wanted = [
        row
        for row in told
        if (row["partner_id"] and clip[row["partner_id"]] == clip[lender])
        or (row["condition"] == "conflict" and row["item_id"] == lender)
    ]
    assert gone == wanted
    assert {row["condition"] for row in gone} == {"swap", "conflict"}
