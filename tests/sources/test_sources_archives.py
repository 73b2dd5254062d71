"""Data sets that carry their audio: WebDataset tars, Parquet and Arrow; the audio is named, not loaded."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy
from helpers.manifests import ids, lines, quarantined, row, write
from helpers.sounds import encoded, tone

from audiocontrib.audio import decode
from audiocontrib.errors import AudiocontribError
from audiocontrib.items import Clip
from audiocontrib.sources import load_items
from audiocontrib.sources.base import SourceRow
from audiocontrib.sources.files import read_rows
from audiocontrib.sources.jsonfiles import MAX_LINE

datasets = lazy("datasets")

WAVS = [encoded(tone(0.2 + n / 10)) for n in range(4)]


def question(number: int, **changes: Any) -> dict[str, Any]:
    return {k: v for k, v in row(number).items() if k not in ("id", "audio_path")} | changes


def shard(path: Path, members: dict[str, bytes | dict[str, Any]]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return path


def sample(key: str, number: int, ending: str = "wav", **changes: Any) -> dict[str, bytes | dict[str, Any]]:
    return {f"{key}.json": question(number, **changes), f"{key}.{ending}": WAVS[number]}


def test_shards_of_a_folder_are_one_data_set(tmp_path: Path) -> None:
    folder = tmp_path / "my"
    folder.mkdir()
    shard(folder / "train-00000-of-00002.tar", sample("a/000", 0) | sample("a/001", 1, "seg.WAV"))
    shard(folder / "train-00001-of-00002.tar", sample("./b/002", 2, id="own"))
    items = load_items(str(folder))
    assert items.quarantined == ()
    assert [item.id for item in items] == ["my/a/000", "my/a/001", "my/own"]
    assert {item.split for item in items} == {"train"}
    assert [item.audio for item in items] == [
        Clip("train-00000-of-00002.tar/a/000.wav", str(folder)),
        Clip("train-00000-of-00002.tar/a/001.seg.WAV", str(folder)),
        Clip("train-00001-of-00002.tar/b/002.wav", str(folder)),
    ]
    assert dict(items[0].extra) == {"level": "easy"}
    for item, raw in zip(items, WAVS, strict=False):
        assert item.audio is not None
        assert decode(item.audio) == decode(Clip(data=raw))


def test_one_shard_can_be_named(tmp_path: Path) -> None:
    items = load_items(str(shard(tmp_path / "my.tar", sample("k", 1))))
    assert [item.id for item in items] == ["my/k"]
    assert items[0].audio == Clip("my.tar/k.wav", str(tmp_path))


def test_columns_of_the_json_that_name_audio_are_kept_beside(tmp_path: Path) -> None:
    members = sample("k", 1, audio="orig.wav", audio_path="/data/orig.wav")
    (item,) = load_items(str(shard(tmp_path / "my.tar", members)))
    assert item.audio == Clip("my.tar/k.wav", str(tmp_path))
    assert dict(item.extra) == {"level": "easy", "json.audio": "orig.wav", "json.audio_path": "/data/orig.wav"}


def test_samples_that_are_no_row_are_quarantined_and_the_rest_is_read(tmp_path: Path) -> None:
    members = (
        {"1.wav": WAVS[0], "2.json": question(2), "3.json": b"{", "3.wav": WAVS[0], "4.json": b" ", "4.wav": WAVS[0]}
        | {"5.json": b"[1]", "5.flac": WAVS[0], "6.json": question(6, answer="?"), "6.wav": WAVS[0]}
        | {"7.json": b'{"a": "' + b"x" * MAX_LINE + b'"}', "7.wav": WAVS[0]}
        | sample("8", 2)
    )
    items = load_items(str(shard(tmp_path / "my.tar", members)))
    assert ids(items) == ["8"]
    assert quarantined(items) == [
        (1, "json"), (2, "audio"), (3, "json"), (4, "json"), (5, "json"), (6, "answer"), (7, "json"),
    ]  # fmt: skip
    assert items.quarantined[0].reason == "the sample '1' has .wav, but no json"
    assert items.quarantined[1].reason == "the sample '2' has .json, but no audio"


def test_samples_of_texts_without_a_json(tmp_path: Path) -> None:
    texts = {"question.txt": "Which one?", "choices": '["dog", "cat"]', "answer.txt": "cat\n"}
    members = {f"{n}.{ending}": text.encode() for n in range(2) for ending, text in texts.items()}
    shard(tmp_path / "a.tar", members | {"0.wav": WAVS[0], "1.flac": WAVS[1], "1.npy": b"\xff\xfe"})
    items = load_items(tmp_path)
    assert (ids(items), items.quarantined) == (["0", "1"], ())
    assert [(item.choices, item.answer) for item in items] == [(("dog", "cat"), 1)] * 2
    assert decode(items[0].audio or Clip()).seconds == pytest.approx(0.2)


def test_never_one_of_several_members(tmp_path: Path) -> None:
    """A name twice, two recordings of one key; the rest is read."""
    wav = encoded(tone(0.2))
    path = shard(tmp_path / "a.tar", sample("0", 0) | {"1.json": question(1), "1.left.wav": wav, "1.right.wav": wav})
    with tarfile.open(path, "a") as tar:
        for name, content in {
            "0.json": json.dumps(question(7)).encode(),
            **{f"2.{e}": wav for e in ("wav", "flac")},
        }.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    shard(tmp_path / "b.tar", sample("5", 3))
    items = load_items(tmp_path)
    assert ids(items) == ["5"]
    assert [(bad.line, bad.field, bad.reason) for bad in items.quarantined] == [
        (1, "tar", "the sample '0': '0.json' is there twice; an item has one"),
        (2, "tar", "the sample '1': has 2 recordings; an item has one"),
        (3, "tar", "the sample '2': has 2 recordings; an item has one"),
    ]


def test_a_shard_that_breaks_off_says_so(tmp_path: Path) -> None:
    path = shard(tmp_path / "my.tar", sample("1", 1) | sample("2", 2))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"2.wav") + 700])
    items = load_items(str(path))
    assert ids(items) == ["1", "2"]
    assert quarantined(items) == [(3, "tar")]
    with pytest.raises(AudiocontribError, match="truncated"):
        decode(items[1].audio)
    path.write_bytes(whole[: whole.rindex(b"2.wav") + 100])
    items = load_items(str(path))
    assert ids(items) == ["1"]
    assert quarantined(items) == [(2, "audio"), (3, "tar")]
    at = whole.rindex(b"2.wav")
    path.write_bytes(whole[:at] + b"?" + whole[at + 1 :])  # the header's checksum is now wrong
    items = load_items(str(path))
    assert ids(items) == ["1"]
    assert quarantined(items) == [(2, "audio"), (3, "tar")]


def test_tars_of_audio_alone_are_no_manifests(tmp_path: Path) -> None:
    write(tmp_path / "my" / "data.jsonl", lines(row(1, audio_path="clips.tar/clips/1.wav")))
    shard(tmp_path / "my" / "clips.tar", {"clips/meta.json": b"{}", "clips/1.wav": WAVS[1]})
    write(tmp_path / "my" / "broken.tar", b"no tar")
    (item,) = load_items(str(tmp_path / "my"))
    assert item.audio is not None
    assert decode(item.audio) == decode(Clip(data=WAVS[1]))
    shard(tmp_path / "only.tar", {"1.wav": WAVS[1]})
    for name, reason in (
        ("only.tar", "no sample in it has a .json"),
        ("my/broken.tar", "not a whole uncompressed tar"),
    ):
        with pytest.raises(AudiocontribError, match=reason) as caught:
            load_items(str(tmp_path / name))
        assert "\n" not in str(caught.value)


def embedded(wavs: list[bytes | None], column: str = "audio", **changes: Any) -> list[dict[str, Any]]:
    return [question(n, **changes) | {column: {"bytes": raw, "path": "a.wav"}} for n, raw in enumerate(wavs)]


def test_audio_inside_tables_is_named_and_heard(tmp_path: Path) -> None:
    rows = embedded([WAVS[0], WAVS[1], WAVS[0], None])
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "my.parquet", row_group_size=2)
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "my")
    plain = [question(n) | {"audio": raw} for n, raw in enumerate(WAVS)]
    pq.write_table(pa.Table.from_pylist(plain), tmp_path / "plain.parquet")
    for name, place in (("my.parquet", "my.parquet"), ("my", "data-00000-of-00001.arrow")):
        items = load_items(str(tmp_path / name))
        assert [item.audio and item.audio.path for item in items] == [
            f"{place}/1/audio", f"{place}/2/audio", f"{place}/3/audio", "a.wav",
        ]  # fmt: skip
        assert all(item.audio is not None and item.audio.data is None for item in items)
        for item, raw in zip(items, (WAVS[0], WAVS[1], WAVS[0]), strict=False):
            assert item.audio is not None
            assert decode(item.audio) == decode(Clip(data=raw))
        clips = [item.clip_id for item in items]
        assert clips[0] == clips[2] != clips[1]
        assert clips[3] == "a.wav"
        assert all(clip.startswith("sha256:") for clip in clips[:3])
    (first, *_) = load_items(str(tmp_path / "plain.parquet"))
    assert first.audio == Clip("plain.parquet/1/audio", str(tmp_path))
    assert dict(first.extra) == {"level": "easy"}


def test_ids_made_of_the_content_do_not_depend_on_the_place_of_a_row(tmp_path: Path) -> None:
    rows = embedded(list(WAVS))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "my.parquet")
    forward = {item.question: item.id for item in load_items(str(tmp_path / "my.parquet"))}
    pq.write_table(pa.Table.from_pylist(rows[::-1]), tmp_path / "my.parquet")
    assert {item.question: item.id for item in load_items(str(tmp_path / "my.parquet"))} == forward
    assert len(set(forward.values())) == len(WAVS)


def test_a_clip_id_of_the_data_set_is_kept(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(embedded(list(WAVS), clip_id="c")), tmp_path / "my.parquet")
    assert {item.clip_id for item in load_items(str(tmp_path / "my.parquet"))} == {"c"}


def test_the_audio_is_told_from_other_files_in_a_row(tmp_path: Path) -> None:
    rows = [r | {"cover": {"bytes": b"PNG", "path": None}} for r in embedded([WAVS[0], WAVS[1]])]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "my.parquet")
    items = load_items(str(tmp_path / "my.parquet"))
    assert len({item.clip_id for item in items}) == 2
    assert dict(items[1].extra) == {"level": "easy", "cover": f"{tmp_path}/my.parquet/2/cover"}


def test_rows_with_audio_are_read_a_row_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiocontrib.sources.files.BATCH_BYTES", 2**20)
    rows = [question(n) | {"audio": bytes([n]) * 500_000} for n in range(60)]
    pq.write_table(
        pa.Table.from_pylist(rows), tmp_path / "my.parquet", row_group_size=4, compression="none", use_dictionary=False
    )
    before, peak = pa.total_allocated_bytes(), 0
    for read in read_rows(tmp_path / "my.parquet"):
        assert isinstance(read, SourceRow)
        assert read.values["audio"] == f"{tmp_path}/my.parquet/{read.line}/audio"
        peak = max(peak, pa.total_allocated_bytes() - before)
    assert read.line == 60
    assert peak < 10e6  # of 30
