"""Parts of recordings: heard, hashed, identified, stored and exported as what they are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from helpers.manifests import lines, row, write
from helpers.sounds import encoded

from audiocontrib.audio import RATE, Clip, decode, probe, stamp
from audiocontrib.errors import BadAudio, BadItem, UsageError
from audiocontrib.export.clips import Clips
from audiocontrib.items import ITEM_SCHEMA, Items, item_from_row, item_row, todays_items
from audiocontrib.sources import load_items
from audiocontrib.sources.describe import describe

NOISE = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
"""Three seconds."""


def table(folder: Path, *segments: dict[str, Any]) -> Path:
    write(folder / "a.wav", encoded(NOISE, subtype="FLOAT"))
    return write(folder / "my.jsonl", lines(*(row(n, audio_path="a.wav", **s) for n, s in enumerate(segments))))


def test_forty_segments_of_one_recording(tmp_path: Path) -> None:
    path = table(tmp_path, *({"start": n / 20, "end": n / 20 + 0.4} for n in range(40)))
    items = load_items(path, mapping={"id": "-"})
    sounds = [decode(item.audio) for item in items if item.audio]
    assert len({sound.sha256 for sound in sounds}) == len({item.id for item in items}) == 40
    assert {round(sound.seconds, 3) for sound in sounds} == {0.4}
    assert len({stamp(item.audio) for item in items if item.audio}) == len({item.clip_id for item in items}) == 40
    third = items[3].audio
    assert third is not None
    assert (str(third), items[3].clip_id) == ("a.wav#t=0.15,0.55", "a.wav#t=0.15,0.55")
    np.testing.assert_array_equal(decode(third).samples, NOISE[2400:8800])
    assert probe(third).seconds == pytest.approx(0.4)


COLUMNS: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"start": 1, "end": 2}, {}, "#t=1,2"),
    ({"start": "1.0", "end": "2.5"}, {}, "#t=1,2.5"),
    ({"start_time": 1, "end_time": 2}, {}, "#t=1,2"),
    ({"offset": 1, "duration": 0.5}, {}, "#t=1,1.5"),
    ({"onset": 1, "offset": 2}, {}, "#t=1,2"),
    ({"onset": 1, "duration": 1}, {}, "#t=1,2"),
    ({"segment_start": 1, "segment_end": 2}, {}, "#t=1,2"),
    ({"start": 1, "end": 2, "duration": 3}, {}, "#t=1,2"),
    ({"start_s": 0, "end_s": 0.5}, {}, "#t=0,0.5"),
    ({"from": 1, "to": 2}, {"start": "from", "end": "to"}, "#t=1,2"),
    ({"from": 1}, {"start": "from"}, "#t=1"),
    ({"duration": 3}, {}, ""),
    ({"start": 1, "end": 2}, {"start": "-"}, ""),
    ({"start": None, "end": None}, {}, ""),
]


@pytest.mark.parametrize(("cells", "mapping", "segment"), COLUMNS, ids=str)
def test_the_columns_that_say_a_segment(
    cells: dict[str, Any], mapping: dict[str, str], segment: str, tmp_path: Path
) -> None:
    path = table(tmp_path, cells)
    (item,) = load_items(path, mapping=mapping)
    assert item.audio is not None
    assert item.audio.segment == segment
    assert describe(path, mapping=mapping).shown[0].audio == item.audio
    used = (
        ()
        if (not segment and "duration" in cells) or mapping.get("start") == "-"
        else [c for c in cells if c != "duration" or "end" not in cells]
    )
    assert set(item.extra) == {"level", *cells} - set(used)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"start": 2, "end": 1}, "end"),
        ({"start": 1, "end": 1}, "end"),
        ({"start": -1, "end": 1}, "start"),
        ({"start": "00:01", "end": "00:02"}, "start"),
        ({"start": True, "end": 2}, "start"),
        ({"start": 1, "end": None}, "end"),
        ({"start": 1, "duration": 0}, "end"),
        ({"start": 1e400, "end": 2}, "start"),
        ({"start_ms": 100, "end_ms": 200}, "start"),
        ({"start": 1}, "start"),
        ({"end": 1}, "start"),
        ({"offset": 1}, "start"),
    ],
    ids=str,
)
def test_what_is_no_segment_is_told_and_never_the_whole(cells: dict[str, Any], field: str, tmp_path: Path) -> None:
    items = load_items(table(tmp_path, {"level": "hard"}, cells))
    assert len(items) == 1
    (bad,) = items.quarantined
    assert (bad.line, bad.field) == (2, field)


def test_a_segment_behind_the_end_is_refused(tmp_path: Path) -> None:
    table(tmp_path)
    root = str(tmp_path)
    assert decode(Clip("a.wav", root, start=2.5, end=3.005)).seconds == pytest.approx(0.5)  # rounded in the table
    for start, end in ((2.5, 3.2), (3.0, 3.1), (30.0, 40.0), (2.95, None), (4.0, None)):
        with pytest.raises(BadAudio, match=r"does not lie in it|too short"):
            decode(Clip("a.wav", root, start=start, end=end))
        with pytest.raises(BadAudio, match=r"does not lie in it|too short"):
            probe(Clip("a.wav", root, start=start, end=end))


@pytest.mark.parametrize(("form", "subtype"), [("FLAC", None), ("OGG", "VORBIS"), ("MP3", None)])
def test_segments_in_every_format_and_rate(form: str, subtype: str | None, tmp_path: Path) -> None:
    rate = 44_100
    sweep = (0.3 * np.sin(2 * np.pi * 200 * np.arange(2 * rate) / rate * (1 + np.arange(2 * rate) / rate))).astype("f4")
    data = encoded(sweep, rate, form, subtype)
    whole, part = decode(Clip(data=data)).samples, decode(Clip(data=data, start=0.5, end=1.25)).samples
    assert len(part) == 12_000
    inner = slice(200, -200)  # where the resampler sees the same neighbours
    np.testing.assert_allclose(part[inner], whole[8000:20_000][inner], atol=2e-3)


def test_items_of_older_runs_are_whole_recordings(tmp_path: Path) -> None:
    (item,) = load_items(table(tmp_path, {"start": 1, "end": 2}))
    assert item_from_row(item_row(item), str(tmp_path)).audio == item.audio
    old = ITEM_SCHEMA.field("audio").with_type(pa.struct([("path", pa.string()), ("bytes", pa.binary())]))
    schema = ITEM_SCHEMA.set(ITEM_SCHEMA.get_field_index("audio"), old)
    rows = [item_row(item) | {"audio": {"path": "a.wav", "bytes": None}}, item_row(item) | {"audio": None}]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), tmp_path / "items.parquet")
    (batch,) = pq.ParquetFile(tmp_path / "items.parquet").iter_batches()
    table_now = pa.Table.from_batches([todays_items(batch)], schema=ITEM_SCHEMA)
    first, second = (item_from_row(one, str(tmp_path)).audio for one in table_now.to_pylist())
    assert first == Clip("a.wav", str(tmp_path))
    assert second is None


def test_an_item_checks_its_segment() -> None:
    from audiocontrib.items import Item

    for start, end in ((-1, None), (2, 1), (float("nan"), 1), ("1", 2)):
        with pytest.raises(BadItem):
            Item("my/1", "my", "Which?", ("a", "b"), 0, Clip("a.wav", "/", start=start, end=end))  # type: ignore[arg-type]


def test_exports_cut_the_clip(tmp_path: Path) -> None:
    items = load_items(table(tmp_path, {"start": 1, "end": 2}, {"start": 1, "end": 2}, {"start": 1.5, "end": 2}))
    copies = Clips("copy", tmp_path / "out", None)
    names = [copies(item) for item in items]
    assert names[0] == names[1] != names[2]
    samples, rate = soundfile.read(tmp_path / "out" / names[0], dtype="float32")
    assert rate == RATE
    np.testing.assert_array_equal(samples, NOISE[RATE : 2 * RATE])
    with pytest.raises(UsageError, match="let the export copy clips"):
        Clips("absolute", tmp_path / "out", None)(items[0])
    embedded = Clips("embed", tmp_path / "out", bytes)(items[2])
    assert decode(Clip(data=embedded)).seconds == pytest.approx(0.5)


def test_two_clips_that_share_a_clip_id_are_heard_apart(tmp_path: Path) -> None:
    """As where the recording's name is mapped to clip_id, so that intervals are clustered by it."""
    import audiocontrib as ac

    path = table(tmp_path, {"start": 0, "end": 1, "rec": "r"}, {"start": 1, "end": 2, "rec": "r"})
    items: Items = load_items(path, mapping={"clip_id": "rec"})
    run = ac.score(items, ac.load_model("mock"), conditions=["audio"], run=tmp_path / "run")
    heard = run.query("select distinct audio_sha256, audio_seconds from responses")
    assert len(heard) == 2
    assert set(heard["audio_seconds"]) == {1.0}


def test_a_csv_of_segments(tmp_path: Path) -> None:
    table(tmp_path)
    with (tmp_path / "my.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["audio", "start", "end", "question", "A", "B", "answer"], ["a.wav", "0.5", "1.5", "?", "x", "y", "B"]]
        )
    found = describe(tmp_path / "my.csv")
    assert (found.proposal.mapping["start"], found.proposal.mapping["end"]) == ("start", "end")
