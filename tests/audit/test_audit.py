"""The audit as a whole: what it finds, what it leaves alone, and what it says of sets that are too small."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from helpers.audited import ARTEFACTS, innocent, planted, table

from audiocontrib.audit import CHECKS, Settings, run_checks
from audiocontrib.audit.base import SEVERITIES
from audiocontrib.errors import AudiocontribError, UsageError

TESTS = ["probes", "surface", "places"]


def alarms(items: pa.Table, checks: list[str] = TESTS) -> list[str]:
    found = run_checks(items, checks).findings.to_pylist()
    return [row["check"] for row in found if row["severity"] == "alarm"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ARTEFACTS)
def test_a_planted_artefact_is_detected(name: str) -> None:
    change, check = ARTEFACTS[name]
    assert check in alarms(planted(1000, change, share=0.25))


@pytest.mark.slow
def test_label_permuted_sets_raise_no_alarm() -> None:
    """Marks of all kinds are there, but the gold is drawn anew: at most 2 of 40 sets raise an alarm."""
    marked = planted(160, ARTEFACTS["gold has a word of its own"][0], share=0.5)
    place, loud = marked.schema.get_field_index("answer"), 0
    for seed in range(40):
        gold = np.random.default_rng(seed).integers(4, size=len(marked))
        loud += bool(alarms(marked.set_column(place, "answer", pa.array(gold, pa.int16()))))
    assert loud <= 2


@pytest.mark.slow
def test_scores_join_the_items() -> None:
    change, _ = ARTEFACTS["gold has a word of its own"]
    items = planted(300, change, share=0.5)
    scores = run_checks(items, ["probes", "aflite"]).scores
    assert scores["item_id"].to_pylist() == sorted(items["item_id"].to_pylist())
    assert {"text_options", "text_question", "text_both", "aflite"} < set(scores.column_names)
    marked = np.array(["zarquon" in row["choices"][row["answer"]] for row in items.to_pylist()])
    p, predictable = (scores[name].to_numpy() for name in ("text_options", "aflite"))
    assert p[marked].mean() > 0.6 > 0.4 > p[~marked].mean()
    assert np.nanmean(predictable[marked]) > 0.9


@pytest.mark.slow
def test_the_features_name_the_word_that_gives_the_gold_away() -> None:
    change, _ = ARTEFACTS["gold has a word of its own"]
    features = run_checks(planted(300, change, share=0.5), ["probes"]).features.to_pylist()
    [word] = [row for row in features if row["probe"] == "options" and row["feature"] == "zarquon"]
    assert word["weight"] > 1
    assert word["gold_share"] == 1.0
    assert word["example"].startswith("toy/")


def test_the_order_of_rows_and_options_changes_nothing_for_the_surface() -> None:
    items = planted(200, ARTEFACTS["gold is longer"][0], share=0.3)
    rows = items.to_pylist()
    turned = [
        row | {"choices": row["choices"][::-1], "answer": len(row["choices"]) - 1 - row["answer"]} for row in rows[::-1]
    ]
    a = run_checks(items, ["surface"]).findings.to_pylist()
    b = run_checks(pa.Table.from_pylist(turned, schema=items.schema), ["surface"]).findings.to_pylist()
    assert a == b


@pytest.mark.parametrize("n", [1, 3, 19])
def test_a_tiny_set_is_told_in_words(n: int) -> None:
    seen = run_checks(innocent(n))
    [row] = [r for r in seen.findings.to_pylist() if r["check"] == "text-only classifiers"]
    assert "classifiers need 50 on 10" in row["detail"]
    assert row["value"] is None
    assert json.loads(seen.to_json())["worst"] == "note"


def test_sets_of_one_kind_and_texts_without_words() -> None:
    same = table(["?"] * 60, [["!", "..."]] * 60, [0] * 60)
    assert "gold in the most frequent place" in alarms(same)
    assert run_checks(same).worst == "alarm"
    keyless = innocent(60)
    keyless = keyless.set_column(keyless.schema.get_field_index("answer"), "answer", pa.nulls(60, pa.int16()))
    checks = {row["check"]: row for row in run_checks(keyless).findings.to_pylist()}
    assert checks["no answer key"]["value"] == 1.0
    one_clip = innocent(60, per_clip=60)
    assert run_checks(one_clip, ["probes"]).findings["value"].to_pylist() == [None]


def test_errors_are_one_line() -> None:
    with pytest.raises(AudiocontribError, match="no items"):
        run_checks(innocent(3).slice(0, 0))
    with pytest.raises(UsageError, match="no check is called"):
        run_checks(innocent(3), ["probe"])


def test_every_check_takes_any_set() -> None:
    items = innocent(30, sizes=(2, 3, 4))
    for name, check in CHECKS.items():
        given = check(items, Settings())
        assert all(f.severity in SEVERITIES for f in given.findings), name


def test_large_sets_are_sampled_by_clip() -> None:
    items = innocent(400, per_clip=4)
    seen = run_checks(items, ["probes"], Settings(max_items=100))
    scored = seen.scores.filter(seen.scores["text_both"].is_valid())["item_id"].to_pylist()
    assert 90 <= len(scored) <= 100
    clips = dict(zip(items["item_id"].to_pylist(), items["clip_id"].to_pylist(), strict=True))
    assert len({clips[i] for i in scored}) == len(scored) / 4  # clips are whole
