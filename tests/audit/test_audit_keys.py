"""Faults of questions, options and keys: each is found where it is, and not where it is not."""

from __future__ import annotations

import pyarrow as pa
import pytest
from helpers.audited import innocent, table

from audiocontrib.audit import Settings, run_checks
from audiocontrib.audit.keys import FAULTS
from audiocontrib.items import QUARANTINE_SCHEMA

CASES = {
    "options equal under normalisation": (["Piano", "piano.", "drums"], ["piano", "drums", "flute"]),
    "near-duplicate options": (
        ["a man is speaking loudly", "a man is speaking loudl", "rain"],
        ["120 bpm", "130 bpm", "low, high", "high, low"],
    ),
    "an option within another": (["guitar", "bass guitar", "drums"], ["car", "cartoon", "drums"]),
    "all or none of the above": (["a dog", "a cat", "None of the above"], ["a dog", "above the roof", "all day"]),
    "options in different scripts": (["гитара", "piano", "drums"], ["café", "naïve", "drums"]),
    "very long text": (["x" * 1001, "y"], ["x" * 1000, "y"]),
}
"""Name -> options with the fault, and options without."""


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_found_where_it_is(name: str) -> None:
    fault, _ = FAULTS[name]
    bad, good = CASES[name]
    assert fault("What is heard?", bad)
    assert fault("What is heard?", good) is None


def test_the_question_that_tells() -> None:
    fault, _ = FAULTS["the question names one option only"]
    assert fault("Which guitar is it, the bass guitar?", ["bass guitar", "violin"])
    assert fault("Is it the violin or the guitar?", ["guitar", "violin"]) is None
    assert fault("Which is louder?", ["loud", "soft"]) is None


def test_every_fault_has_a_case() -> None:
    assert FAULTS.keys() == CASES.keys() | {"the question names one option only"}


def test_counts_and_examples() -> None:
    items = table(["?"] * 10, [CASES["an option within another"][0]] * 7 + [["a", "b", "c"]] * 3, [0] * 10)
    [row] = [r for r in run_checks(items, ["keys"]).findings.to_pylist() if r["check"] == "an option within another"]
    assert row["value"] == 0.7
    assert row["detail"].startswith("7 items, e.g. toy/00000 ('guitar' in 'bass guitar')")
    assert row["detail"].endswith("and 2 more")


def test_what_was_quarantined_and_collapsed_is_told() -> None:
    quarantine = pa.Table.from_pylist(
        [
            {
                "dataset": "toy",
                "file": "toy.json",
                "line": 7,
                "field": "answer",
                "reason": "'x' is not one of the choices",
            }
        ],
        schema=QUARANTINE_SCHEMA,
    )
    items = innocent(3)
    notes = pa.array([["identical choices collapsed: 'a'"], [], []], pa.list_(pa.string()))
    items = items.set_column(items.schema.get_field_index("notes"), "notes", notes)
    rows = {r["check"]: r for r in run_checks(items, ["keys"], Settings(quarantine=quarantine)).findings.to_pylist()}
    assert "toy.json:7 ('x' is not one of the choices)" in rows["quarantined at reading: answer"]["detail"]
    assert rows["quarantined at reading: answer"]["severity"] == "alarm"
    assert rows["identical choices collapsed"]["value"] == pytest.approx(1 / 3)
