"""Lists of items: filters, sorting and pages are those of a plain computation with pandas."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from helpers.shared import made_once
from helpers.store_tools import items, manifest, response
from helpers.viewing import EVIL, make_run

import audiocontrib as ac
from audiocontrib.contribution.votes import votes
from audiocontrib.errors import UsageError
from audiocontrib.store import Run
from audiocontrib.view.asked import CHANGED, DIFFERS, items_asked
from audiocontrib.view.counted import NUMBERS, VOTES, Counted, count_run, kept_counts, run_state, uncounted
from audiocontrib.view.items import ItemList, list_items
from audiocontrib.view.pages import STATIC, VENDOR


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ac.open_run(made_once(tmp_path_factory, "viewed", lambda folder: make_run(folder / "r")) / "r")


@pytest.fixture(scope="module")
def counted(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return count_run(run, run_state(run), tmp_path_factory.mktemp("else"))


MARKS = pa.table({"item_id": pa.array([], pa.string()), "kind": pa.array([], pa.string())})


def listed(run: Run, counted: Counted, **words: Any) -> ItemList:
    there = counted if words.keys() & {"other", "under", "differs"} else None
    asked = items_asked({name: str(word) for name, word in words.items()})
    return list_items(counted, asked, MARKS, split=run.split_folder("votes") / "split.parquet", there=there)


@pytest.fixture(scope="module")
def plain(run: Run) -> pd.DataFrame:
    """A row an item, with a word for each vote, as pandas makes it from the published tables."""
    cast = votes(run).to_pandas()
    word = pd.Series("wrong", cast.index).mask(cast.choice.isna(), "no choice").mask(cast.correct == True, "right")  # noqa: E712
    cast["word"] = word.mask(cast.abstained == True, "abstained").mask(cast.problem.notna(), "no vote")  # noqa: E712
    wide = cast.pivot(index="item_id", columns=["model", "condition"], values="word")
    wide.columns = [f"{model} {condition}" for model, condition in wide.columns]
    scores = ac.contributions(run).to_pandas().set_index("item_id")
    named = {"right_with_audio": "right_audio", "votes_right": "right_without"}
    parts = run.split("votes").table.to_pandas().set_index("item_id")[["split", "score"]]
    found = run.items.set_index("item_id")[["question", "choices", "question_type"]]
    return found.join(wide).join(scores.rename(columns=named).drop(columns="score")).join(parts).sort_index()


def test_the_numbers_are_those_of_the_published_tables(run: Run, counted: Counted, plain: pd.DataFrame) -> None:
    got = listed(run, counted, count=100).items
    assert [row["id"] for row in got] == list(plain.index)
    for name in NUMBERS:
        assert [row[name] for row in got] == pytest.approx(plain[name].to_list(), abs=1e-12), name
    for place, (model, condition) in enumerate(counted.cells):
        assert [row["votes"][place] for row in got] == plain[f"{model} {condition}"].to_list()
    assert [row["split"] for row in got] == plain["split"].to_list()


def pair(plain: pd.DataFrame, one: str, other: str, kind: int) -> pd.Series:
    known = plain[one].isin(VOTES[1:5]) & plain[other].isin(VOTES[1:5])
    a, b = [(True, False), (False, True), (True, True), (False, False)][kind]
    return known & ((plain[one] == "right") == a) & ((plain[other] == "right") == b)


@pytest.mark.parametrize(
    "words",
    [
        {"find": "kind of"},
        {"find": "WHICH img"},
        {"find": "%"},
        {"find": "nothing-has-this"},
        {"type": "music"},
        {"type": EVIL[0]},
        {"type": EVIL[2]},
        {"split": "weak"},
        {"model": "alpha", "condition": "silence", "result": "wrong"},
        {"model": "beta", "result": "right"},
        {"condition": "swap", "result": "wrong"},
        {"find": "what", "split": "strong", "type": "sound"},
        *({"changed": word} for word in CHANGED),
        *({"changed": word, "model": "beta"} for word in CHANGED),
        *({"model": "alpha", "other": "beta", "differs": word} for word in DIFFERS),
        {"model": "alpha", "under": "mask:50", "differs": DIFFERS[0]},
    ],
)  # fmt: skip
def test_filters(run: Run, counted: Counted, plain: pd.DataFrame, words: dict[str, str]) -> None:
    want = pd.Series(True, plain.index)
    texts = plain.apply(lambda row: "\n".join([row.name, row.question, *row.choices]).lower(), axis=1)
    for word in words.get("find", "").lower().split():
        want &= texts.str.contains(word, regex=False)
    if "type" in words:
        want &= plain.question_type == words["type"]
    if "split" in words:
        want &= plain["split"] == words["split"]
    models = [words["model"]] if "model" in words else ["alpha", "beta"]
    if "differs" in words:
        other, under = words.get("other", "alpha"), words.get("under", "audio")
        pairs = [pair(plain, "alpha audio", f"{other} {under}", kind) for kind in range(4)]
        assert listed(run, counted, **words).compared == dict(zip(DIFFERS, map(sum, pairs), strict=True))
        want &= pairs[DIFFERS.index(words["differs"])]
    if "differs" in words or "result" in words:
        result = words.get("result", "")
        conditions = [words["condition"]] if "condition" in words else ["audio", "silence", "text", "swap", "mask:50"]
        cells = [f"{model} {condition}" for model in models for condition in conditions]
        want &= (plain[cells] == result if result else plain[cells] != "no vote").any(axis=1)
    if "changed" in words:
        kind = CHANGED.index(words["changed"])
        want &= pd.concat([pair(plain, f"{m} audio", f"{m} silence", kind) for m in models], axis=1).any(axis=1)
    got = listed(run, counted, count=100, **words)
    assert [row["id"] for row in got.items] == list(plain.index[want])
    assert (got.found, got.of) == (want.sum(), len(plain))


@pytest.mark.parametrize(
    "key", ["question", "split", "score", "p_audio", "p_text", "contribution", "right_audio", "id"]
)
@pytest.mark.parametrize("way", ["", "-"])
def test_sorting_and_pages(run: Run, counted: Counted, plain: pd.DataFrame, key: str, way: str) -> None:
    pages = [listed(run, counted, sort=way + key, count=7, **{"from": start}).items for start in range(0, 28, 7)]
    got = [row["id"] for page in pages for row in page]
    frame = plain.reset_index(names="id")
    want = frame.sort_values(
        [key, "id"] if key != "id" else "id", ascending=[not way, True] if key != "id" else not way
    )
    assert got == want["id"].to_list()
    assert not listed(run, counted, **{"from": 1000}).items


def test_sorting_by_the_votes_of_a_model(run: Run, counted: Counted) -> None:
    got = listed(run, counted, sort="m1", count=100).items
    audio, silence = counted.cells.index(["beta", "audio"]), counted.cells.index(["beta", "silence"])
    numbers = [(VOTES.index(row["votes"][audio]), VOTES.index(row["votes"][silence]), row["id"]) for row in got]
    assert numbers == sorted(numbers)
    assert len(listed(run, counted, sort="m999", count=100).items) == len(got)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"sort": "question; drop table x"}, "sort is"), ({"count": "201"}, "count is"), ({"from": "-1"}, "start is"),
        ({"from": "1e9"}, "start is"), ({"count": "٣"}, "count is"), ({"nonsense": "1"}, "there is no 'nonsense'"),
        ({"model": "gamma"}, "no votes of the model 'gamma'"), ({"condition": "noise"}, "no votes of the condition"),
        ({"result": "good"}, "result is"), ({"changed": "x"}, "changed is"), ({"find": "x" * 3000}, "too long"),
        ({"other": "gamma", "differs": DIFFERS[0]}, "'gamma' was not asked under 'audio'"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_one_line(run: Run, counted: Counted, words: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        listed(run, counted, **words)


def test_counts_are_kept_until_answers_are_added(tmp_path: Path) -> None:
    run = Run.create_or_resume(tmp_path / "r", manifest(), items(3))
    run.append([response(0), response(1)])
    state = run_state(run)
    assert kept_counts(run, state, tmp_path) is None
    first = count_run(run, state, tmp_path)
    assert kept_counts(run, state, tmp_path) == first
    run.append([response(2)])
    assert run_state(run) != state
    assert kept_counts(run, run_state(run), tmp_path) is None
    (run.path / ".counted.parquet").write_bytes(b"PAR1 is damaged PAR1")
    assert kept_counts(run, state, tmp_path) is None
    assert count_run(run, run_state(run), tmp_path).answers == 3
    assert not ac.verify(run.path).damaged.num_rows


def test_before_counting_the_items_are_there(run: Run, plain: pd.DataFrame) -> None:
    got = list_items(uncounted(run), items_asked({"find": "what", "count": "100"}), MARKS)
    assert [row["id"] for row in got.items] == list(plain.index[plain.question.str.lower().str.contains("what")])
    assert {tuple(row["votes"]) for row in got.items} == {()}


@pytest.mark.parametrize("name", VENDOR)
def test_files_of_others_are_as_they_were_published(name: str) -> None:
    assert hashlib.sha256(STATIC[name].read_bytes()).hexdigest() == VENDOR[name]
