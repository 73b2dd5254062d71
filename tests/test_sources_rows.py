"""Rows: each bad one is one line of quarantine; embedded audio comes as bytes."""

from __future__ import annotations

from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
from manifests import ids, lines, quarantined, row, write

from audiocontrib.sources import load_items


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


def test_embedded_audio_comes_as_bytes(tmp_path: Path) -> None:
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
    assert seen["my.parquet"] == [(b"RIFF1", "x.wav"), (b"RIFF2", None), (None, "c/d.wav")]
    assert seen["my"] == seen["my.parquet"][:2]
