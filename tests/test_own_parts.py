"""Rules, formats and data sets of one's own: each works from a plugin, and what is wrong with one is one line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import audiocontrib as ac
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.export import FORMATS, export, export_format
from audiocontrib.sources import SOURCES, Fields, Source, register_source
from audiocontrib.splits import RULES, RuleInput, RuleResult, rule
from audiocontrib.store import Run

HERE = Path(__file__).name


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    held = [(registry, dict(registry)) for registry in (RULES, FORMATS, SOURCES)]
    yield
    for registry, things in held:
        registry.clear()
        registry.update(things)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    made = ac.score(
        ac.load_items("demo", seed=3, limit=8), ["mock"], run=tmp_path_factory.mktemp("own") / "r", progress=False
    )
    ac.split(made, threshold=0.5).save(made.split_folder("all"))
    return made


def table(asked: RuleInput, **columns: Any) -> pa.Table:
    """All items as strong, with other columns in place of the usual ones; None: without the column."""
    ids = asked.scores["item_id"].to_pylist()
    usual = {"item_id": ids, "split": ["strong"] * len(ids), "score": [1.0] * len(ids), "reason": ["so"] * len(ids)}
    return pa.table({name: values for name, values in (usual | columns).items() if values is not None})


def one_more(asked: RuleInput) -> pa.Table:
    """A row of an item that there is not."""
    row = {"item_id": "other/1", "split": "strong", "score": 1.0, "reason": "so"}
    return pa.Table.from_pylist([row], table(asked).schema)


def test_a_rule_may_say_that_the_score_alone_does_not_decide(run: Run) -> None:
    rule("own", 0.5, "about", by_score=False)(lambda asked: RuleResult(table(asked, score=[0.4] * 8)))
    assert len(ac.split(run, rule="own").part("strong")) == 8


def test_a_rule_of_ones_own(run: Run) -> None:
    @rule("own", 0.5, "about")
    def own(asked: RuleInput, least: int = 3) -> RuleResult:
        assert (asked.threshold, asked.condition) == (Fraction(1, 2), "silence")
        return RuleResult(table(asked), {"least": least})

    made = ac.split(run, rule="own", least=4)
    assert set(made.table["split"].to_pylist()) == {"strong"}
    assert (made.findings, made.settings["least"]) == ({"least": 4}, 4)
    assert made.summary()["guessing_weak_share"].to_pylist() == [None]
    kept = made.save(run.split_folder("own"))
    del RULES["own"]
    assert len(run.split(kept.name).table) == 8  # read without the plugin
    with pytest.raises(UsageError, match="no split rule is called 'own'"):
        ac.split(run, rule="own")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("gives", "says"),
    [
        (lambda asked: None, "gave NoneType; it gives RuleResult"),
        (table, "gave Table; it gives RuleResult"),
        (lambda asked: RuleResult(table(asked).to_pylist()), "its table is a list, not a pyarrow Table"),
        (lambda asked: RuleResult(table(asked, split=None)), "has no column split; it needs item_id, split, score"),
        (lambda asked: RuleResult(table(asked, split=["Strong"] * 8)), "split is 'Strong', but is one of weak"),
        (lambda asked: RuleResult(table(asked, split=[None] * 8)), "split is None"),
        (lambda asked: RuleResult(table(asked).slice(1)), "lacks 1 items, e.g. demo/"),
        (lambda asked: RuleResult(table(asked).slice(0, 0)), "lacks 8 items"),
        (lambda asked: RuleResult(pa.concat_tables([table(asked)] * 2)), "2 times; each item has one row"),
        (lambda asked: RuleResult(table(asked, score=[math.nan] * 8)), "score holds numbers that are not finite"),
        (lambda asked: RuleResult(table(asked, score=[5.0] * 8)), "score holds numbers outside 0 to 1"),
        (lambda asked: RuleResult(table(asked, score=[-0.1] * 8)), "score holds numbers outside 0 to 1"),
        (lambda asked: RuleResult(table(asked, score=["much"] * 8)), "its column score is not double"),
        (
            lambda asked: RuleResult(table(asked, score=[0.4] * 8)),
            "is strong with the score 0.4, at a threshold of 0.5",
        ),
        (lambda asked: RuleResult(table(asked, split=["weak"] * 8)), "is weak with the score 1, at a threshold of 0.5"),
        (lambda asked: RuleResult(table(asked, split=[*["strong"] * 7, "maybe"])), "split is 'maybe'"),
        (lambda asked: RuleResult(table(asked, split=[1] * 8)), "split is '1'"),
        (lambda asked: RuleResult(table(asked, reason=[None] * 8)), "it gives no reason for demo/"),
        (lambda asked: RuleResult(table(asked, item_id=[None] * 8)), "a row has no item_id"),
        (lambda asked: RuleResult(table(asked, item_id=[f"other/{n}" for n in range(8)])), "lacks 8 items"),
        (lambda asked: RuleResult(pa.concat_tables([table(asked), one_more(asked)])), "'other/1', which is no item"),
        (lambda asked: RuleResult(table(asked).append_column("split", pa.array(["weak"] * 8))), "two columns split"),
        (lambda asked: RuleResult(table(asked), None), "its findings are not JSON values"),
        (lambda asked: RuleResult(table(asked), {}, None), "its warnings are not a tuple"),
        (lambda asked: RuleResult(table(asked), {}, (1,)), "its warnings are not a tuple"),
        (lambda asked: RuleResult(table(asked, guessing=[math.inf] * 8)), "guessing holds numbers"),
        (lambda asked: RuleResult(table(asked), {"x": {1, 2}}), "its findings are not JSON values"),
        (lambda asked: RuleResult(table(asked), {"x": math.nan}), "its findings are not JSON values"),
        (lambda asked: RuleResult(table(asked), {}, "careful"), "its warnings are not a tuple"),
        (lambda asked: 1 / 0, f"fails: {HERE}:.*ZeroDivisionError"),
        (lambda: None, "fails: TypeError"),
        (lambda asked: asked.con.execute("select nonsense"), f"fails: {HERE}:.*nonsense"),
    ],
)
def test_what_a_rule_gives_is_checked(run: Run, gives: Any, says: str) -> None:
    rule("own", 0.5, "about")(gives)
    with pytest.raises(AudiocontribError, match=says) as error:
        ac.split(run, rule="own")
    assert str(error.value).startswith("rule own")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "threshold", "says"),
    [
        ("votes", 0.5, "registered twice"),
        ("a:b", 0.5, "needs a name"),
        ("", 0.5, "needs a name"),
        (None, 0.5, "needs a name"),
        ("own", 1.5, "threshold is 1.5, but must be"),
        ("own", math.nan, "threshold is nan"),
        ("own", "half", "threshold is 'half'"),
        ("own", True, "threshold is True"),
    ],
)
def test_a_rule_that_cannot_be_registered(name: Any, threshold: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rule(name, threshold, "about")(lambda asked: None)


def test_a_format_of_ones_own(run: Run, tmp_path: Path) -> None:
    @export_format("own", stages=("sft",), file="{stage}.parquet")
    def own(example: Any, stage: str) -> dict[str, Any]:
        return {"ask": example.row.prompt.user, "reply": example.row.target, "clip": example.audio}

    made = export(
        run, split="all", stage="sft", out=tmp_path / "out", format="own", part="all", audio="copy", progress=False
    )
    assert (made.folder / "sft.parquet").is_file()
    assert json.loads((made.folder / "manifest.json").read_text())["request"]["format"] == "own"
    with pytest.raises(UsageError, match="has no grpo"):
        export(run, split="all", stage="grpo", out=tmp_path / "other", format="own", progress=False)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (lambda example, stage: None, "gave None as a row"),
        (lambda example, stage: ["a"], "gave .'a'. as a row"),
        (lambda example, stage: {1: "a"}, "as a row; it gives a dictionary"),
        (lambda example, stage: {}, r"gave {} as a row; .* \(item demo/"),
        (lambda example, stage: {"a": 1} if example.name.endswith("#0") else {}, r"gave {} as a row; .* \(item demo/"),
        (lambda example, stage: {"a": 1} | ({"b": 1} if example.name[-1:] == "1" else {}), "a row with 'b', unlike"),
        (lambda example, stage: {"a": 1} | ({} if example.name[-1:] == "1" else {"b": 1}), "without 'b', unlike"),
        (lambda example, stage: {"a": {1, 2}}, "TypeError: Object of type set is not JSON"),
        (lambda example, stage: {"a": math.nan}, "not JSON compliant"),
        (lambda example, stage: {"a": b"bytes"}, "TypeError: Object of type bytes is not JSON"),
        (lambda example, stage: {"a": example.nothing}, f"{HERE}:.*AttributeError"),
        (lambda example, stage: 1 / 0, f"{HERE}:.*ZeroDivisionError"),
        (lambda example: {}, "TypeError"),
        (lambda example, stage: {"a": "\ud800"}, "UnicodeEncodeError"),
    ],
)
def test_what_a_format_gives_is_checked(run: Run, tmp_path: Path, row: Any, says: str) -> None:
    export_format("own")(row)
    with pytest.raises(AudiocontribError, match=says) as error:
        export(
            run, split="all", stage="sft", out=tmp_path / "out", format="own", part="all", audio="copy", progress=False
        )
    assert str(error.value).startswith("format own")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("jsonl", {}, "registered twice"),
        ("a/b", {}, "needs a name"),
        (7, {}, "needs a name"),
        ("own", {"stages": "sft"}, "stages is 'sft', but must be a tuple of some of: sft, grpo"),
        ("own", {"stages": ("dpo",)}, "stages is"),
        ("own", {"audio": ()}, "audio is"),
        ("own", {"file": "../rows.jsonl"}, "file is '../rows.jsonl'"),
        ("own", {"file": "{part}.jsonl"}, "file is"),
        ("own", {"file": "rows.csv"}, "file is"),
        ("own", {"stage": ("sft",)}, "there is no field 'stage'; did you mean 'stages'?"),
        ("own", {"tags": "<audio>"}, "tags is '<audio>'"),
        ("own", {"tags": ("",)}, "tags is"),
        ("own", {"embed": "base64"}, "embed is 'base64', but must be a function"),
        ("own", {"beside": {}}, "beside is {}"),
    ],
)
def test_a_format_that_cannot_be_registered(name: Any, settings: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        export_format(name, **settings)(lambda example, stage: {})


@pytest.mark.parametrize(
    "beside", [None, "x.json", {"../x": "t"}, {"/x": "t"}, {"a/b": "t"}, {"x": 1}, {1: "t"}, {"sft.jsonl": ""}]
)
def test_other_files_of_a_format_stay_in_its_folder(run: Run, tmp_path: Path, beside: Any) -> None:
    export_format("own", beside=lambda stage, file: beside)(lambda example, stage: {"a": 1})
    with pytest.raises(AudiocontribError, match="format own: beside gave") as error:
        export(
            run, split="all", stage="sft", out=tmp_path / "out", format="own", part="all", audio="copy", progress=False
        )
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == []


def quiz(fields: Any, path: Path) -> Any:
    path.write_text("".join(json.dumps({"q": f"question {n}?", "n": n}) + "\n" for n in range(4)))
    register_source(Source(name="quiz", about="a quiz", fields=fields))
    return ac.load_items("quiz", data=path)


def test_a_source_of_ones_own(tmp_path: Path) -> None:
    def fields(row: Any) -> Fields:
        return Fields(question=row["q"], choices=["a", "b"], answer="a", audio=f"{10 // row['n']}.wav", own_id=row["q"])

    items = quiz(fields, tmp_path / "quiz.jsonl")
    assert len(items) == 3
    [bad] = items.quarantined  # its code fails on one row; the others are good
    assert bad.line == 1
    assert bad.reason.startswith(f"it cannot be read by quiz: {HERE}:")
    assert bad.reason.endswith("ZeroDivisionError: integer division or modulo by zero")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (lambda row: None, "quiz made NoneType of it, not Fields"),
        (lambda row: dict(row), "quiz made dict of it, not Fields"),
        (lambda row: row["q"].nothing, "AttributeError"),
        (lambda: None, "TypeError"),
        (lambda row: Fields(question=7, choices=["a", "b"], answer="a", audio="x.wav"), ""),
        (lambda row: Fields(question="q", choices=None, answer="a", audio="x.wav"), ""),
        (lambda row: Fields(question="q", choices=["a", "b"], answer="c", audio="x.wav"), ""),
        (lambda row: Fields(question="q", choices=["a", "b"], answer="a", audio="/etc/passwd"), ""),
        (lambda row: Fields(question="q", choices=["a", "b"], answer="a", audio=3.5), ""),
    ],
)
def test_what_a_source_gives_is_checked(tmp_path: Path, fields: Any, says: str) -> None:
    items = quiz(fields, tmp_path / "quiz.jsonl")
    assert (len(items), len(items.quarantined)) == (0, 4)
    assert all(says in bad.reason and "\n" not in str(bad) for bad in items.quarantined)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda seed, limit: 1 / 0, f"{HERE}:.*ZeroDivisionError"),
        (lambda seed, limit: None, "TypeError"),
        (lambda seed, limit: [7], "TypeError"),
        (lambda seed: [], "TypeError"),
    ],
)
def test_what_a_source_makes_is_checked(make: Any, says: str) -> None:
    register_source(Source(name="quiz", about="a quiz", fields=lambda row: row["q"], make=make))
    with pytest.raises(AudiocontribError, match=says) as error:
        ac.load_items("quiz")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Source(name="demo", about="", fields=lambda row: row), "registered twice"),
        (Source(name="a/b", about="", fields=lambda row: row), "needs a name"),
        (Source(name="my.csv", about="", fields=lambda row: row), "needs a name"),
        (Source(name="", about="", fields=lambda row: row), "needs a name"),
        (Source(name=7, about="", fields=lambda row: row), "needs a name"),  # type: ignore[arg-type]
        (Source(name="quiz", about=""), "say in fields what its rows mean"),
        ("quiz", "needs a name"),
        (None, "needs a name"),
    ],
)
def test_a_source_that_cannot_be_registered(source: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        register_source(source)
