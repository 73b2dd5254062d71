"""Rows: each bad one is one line of quarantine; embedded audio comes as a reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy
from helpers.manifests import ROWS, ids, lines, quarantined, row, write

from audiocontrib.errors import AudiocontribError, UsageError
from audiocontrib.sources import load_items

datasets = lazy("datasets")


def test_every_kind_of_bad_row_is_one_line_of_quarantine(tmp_path: Path) -> None:
    bad = {
        "question": [row(11, question=""), row(12, question=None)],
        "choices": [
            row(21, choices=[str(n) for n in range(27)], answer="1"),
            row(22, choices=["cat", "cat"]),
            row(23, choices="dog or cat"),
            row(24, choices=["cat", ""]),
            row(25, choices="[dog, cat"),
        ],
        "answer": [row(31, answer="horse"), row(32, answer=None)],
        "audio": [
            row(41, audio_path="../x.wav"),
            row(42, audio_path="a/../../x.wav"),
            row(43, audio_path="/etc/x.wav"),
            row(44, audio_path=""),
            row(45, audio_path="."),
            row(46, audio_path=5),
            row(47, audio_path="nul\0.wav"),
            row(48, audio_path={"array": [0.0], "sampling_rate": 1}),
            row(49, audio_path={"path": None, "bytes": None}),
        ],
        "id": [row(1)],
    }
    kinds, rows = zip(*[(kind, r) for kind, group in bad.items() for r in group], strict=True)
    items = load_items(str(write(tmp_path / "my.jsonl", lines(row(1), *rows, row(2, choices=["cat", "dog", "cat"])))))
    assert ids(items) == ["q1", "q2"]
    assert items[1].notes == ("identical choices collapsed: 'cat'",)
    assert quarantined(items) == [(line, kind) for line, kind in enumerate(kinds, start=2)]
    assert items.quarantined[-1].reason == "repeats; first seen at line 1"
    named = {q.item_id for q in items.quarantined if q.field in ("choices", "audio", "answer", "id")}
    assert "my/q31" in named
    assert items.quarantine.num_rows == len(rows)


def test_a_repeat_in_another_file_names_that_file(tmp_path: Path) -> None:
    write(tmp_path / "set" / "a.jsonl", lines(row(1)))
    write(tmp_path / "set" / "b.jsonl", lines(row(2), row(1)))
    (bad,) = load_items(str(tmp_path / "set")).quarantined
    assert bad.reason == f"repeats; first seen at line 1 of {tmp_path / 'set' / 'a.jsonl'}"


def test_embedded_audio_comes_as_a_reference(tmp_path: Path) -> None:
    clips = [
        {"bytes": b"RIFF1", "path": "x.wav"},
        {"bytes": b"RIFF2", "path": None},
        {"bytes": None, "path": "c/d.wav"},
    ]
    rows = [{k: v for k, v in row(n).items() if k != "audio_path"} | {"audio": clip} for n, clip in enumerate(clips)]
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, tmp_path / "my.parquet")
    saved = datasets.Dataset(table.slice(0, 2)).cast_column("audio", datasets.Audio(decode=False))
    assert isinstance(saved.features["audio"], datasets.Audio)
    saved.save_to_disk(tmp_path / "my")
    seen = {
        kind: [item.audio and (item.audio.data, item.audio.path) for item in load_items(str(tmp_path / kind))]
        for kind in ("my.parquet", "my")
    }
    assert seen["my.parquet"] == [(None, "my.parquet/1/audio"), (None, "my.parquet/2/audio"), (None, "c/d.wav")]
    assert seen["my"] == [(None, f"data-00000-of-00001.arrow/{n}/audio") for n in (1, 2)]


def test_rows_of_one_id_that_differ_are_all_quarantined(tmp_path: Path) -> None:
    """Which of them is meant is not known; the same row twice is one."""
    other = row(2, answer="dog")
    path = write(tmp_path / "my.jsonl", lines(row(1), row(2), row(1), other, row(3), row(2)))
    items = load_items(path)
    assert ids(items) == ["q1", "q3"]
    assert [(bad.line, bad.reason) for bad in items.quarantined] == [
        (3, "repeats; first seen at line 1"),
        (4, "is that of rows which differ; first seen at line 2"),
        (6, "is that of rows which differ; first seen at line 2"),
        (2, "is that of rows which differ; next at line 4"),
    ]
    assert {bad.field for bad in items.quarantined} == {"id"}


def test_ids_that_begin_anew_in_each_file_are_refused(tmp_path: Path) -> None:
    for name, first in (("train", 100), ("test", 200)):
        rows = [row(first + n, id=str(n)) for n in range(4)]
        write(tmp_path / f"{name}.jsonl", lines(*rows))
    with pytest.raises(
        AudiocontribError, match=r"the ids of .*test.jsonl begin anew in .*train.jsonl \('0' and 3 more\)"
    ):
        load_items(tmp_path)
    assert len(load_items(tmp_path, mapping={"id": "-"})) == 8
    # one row in two files is no restart: it is told by line
    write(tmp_path / "train.jsonl", lines(*(row(n) for n in range(4, 9)), row(3, id="2", question="Another?")))
    items = load_items(tmp_path)
    assert (len(items), len(items.quarantined)) == (8, 2)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('{"id": "a", "answer": "x", "answer": "y"}', "answer"),
        ('{"id": "a", "answer" : "x", "answer": "y"}', "answer"),
        ('{"id": "a", "q: it": 1, "q: it": 1, "choices": ["a", "b"]}', "q: it"),
        ('{"id": "a", "choices": {"A": "x", "B": "y", "A": "z"}}', "A"),
        ('{"id": "a", "more": [{"x": 1}, {"x": 1, "x": 2}]}', "x"),
    ],
)
def test_a_key_twice_in_an_object(line: str, key: str, tmp_path: Path) -> None:
    """Python keeps the last and says nothing."""
    told = [(2, "json", f"the key {key!r} is there twice")]
    for name, text in (
        ("my.jsonl", f"{json.dumps(row(1))}\n{line}\n"),
        ("my.json", f"[{json.dumps(row(1))},\n{line}]"),
    ):
        items = load_items(write(tmp_path / name, text))
        assert ids(items) == ["q1"]
        assert [(bad.line, bad.field, bad.reason) for bad in items.quarantined] == told


def test_keys_that_are_there_once_are_read_whatever_the_texts_hold(tmp_path: Path) -> None:
    odd = row(1, question='Who says "a": "b"?', level={"a": {"a": 1}, "b": [{"a": 2}, {"a": 3}]})
    items = load_items(write(tmp_path / "my.jsonl", lines(odd, json.dumps(row(2), indent=1).replace("\n", "\t"))))
    assert (ids(items), items.quarantined) == (["q1", "q2"], ())
    rows = ", ".join(f'"{key}": {json.dumps(row(n))}' for key, n in (("x", 1), ("y", 2), ("x", 3)))
    with pytest.raises(AudiocontribError, match=r"my\.json: the key 'x' is there twice"):
        load_items(write(tmp_path / "my.json", f"{{{rows}}}"))


def test_ids_that_repeat_on_one_line_are_seen(tmp_path: Path) -> None:
    items = load_items(str(write(tmp_path / "my.json", json.dumps([row(1), row(1), row(2)]))))
    assert ids(items) == ["q1", "q2"]
    assert items.quarantined[0].reason == "repeats; first seen at line 1"


def pro(number: int, **changes: Any) -> dict[str, Any]:
    return row(number, **{"category": "sound"} | changes)


def test_rows_of_another_kind_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = [pro(1), pro(2, category="open"), pro(3, audio_path=["a.wav", "b.wav"]), pro(4, category="open")]
    items = load_items("mmau-pro", data=write(tmp_path / "my.jsonl", lines(*rows)))
    assert (len(items), items.quarantined) == (1, ())
    assert items.origin["left_out"] == {
        "category 'open': not multiple choice": 2,
        "on several recordings at once": 1,
    }
    assert "left_out" not in load_items("mmau-pro", data=write(tmp_path / "good.jsonl", lines(pro(1)))).origin


def test_a_set_of_nothing_but_other_kinds_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "my.jsonl", lines(pro(1, category="open"), pro(2, category="open")))
    with pytest.raises(AudiocontribError, match=r"my.jsonl: every row is left out: category 'open': .* \(2\)$"):
        load_items("mmau-pro", data=path)


COMMIT = "cb33687ce4dc3dace4e203a2dd584fa46ae312da"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """A hub that has the same three rows under every name, at one commit; gives what it is asked for."""
    asked: list[tuple[str, str | None]] = []
    folder = tmp_path / "snapshots" / COMMIT
    write(folder / "data.jsonl", lines(*(r | {"modality": "sound"} for r in ROWS)))

    def snapshot_download(hub: str, *, revision: str | None = None, **options: Any) -> str:
        asked.append((hub, revision))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return asked


def test_the_commit_of_the_hub_is_recorded_and_names_no_item(hub: list[tuple[str, str | None]]) -> None:
    newest, named, pinned = (load_items("mmar", revision=revision) for revision in (None, "v2", COMMIT))
    assert [name for name, _ in hub] == ["BoJack/MMAR"] * 3
    assert [revision for _, revision in hub] == [None, "v2", COMMIT]
    assert all(items.origin["revision"] == COMMIT for items in (newest, named, pinned))
    assert newest[0].id == pinned[0].id == "mmar/q1"
    assert named[0].id == "mmar@v2/q1"
    assert newest.origin["hub"] == "BoJack/MMAR"
    assert newest[0].audio is not None
    assert str(newest[0].audio.root).endswith(COMMIT)


def test_a_hub_id_of_ones_own_is_read_with_a_mapping(hub: list[tuple[str, str | None]]) -> None:
    items = load_items("me/my-set", mapping={"question_type": "level"})
    assert hub == [("me/my-set", None)]
    assert ids(items) == ["q1", "q2", "q3"]
    assert (items[0].dataset, items[0].question_type) == ("my-set", "easy")
    assert (items.origin["hub"], items.origin["revision"]) == ("me/my-set", COMMIT)


@pytest.mark.parametrize("name", ["no-such-set", "a/b/c"])
def test_what_is_neither_a_name_nor_a_hub_id_is_not_asked_for(name: str, hub: list[tuple[str, str | None]]) -> None:
    with pytest.raises(UsageError, match="no data set is called"):
        load_items(name)
    assert hub == []


def test_an_archive_may_be_the_audio_root(tmp_path: Path) -> None:
    path = write(tmp_path / "my.jsonl", lines(row(1)))
    archive = write(tmp_path / "clips.zip", b"PK")
    assert load_items(str(path), audio_root=archive).origin["audio_root"] == str(archive)
    for wrong in (path, tmp_path / "none.zip"):
        with pytest.raises(UsageError, match=r"there is no such folder, \.zip or \.tar"):
            load_items(str(path), audio_root=wrong)


def test_progress_counts_rows_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "my.jsonl", lines(*ROWS))
    load_items(str(path))
    assert capsys.readouterr().err == ""
    assert ids(load_items(str(path), limit=2, progress=True)) == ["q1", "q2"]
    assert capsys.readouterr().out == ""
