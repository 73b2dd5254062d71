"""validate: what a data set holds, and every fault that is planted in it, is counted and named."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from helpers.manifests import lines, row, write
from helpers.sounds import encoded, tone
from hypothesis import given
from hypothesis import strategies as st

from audiocontrib.answers.options import read_options
from audiocontrib.audit import KINDS, LOOKS, TABLES, Validation, validate
from audiocontrib.audit.baselines import baselines
from audiocontrib.audit.options import OptionTable
from audiocontrib.audit.rows import equal_choices
from audiocontrib.cli import main
from audiocontrib.errors import UsageError
from audiocontrib.items import Clip, Items, make_item
from audiocontrib.sources import load_items
from audiocontrib.statistics import wilson

PATHS = {
    "fine": encoded(tone(2.0)),
    "stereo": encoded(np.stack([tone(1.0, 8000)] * 2, axis=1), 8000, "FLAC"),
    "silent": encoded(np.full(16000, 1e-5, dtype=np.float32), subtype="FLOAT"),
    "quiet": encoded(np.full(16000, 2e-4, dtype=np.float32), subtype="FLOAT"),
    "short": encoded(tone(0.05)),
    "broken": encoded(tone(1.0))[:1000],
    "text": b"no sound at all",
    "empty": b"",
}


def found(seen: Validation) -> dict[str, int]:
    """The findings that are there."""
    return {r["kind"]: r["n"] for r in seen.findings.to_pylist() if r["n"]}


def table(seen: Validation, name: str) -> list[dict[str, Any]]:
    return getattr(seen, name).to_pylist()


def asked(*questions: tuple[list[str], str | None], **more: Any) -> Items:
    """Items of these choices and answers."""
    return Items(
        make_item(
            dataset="t", own_id=str(n), question="?", choices=choices, answer=answer, has_key=answer is not None,
            audio=None, **more,
        )
        for n, (choices, answer) in enumerate(questions)
    )  # fmt: skip


def clips(folder: Path, names: list[str], **more: Any) -> Items:
    for name in names:
        if name in PATHS:
            write(folder / "clips" / f"{name}.wav", PATHS[name])
    rows = [row(n, audio_path=f"clips/{name}.wav", source_dataset=name[0], **more) for n, name in enumerate(names)]
    return load_items(str(write(folder / "my.jsonl", lines(*rows))))


def test_faults_of_rows_are_counted_with_an_example(tmp_path: Path) -> None:
    rows = [
        row(1),
        row(2, choices=["cat", "dog", "cat"]),
        row(3, choices=["cat", "dog", "dog"]),
        row(4, choices=["cat", "Dog", "dog."]),
        row(5, choices=["cat", "“Cat”", "dog"]),
        row(6, answer="horse"),
        row(7, answer="cow and 12 more"),
        row(1),
        row(8, question=""),
    ]
    seen = validate(load_items(str(write(tmp_path / "my.jsonl", lines(*rows)))), "no")
    assert seen.items == 5
    assert found(seen) == {
        "quarantined": 4, "repeated": 1, "collapsed": 2, "gold-collapsed": 1, "equal": 2, "gold-equal": 1
    }  # fmt: skip
    examples = {r["kind"]: r["example"] for r in table(seen, "findings")}
    assert examples["collapsed"] == examples["gold-collapsed"] == "my/q2: ['cat', 'dog', 'cat']"
    assert examples["equal"] == "my/q4: ['cat', 'Dog', 'dog.']"
    assert examples["gold-equal"] == "my/q5: ['cat', '“Cat”', 'dog']"
    assert examples["repeated"].endswith("my.jsonl:8: id: repeats; first seen at line 1 (my/q1)")
    groups = {(r["field"], r["n"]): r["reason"] for r in table(seen, "quarantined")}
    assert groups[("answer", 2)] == "… is not one of the choices […, …, …]"
    assert set(groups) == {("answer", 2), ("id", 1), ("question", 1)}
    assert seen.failures() == ["quarantined: 4 of 9 rows"]
    assert seen.failures(["equal", "missing"]) == ["equal: 2 of 5 items"]


def test_counts_by_source_type_split_and_options(tmp_path: Path) -> None:
    rows = [
        row(1, source_dataset="Clotho", question_type="sound"),
        row(2, source_dataset="Clotho", question_type="speech", choices=["cat", "dog", "cat"]),
        row(3, source_dataset="Tacos", question_type="sound", answer="dog"),
    ]
    seen = validate(load_items(str(write(tmp_path / "my.jsonl", lines(*rows)))), "no")
    counted = {(r["by"], r["value"]): r["items"] for r in table(seen, "counts")}
    assert counted == {
        ("source_dataset", "Clotho"): 2, ("source_dataset", "Tacos"): 1,
        ("question_type", "sound"): 2, ("question_type", "speech"): 1,
        ("split", ""): 3, ("options", "2"): 1, ("options", "3"): 2, ("options in the row", "3"): 3,
        ("place of the gold", "1"): 2, ("place of the gold", "2"): 1,
    }  # fmt: skip


def test_rows_left_out_and_items_without_a_key_are_told(tmp_path: Path) -> None:
    rows = [row(1, category="sound"), row(2, category="open")]
    seen = validate(load_items("mmau-pro", data=write(tmp_path / "my.jsonl", lines(*rows))), "no")
    assert found(seen) == {"left-out": 1}
    assert found(validate(asked((["a", "b"], None), (["a", "b"], "a")), "no")) == {"keyless": 1}
    assert found(validate(asked((["a", "b"], "a"), notes=["the order was made up"]), "no")) == {"noted": 1}


def test_baselines_by_hand() -> None:
    items = asked(
        (["long one", "b", "c"], "long one"),  # first, longest
        (["aa", "bb"], "bb"),  # both equally long and short: the first is taken, each counts half
        (["a", "bbbb", "c", "dddd"], "dddd"),  # last; longest is a tie of two
        (["aaa", "b", "cc"], "b"),  # shortest
        (["a", "b"], None),
    )
    rows = {r["strategy"]: r for r in baselines(items.table).to_pylist()}
    chance = (1 / 3 + 1 / 2 + 1 / 4 + 1 / 3) / 4
    assert {r["n"] for r in rows.values()} == {4}
    assert rows["uniform chance"]["accuracy"] == pytest.approx(chance)
    accuracy = {name: r["accuracy"] for name, r in rows.items()}
    assert accuracy["always option 1"] == 0.25
    assert accuracy["always option 2"] == 0.5
    assert accuracy["always option 4"] == 0.25
    assert "always option 3" not in accuracy
    assert accuracy["the last option"] == 0.5
    assert accuracy["the longest option"] == 0.25
    assert rows["the longest option"]["ties_shared"] == (1 + 0.5 + 0.5 + 0) / 4
    assert accuracy["the shortest option"] == 0.25
    assert rows["the shortest option"]["ties_shared"] == (0 + 0.5 + 0 + 1) / 4
    assert rows["always option 2"]["above_chance"] == pytest.approx(0.5 - chance)
    assert rows["always option 2"]["low"] == pytest.approx(wilson(2, 4).low)
    assert rows["uniform chance"]["low"] is None
    values = list(accuracy.values())
    assert values == sorted(values, reverse=True)


def test_chance_is_told_for_the_choices_as_published_too() -> None:
    rows = {r["strategy"]: r["accuracy"] for r in baselines(asked((["a", "b", "b", "b"], "a")).table).to_pylist()}
    assert (rows["uniform chance"], rows["uniform chance, choices as published"]) == (1 / 2, 1 / 4)


TRICKY = st.text(alphabet="aAbß\\{}<s>/_*`'\".,;:!?-+ \t\n\r“”ﬁ​ａ0()[]$|", max_size=8).filter(str.strip)


@given(st.lists(st.lists(TRICKY, min_size=2, max_size=5, unique=True), min_size=1, max_size=8))
def test_no_equal_choices_are_missed(listed: list[list[str]]) -> None:
    """The quick look passes over no item that the normaliser, asked about each, finds."""
    wanted = {n for n, c in enumerate(listed) if any(len(t) > 1 for t in read_options(c).texts.values())}
    items = asked(*((c, c[0]) for c in listed)).table
    assert set(equal_choices(items, OptionTable.of(items))) == wanted


def test_recordings_are_told_apart(tmp_path: Path) -> None:
    items = clips(tmp_path, [*PATHS, "missing", "fine"])
    seen = validate(items, "decode", workers=2)
    assert found(seen) == {"missing": 1, "unreadable": 3, "short": 1, "silent": 1}
    examples = {r["kind"]: r["example"] for r in table(seen, "findings")}
    assert examples["silent"].startswith("my/q2: clips/silent.wav: no sample above 0.0001")
    assert "clips/missing.wav: no such file" in examples["missing"]
    rows = {r["source_dataset"]: r for r in table(seen, "clips")}
    assert (rows["s"]["clips"], rows["s"]["short"], rows["s"]["silent"]) == (3, 1, 1)
    whole = rows["(all)"]
    assert (whole["clips"], whole["present"], whole["missing"]) == (9, 8, 1)
    assert whole["hours"] == pytest.approx((2 + 1 + 1 + 1) / 3600)
    quantiles = {r["quantile"]: r["seconds"] for r in table(seen, "lengths")}
    assert (quantiles["shortest"], quantiles["median"], quantiles["longest"]) == (1.0, 1.0, 2.0)
    formats = {(r["format"], r["rate"], r["channels"]): r["clips"] for r in table(seen, "formats")}
    assert formats == {("WAV FLOAT", 16000, 1): 2, ("WAV PCM_16", 16000, 1): 1, ("FLAC PCM_16", 8000, 2): 1}


def test_only_what_was_looked_for_is_said(tmp_path: Path) -> None:
    items = clips(tmp_path, [*PATHS, "missing"])
    kinds = {look: {r["kind"] for r in table(validate(items, look), "findings")} for look in LOOKS}
    audio = {"missing", "unreadable", "short", "silent"}
    assert {look: kinds[look] & audio for look in LOOKS} == {look: set(seen) for look, seen in LOOKS.items()}
    assert kinds["decode"] == set(KINDS)
    headers = validate(items, "headers")
    assert found(headers) == {"missing": 1, "unreadable": 3, "short": 1}
    assert table(headers, "clips")[-1]["silent"] is None
    present = validate(items, "present")
    assert found(present) == {"missing": 1}
    assert table(present, "clips")[-1] | {"source_dataset": ""} == {
        "source_dataset": "", "clips": 9, "present": 8, "missing": 1, "unreadable": None, "short": None,
        "silent": None, "hours": None,
    }  # fmt: skip
    assert len(validate(items, "no").clips) == 0


def test_clips_inside_archives_are_found_without_opening_them(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/1.wav", PATHS["fine"])
        archive.writestr("in/2.wav", b"no sound")
    write(tmp_path / "broken.zip", b"PK")
    rows = [row(n, audio_path=path) for n, path in enumerate(("a.zip/in/1.wav", "a.zip/in/2.wav", "a.zip/in/3.wav"))]
    items = load_items(str(write(tmp_path / "my.jsonl", lines(*rows, row(4, audio_path="broken.zip/1.wav")))))
    assert found(validate(items, "present")) == {"missing": 2}
    assert found(validate(items, "headers")) == {"missing": 1, "unreadable": 2}


def test_bytes_are_recordings_too() -> None:
    embedded = [Clip(data=PATHS["fine"]), Clip(data=PATHS["text"]), Clip(data=PATHS["fine"])]
    items = Items(
        make_item(dataset="t", own_id=str(n), question="?", choices=["a", "b"], answer="a", audio=clip)
        for n, clip in enumerate(embedded)
    )
    seen = validate(items, "headers")
    assert (found(seen), table(seen, "clips")[-1]["clips"]) == ({"unreadable": 1}, 2)


def test_nothing_but_quarantined_rows_is_validated_too(tmp_path: Path) -> None:
    seen = validate(load_items(str(write(tmp_path / "my.jsonl", lines(row(1, answer="?"))))), "decode")
    assert (seen.items, found(seen)) == (0, {"quarantined": 1})
    assert {name: len(getattr(seen, name)) for name in TABLES if name not in ("findings", "quarantined")} == {
        "counts": 0, "baselines": 0, "clips": 0, "lengths": 0, "formats": 0
    }  # fmt: skip
    assert json.loads(seen.to_json())["items"] == 0


def test_an_unknown_look_is_refused() -> None:
    with pytest.raises(UsageError, match="clips 'all': it is one of no, present, headers, decode"):
        validate(Items([]), "all")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments), "--quiet"])


def test_the_command_prints_all_tables_and_fails_on_what_cannot_be_asked(tmp_path: Path) -> None:
    clips(tmp_path, ["fine", "stereo", "short"])
    out = call("--dataset", tmp_path / "my.jsonl", "--clips", "decode")
    assert out.exit_code == 1
    assert out.stderr.strip() == "error: short: 1 of 3 clips"
    assert out.stdout.startswith("3 items of my\n")
    assert all(f"\n{name}: " in out.stdout for name in TABLES if name != "quarantined")
    assert "silent" not in out.stdout.split("counts:")[0]
    for more in (("never",), ("silent",)):
        assert call("--dataset", tmp_path / "my.jsonl", "--fail-on", *more).exit_code == 0
    assert call("--dataset", tmp_path / "my.jsonl", "--clips", "present").exit_code == 0


def test_formats_of_the_command(tmp_path: Path) -> None:
    clips(tmp_path, ["fine", "stereo"])
    whole = json.loads(call("--dataset", tmp_path / "my.jsonl", "--format", "json").stdout)
    assert whole["items"] == 2
    assert set(TABLES) < set(whole)
    rows = list(csv.DictReader(io.StringIO(call("--dataset", tmp_path / "my.jsonl", "--format", "csv").stdout)))
    assert {r["kind"] for r in rows} == set(KINDS) - {"silent"}
    one = call("--dataset", tmp_path / "my.jsonl", "--table", "formats", "--format", "json").stdout.splitlines()
    assert len(one) == 2


@pytest.mark.parametrize(
    ("content", "more", "code", "message"),
    [
        ("", (), 1, "it holds no rows"),
        (lines({"a": 1}), (), 2, "question: there is no column question or question_text"),
        (lines(row(1)), ("--map", "question=q"), 2, "there is no column 'q'"),
        (lines(row(1)), ("--map", "colour=q"), 2, "no field is called 'colour'"),
        (lines(row(1)), ("--map-file", "none.yaml"), 2, "none.yaml: no mapping can be read from it"),
        (lines(row(1)), ("--clips", "loud"), 2, "'loud' is not one of"),
        (lines(row(1)), ("--fail-on", "everything"), 2, "'everything' is not one of"),
        (lines(row(1)), ("--subset", "test"), 2, "no row belongs to the split 'test'"),
    ],
)
def test_errors_of_the_command(tmp_path: Path, content: str, more: tuple[str, ...], code: int, message: str) -> None:
    out = call("--dataset", write(tmp_path / "my.jsonl", content), *more)
    assert out.exit_code == code
    assert message in out.stderr
    assert len([line for line in out.stderr.splitlines() if line.lower().startswith("error: ")]) == 1
