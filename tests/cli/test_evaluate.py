"""evaluate: accuracy beside what needs no listening, and the change from a baseline, item by item."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy
from click.testing import CliRunner
from helpers.lazy import lazy

import audiocontrib as ac
from audiocontrib.cli import main
from audiocontrib.contribution.summary import summary
from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.evaluation import CHANGE_SCHEMA, EVALUATION_SCHEMA, compare, evaluate
from audiocontrib.importing import import_responses
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.statistics import mean_by_clip
from audiocontrib.store import Run

contingency_tables = lazy("statsmodels.stats.contingency_tables")


def items(n: int, dataset: str = "bench", per_clip: int = 1) -> Items:
    made = [
        make_item(
            dataset=dataset, own_id=f"{i:05d}", question="Which?", choices=["a", "b", "c", "d"],
            answer="a" if i % 2 else "b", audio=Clip(f"{i // per_clip}.wav"), question_type=("sound", "music")[i % 2],
        )
        for i in range(n)
    ]  # fmt: skip
    return Items(made, origin={"name": dataset})


def run_of(
    folder: Path, right: dict[str, list[bool]], model: str = "m", dataset: str = "bench", per_clip: int = 1
) -> Run:
    """A run of one model that is right where it is told to be, by condition."""
    asked = items(len(next(iter(right.values()))), dataset, per_clip)
    folder.mkdir(exist_ok=True)
    rows = [
        {"item_id": item.id, "model": model, "condition": condition, "choice": item.answer if ok else 3}
        for condition, column in right.items()
        for item, ok in zip(asked, column, strict=True)
    ]
    path = folder / f"{model}-{dataset}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return import_responses(path, folder / f"run-{model}-{dataset}", asked, choice_as="index").run


def test_the_published_example_of_mcnemar(tmp_path: Path) -> None:
    # 1,607 items, 130 fixes and 108 regressions: published as a gain of 1.37 points (65.90 to 67.27 %)
    n, fixed, broken, right_before = 1607, 130, 108, 1059
    before = [i < right_before for i in range(n)]
    after = [(i >= broken) if i < right_before else (i < right_before + fixed) for i in range(n)]
    table = compare([run_of(tmp_path / "a", {"audio": after})], [run_of(tmp_path / "b", {"audio": before})])
    assert table.schema == CHANGE_SCHEMA
    [row] = table.to_pylist()
    assert (row["fixed"], row["broken"], row["n"]) == (fixed, broken, n)
    assert row["before"] == pytest.approx(0.6590, abs=5e-5)
    assert row["now"] == pytest.approx(0.6727, abs=5e-5)
    assert row["mcnemar"] == pytest.approx(0.173, abs=5e-4)
    assert row["mcnemar"] == pytest.approx(contingency_tables.mcnemar([[0, fixed], [broken, 0]], exact=True).pvalue)
    assert row["low"] == pytest.approx(-0.005, abs=6e-4)
    assert row["high"] == pytest.approx(0.032, abs=6e-4)
    assert row["minimum_detectable"] == pytest.approx(0.027, abs=5e-4)


def test_accuracy_stands_beside_chance_and_the_best_constant(tmp_path: Path) -> None:
    right = [i % 5 < 3 for i in range(200)]
    run = run_of(tmp_path, {"audio": right, "silence": [i % 4 == 0 for i in range(200)]}, per_clip=4)
    table = evaluate([run], by="question_type")
    assert table.schema == EVALUATION_SCHEMA
    rows = {(r["part"], r["condition"]): r for r in table.to_pylist()}
    assert set(rows) == {(p, c) for p in ("all", "sound", "music") for c in ("audio", "silence")}
    whole = rows["all", "audio"]
    assert whole["accuracy"] == 0.6
    assert whole["chance"] == 0.25
    assert whole["chance_corrected"] == pytest.approx((0.6 - 0.25) / 0.75)
    # the gold is in two places, half and half; within a type it is always in the same one
    assert whole["constant"] == 0.5
    assert rows["sound", "audio"]["constant"] == 1.0
    assert rows["sound", "audio"]["constant_strategy"] == "always option 2"
    silence = rows["all", "silence"]
    assert silence["accuracy"] == 0.25
    for row, votes in ((whole, right), (silence, [i % 4 == 0 for i in range(200)])):
        found = mean_by_clip(np.array(votes, float), np.arange(200) // 4)
        assert (row["low"], row["high"]) == pytest.approx(found.interval())
        assert row["interval"] == found.kind


@pytest.mark.slow
def test_what_the_audio_adds_is_the_contribution_of_the_summary(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    right = {"audio": draw.random(200) < 0.8, "silence": draw.random(200) < 0.4}
    run = run_of(tmp_path, {name: column.tolist() for name, column in right.items()}, per_clip=4)
    rows = {(r["part"], r["condition"]): r for r in evaluate([run], by="question_type").to_pylist()}
    with run.connect() as con:
        groups = summary(con).to_pylist() + summary(con, by="question_type").to_pylist()
    for group in groups:
        row = rows[group.get("question_type", "all"), "silence"]
        for name in ("contribution", "contribution_low", "contribution_high"):
            assert row[name] == pytest.approx(group[name])
    whole = rows["all", "silence"]
    assert whole["contribution"] == pytest.approx(rows["all", "audio"]["chance_corrected"] - whole["chance_corrected"])
    assert rows["all", "audio"]["contribution"] is None
    with pytest.raises(UsageError, match="group them by something else"):
        evaluate([run], by="dataset")


def test_what_the_audio_adds_is_null_without_the_audio(tmp_path: Path) -> None:
    [row] = evaluate([run_of(tmp_path, {"silence": [True, False] * 10})]).to_pylist()
    assert (row["contribution"], row["accuracy"]) == (None, 0.5)


def test_parts_of_a_split(tmp_path: Path) -> None:
    silence = [i % 4 == 0 for i in range(200)]
    run = run_of(tmp_path, {"audio": [True] * 200, "silence": silence})
    split = ac.split(run, rule="votes", threshold=0.5)
    split.save(run.split_folder("mine"))
    rows = {(r["part"], r["condition"]): r for r in evaluate([run], split="mine").to_pylist()}
    assert rows["weak", "silence"]["accuracy"] == 1.0
    assert rows["weak", "silence"]["n"] == 50
    assert rows["strong", "silence"]["accuracy"] == 0.0
    assert rows["strong", "audio"]["n"] == 150
    with pytest.raises(UsageError, match="has no split 'other'; there are: mine"):
        evaluate([run], split="other")


@pytest.mark.slow
def test_did_it_listen_more(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    n = 600
    before = {"audio": draw.random(n) < 0.5, "silence": draw.random(n) < 0.4}
    listens = {"audio": draw.random(n) < 0.8, "silence": draw.random(n) < 0.4}
    shortcut = {"audio": draw.random(n) < 0.8, "silence": draw.random(n) < 0.7}
    old, new, blind = (
        run_of(tmp_path, {c: v.tolist() for c, v in given.items()}, model)
        for model, given in (("old", before), ("new", listens), ("blind", shortcut))
    )
    rows = {r["measure"]: r for r in compare([new], [old]).to_pylist()}
    assert rows["accuracy, audio"]["low"] > 0.2
    assert rows["accuracy, silence"]["low"] < 0 < rows["accuracy, silence"]["high"]
    added = rows["what the audio adds over silence"]
    assert (added["quantity"], added["condition"]) == ("audio gain", "silence")
    assert {r["condition"] for r in rows.values() if r["quantity"] == "accuracy"} == {"audio", "silence"}
    assert added["low"] > 0.15
    assert added["change"] == pytest.approx(rows["accuracy, audio"]["change"] - rows["accuracy, silence"]["change"])
    assert added["mcnemar"] is None
    # right with the audio instead of without it is a change by two: the mean square counts, not the share that changed
    d = (listens["audio"] * 1.0 - listens["silence"]) - (before["audio"] * 1.0 - before["silence"])
    assert (np.abs(d) == 2).any()
    z = scipy.stats.norm.ppf(0.975) + scipy.stats.norm.ppf(0.8)
    assert added["minimum_detectable"] == pytest.approx(z * np.sqrt((d**2).mean() / n), rel=0.01)
    rows = {r["measure"]: r for r in compare([blind], [old]).to_pylist()}
    assert rows["accuracy, audio"]["low"] > 0.2
    assert rows["what the audio adds over silence"]["low"] < 0 < rows["what the audio adds over silence"]["high"]


@pytest.mark.slow
def test_p_values_are_corrected_over_all_rows(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    sets = [("one", 0.62), ("two", 0.52)]
    new, old = (
        [
            run_of(
                tmp_path,
                {
                    "audio": (draw.random(300) < (gain if model == "new" else 0.5)).tolist(),
                    "silence": (draw.random(300) < 0.4).tolist(),
                },
                model,
                name,
            )
            for name, gain in sets
        ]
        for model in ("new", "old")
    )
    for runs, count in ((1, 3), (2, 6)):  # two accuracies and what the audio adds, of each set
        rows = compare(new[:runs], old[:runs], model="new", baseline_model="old").to_pylist()
        assert len(rows) == count
        ordered = sorted(rows, key=lambda row: row["p"])
        steps = [row["p"] * (count - place) for place, row in enumerate(ordered)]
        by_hand = [min(1, max(steps[: place + 1])) for place in range(count)]
        assert [row["p_holm"] for row in ordered] == pytest.approx(by_hand)


@pytest.mark.slow
def test_pairs_are_clustered_by_clip(tmp_path: Path) -> None:
    # ten questions on a clip rise and fall together: the interval must be wider than for single items
    blocks = np.repeat(np.random.default_rng(2).random(40) < 0.55, 10).tolist()
    alone, shared = (
        compare(
            [run_of(tmp_path / str(k), {"audio": blocks}, "new", per_clip=k)],
            [run_of(tmp_path / str(k), {"audio": [i % 2 == 0 for i in range(400)]}, "old", per_clip=k)],
        ).to_pylist()[0]
        for k in (1, 10)
    )
    assert shared["high"] - shared["low"] > 1.5 * (alone["high"] - alone["low"])


def test_it_is_said_which_model_is_not_clear_or_not_there(tmp_path: Path) -> None:
    both = ac.score(
        ac.load_items("demo", limit=6), ["mock:name=a", "mock:name=b"], ["text"], run=tmp_path / "r", progress=False
    )
    with pytest.raises(UsageError, match="say which model is meant; the runs hold: a, b"):
        compare([both], [both])
    with pytest.raises(UsageError, match="there is no baseline model 'c'; the runs hold: a, b"):
        compare([both], [both], model="a", baseline_model="c")
    other = run_of(tmp_path, {"audio": [True] * 5})
    with pytest.raises(AudiocontribError, match="answered no item in common"):
        compare([both], [other], model="a")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    new = run_of(tmp_path, {"audio": [True] * 30 + [False] * 10, "silence": [i % 3 == 0 for i in range(40)]}, "new")
    old = run_of(
        tmp_path, {"audio": [i % 2 == 0 for i in range(40)], "silence": [i % 3 == 1 for i in range(40)]}, "old_1"
    )

    def said(*words: str) -> tuple[str, str, int]:
        done = CliRunner().invoke(main, ["evaluate", *words])
        return done.stdout, done.stderr, done.exit_code

    table, words, code = said("--run", str(new.path), "--baseline", str(old.path), "--format", "json")
    assert code == 0, words
    assert len(table.splitlines()) == 3
    assert "bench: what the audio adds over silence: " in words
    markdown, _, code = said("--run", str(new.path), "--format", "markdown")
    assert code == 0
    assert markdown.splitlines()[0].startswith("| model | condition | n |")
    *table_lines, blank, caption = markdown.splitlines()
    assert (len(table_lines), blank) == (4, "")
    assert caption.startswith("bench: n = 40 questions; 95 % intervals by clip")
    latex, _, code = said("--run", str(old.path), "--format", "latex")
    assert code == 0
    assert r"old\_1" in latex
    assert sum(line.endswith(r" \\") for line in latex.splitlines()) == 3
    for wrong, words in (
        (["--run", str(new.path), "--model", "new"], "name the other run with --baseline"),
        (["--run", str(new.path), "--scorer", "mmau", "--by", "question_type"], "leave out --by"),
        (["--run", str(new.path), "--baseline", str(old.path), "--by", "question_type"], "--split tells parts apart"),
        (["--run", str(tmp_path / "none")], "is no run"),
    ):
        _, stderr, code = said(*wrong)
        assert code == 2
        assert words in stderr
        assert stderr.startswith("error: ")
