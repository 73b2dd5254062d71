"""Audio inside zip, tar, Parquet and Arrow files is read where it lies, and nothing else can be reached through it."""

from __future__ import annotations

import io
import multiprocessing
import os
import stat
import struct
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers.lazy import lazy
from helpers.sounds import encoded, tone

from audiocontrib.audio import RATE, archives, decode, probe
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip

datasets = lazy("datasets")

SOUNDS = {f"inner/{n}.wav": encoded(tone(0.2 + n / 10)) for n in range(3)}


def make_zip(path: Path, files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return path


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def make_parquet(path: Path, column: str = "audio", rows_of_a_group: int = 2) -> Path:
    cells = [{"bytes": raw, "path": name} for name, raw in SOUNDS.items()]
    pq.write_table(pa.table({column: cells}), path, row_group_size=rows_of_a_group)
    return path


def fault(path: str, root: Path) -> str:
    messages = set()
    for hear in (decode, probe):
        with pytest.raises(BadAudio) as caught:
            hear(Clip(path=path, root=str(root)))
        messages.add(str(caught.value))
    assert len(messages) == 1
    message = messages.pop()
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("name", ["speech.zip", "STORED.ZIP", "shard-000.tar", "sub/shard.tar"])
def test_a_path_may_run_through_an_archive(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".tar":
        make_tar(path, {f"./{n}": raw for n, raw in SOUNDS.items()})
    else:
        make_zip(path, SOUNDS, zipfile.ZIP_STORED if name.isupper() else zipfile.ZIP_DEFLATED)
    for member, raw in SOUNDS.items():
        sound = decode(Clip(path=f"{name}/{member}", root=str(tmp_path)))
        assert sound == decode(Clip(data=raw))
        assert sound == decode(Clip(path=member, root=str(path)))  # the root may be the archive itself
        assert probe(Clip(path=f"{name}/{member}", root=str(tmp_path))).seconds == sound.seconds
    assert fault(f"{name}/inner/9.wav", tmp_path) == "there is no such file in the archive"
    assert fault(f"{name}/inner", tmp_path) == "there is no such file in the archive"


def test_cells_of_tables_are_read_by_row_and_column(tmp_path: Path) -> None:
    make_parquet(tmp_path / "a.parquet", "audio")
    make_parquet(tmp_path / "b.parquet", "wav/of clip", rows_of_a_group=99)
    pq.write_table(pa.table({"raw": list(SOUNDS.values())}), tmp_path / "c.parquet")
    datasets.Dataset.from_list([{"audio": {"bytes": raw, "path": None}} for raw in SOUNDS.values()]).save_to_disk(
        tmp_path / "saved"
    )
    arrow = "saved/data-00000-of-00001.arrow/{}/audio"
    for place in ("a.parquet/{}/audio", "b.parquet/{}/wav/of clip", "c.parquet/{}/raw", arrow):
        for row, raw in enumerate(SOUNDS.values(), start=1):
            assert decode(Clip(path=place.format(row), root=str(tmp_path))) == decode(Clip(data=raw))
        assert fault(place.format(0), tmp_path) == "rows of a table are counted from 1"
        for row in ("4", "99999999999999999999"):
            assert fault(place.format(row), tmp_path) == "there is no such row and column in the table"
    for path in ("a.parquet/1/sound", "saved/data-00000-of-00001.arrow/1/sound"):
        assert fault(path, tmp_path) == "there is no such row and column in the table"
    for path in ("a.parquet/1", "a.parquet/-1/audio", "a.parquet/one/audio", "a.parquet/²/audio"):
        assert fault(path, tmp_path) == "a cell is called ROW/COLUMN, as in a.parquet/17/audio"
    pq.write_table(pa.table({"n": [1], "audio": [{"bytes": None, "path": "x.wav"}]}), tmp_path / "d.parquet")
    for path in ("d.parquet/1/n", "d.parquet/1/audio"):
        assert fault(path, tmp_path) == "the cell holds no bytes of a file"


def test_a_row_group_is_read_once_for_all_its_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_parquet(tmp_path / "a.parquet")
    opened: list[object] = []
    whole = pq.ParquetFile
    monkeypatch.setattr(pq, "ParquetFile", lambda *args, **kw: (opened.append(args), whole(*args, **kw))[1])
    for row in (1, 2, 2, 1, 3):
        decode(Clip(path=f"a.parquet/{row}/audio", root=str(tmp_path)))
    assert len(opened) == 2


def test_an_archive_that_changes_is_read_anew(tmp_path: Path) -> None:
    for make, name in ((make_zip, "a.zip"), (make_tar, "a.tar")):
        for seconds in (0.5, 1.0):
            make(tmp_path / name, {"x.wav": encoded(tone(seconds))})  # type: ignore[operator]
            os.utime(tmp_path / name, ns=(0, int(seconds * 1e9)))
            assert decode(Clip(path=f"{name}/x.wav", root=str(tmp_path))).seconds == seconds


def test_archives_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no zip")
    (tmp_path / "a.tar").write_bytes(b"no tar" * 1000)
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    (tmp_path / "a.arrow").write_bytes(b"no arrow")
    assert fault("a.zip/x.wav", tmp_path) == "cannot be read from the zip: File is not a zip file"
    assert fault("a.tar/x.wav", tmp_path).startswith("not a whole uncompressed tar: ")
    assert fault("a.parquet/1/audio", tmp_path).startswith("cannot be read from the table: ")
    assert fault("a.arrow/1/audio", tmp_path).startswith("cannot be read from the table: ")
    assert "no such file" in fault("none.zip/x.wav", tmp_path)
    make_tar(tmp_path / "b.tar.gz", SOUNDS, "w:gz")
    make_tar(tmp_path / "c.tar", SOUNDS, "w:gz")
    assert fault("b.tar.gz/inner/1.wav", tmp_path) == (
        "b.tar.gz is compressed as a whole; unpack it, or decompress it to a plain .tar"
    )
    assert fault("c.tar/inner/1.wav", tmp_path).startswith("not a whole uncompressed tar: ")


def test_a_tar_that_breaks_off_gives_what_it_has(tmp_path: Path) -> None:
    whole = make_tar(tmp_path / "a.tar", SOUNDS).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[: whole.index(SOUNDS["inner/1.wav"]) + 1000])
    assert decode(Clip(path="a.tar/inner/0.wav", root=str(tmp_path))).seconds == pytest.approx(0.2)
    size = len(SOUNDS["inner/1.wav"])
    assert fault("a.tar/inner/1.wav", tmp_path) == f"truncated: {size} bytes promised by the tar, 1000 found"


def test_damage_inside_a_zip_is_noticed(tmp_path: Path) -> None:
    noise = encoded(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32))
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raw = bytearray(make_zip(tmp_path / "a.zip", {"x.wav": noise}, how).read_bytes())
        raw[5000] ^= 0xFF
        (tmp_path / f"{how}.zip").write_bytes(raw)
        assert fault(f"{how}.zip/x.wav", tmp_path).startswith("cannot be read from the zip: ")


def test_names_that_lead_out_of_an_archive_cannot_be_asked_for(tmp_path: Path) -> None:
    root, wav = tmp_path / "root", SOUNDS["inner/1.wav"]
    root.mkdir()
    (tmp_path / "secret.wav").write_bytes(wav)
    names = ["../secret.wav", "/etc/secret.wav", "a/../../secret.wav", "..\\secret.wav", "good.wav"]
    make_zip(root / "a.zip", dict.fromkeys(names, wav))
    make_tar(root / "a.tar", dict.fromkeys(names, wav))
    for archive in ("a.zip", "a.tar"):
        assert decode(Clip(path=f"{archive}/good.wav", root=str(root))).seconds == pytest.approx(0.3)
        for name in (*names[:4], "../../secret.wav"):
            assert "no such file" in fault(f"{archive}/{name}", root) or "leads out" in fault(f"{archive}/{name}", root)


def test_links_are_not_followed(tmp_path: Path) -> None:
    root, wav = tmp_path / "root", SOUNDS["inner/1.wav"]
    root.mkdir()
    (tmp_path / "secret.wav").write_bytes(wav)
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("link.wav")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "../secret.wav")
    with tarfile.open(root / "a.tar", "w") as tar:
        for name, kind in (
            ("link.wav", tarfile.SYMTYPE),
            ("hard.wav", tarfile.LNKTYPE),
            ("pipe.wav", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "../secret.wav"
            tar.addfile(info)
    assert fault("a.zip/link.wav", root) == "is a link inside the archive; only files are read"
    for name in ("link.wav", "hard.wav", "pipe.wav"):
        assert fault(f"a.tar/{name}", root) == "there is no such file in the archive"
    make_zip(tmp_path / "outside.zip", SOUNDS)
    (root / "b.zip").symlink_to(tmp_path / "outside.zip")
    assert "leads out of the audio folder" in fault("b.zip/inner/1.wav", root)


def test_what_is_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBER", 100_000)
    silent = encoded(np.zeros(RATE * 60, np.float32))  # 1.9 MB, a few kB when deflated
    make_zip(tmp_path / "a.zip", {"x.wav": silent})
    make_tar(tmp_path / "a.tar", {"x.wav": silent})
    pq.write_table(pa.table({"audio": [silent]}), tmp_path / "a.parquet")
    for path in ("a.zip/x.wav", "a.tar/x.wav", "a.parquet/1/audio"):
        assert "at most 100,000 are read from inside an archive" in fault(path, tmp_path)
    # a zip whose directory says that the file is small: no more is taken than it says, and the checksum is wrong
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    at = raw.rindex(b"PK\x01\x02") + 24
    raw[at : at + 4] = struct.pack("<I", 1000)
    (tmp_path / "b.zip").write_bytes(raw)
    assert fault("b.zip/x.wav", tmp_path).startswith("cannot be read from the zip: ")


def test_an_encrypted_file_is_one_line(tmp_path: Path) -> None:
    raw = bytearray(make_zip(tmp_path / "a.zip", {"x.wav": SOUNDS["inner/1.wav"]}).read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(magic) + flags] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    assert "is encrypted" in fault("a.zip/x.wav", tmp_path)


def test_a_folder_called_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.zip").mkdir()
    (tmp_path / "a.zip" / "x.wav").write_bytes(SOUNDS["inner/1.wav"])
    assert decode(Clip(path="a.zip/x.wav", root=str(tmp_path))).seconds == pytest.approx(0.3)


def test_files_of_the_hubs_cache_are_inside_it(tmp_path: Path) -> None:
    """Snapshots hold links into the folder blobs beside them, under names without an ending."""
    blobs, commit = tmp_path / "datasets--o--n" / "blobs", tmp_path / "datasets--o--n" / "snapshots" / "abc"
    (commit / "audio").mkdir(parents=True)
    blobs.mkdir()
    (blobs / "1").write_bytes(SOUNDS["inner/0.wav"])
    make_zip(blobs / "2", SOUNDS)
    (tmp_path / "secret.wav").write_bytes(SOUNDS["inner/1.wav"])
    (commit / "audio" / "a.wav").symlink_to("../../../blobs/1")
    (commit / "b.zip").symlink_to("../../blobs/2")
    (commit / "out.wav").symlink_to("../../../secret.wav")
    (blobs / "out").symlink_to("../../secret.wav")
    (commit / "through.wav").symlink_to("../../blobs/out")
    for root, path in ((commit, "audio/a.wav"), (commit / "audio", "a.wav"), (commit, "b.zip/inner/0.wav")):
        assert decode(Clip(path=path, root=str(root))).seconds == pytest.approx(0.2)
    assert decode(Clip(path="inner/0.wav", root=str(commit / "b.zip"))).seconds == pytest.approx(0.2)
    for path in ("out.wav", "through.wav"):
        assert "leads out of the audio folder" in fault(path, commit)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.wav")
    assert "not a file" in fault("a.wav", tmp_path)


def _hashes(root: str) -> list[str]:
    paths = [f"{name}/{member}" for name in ("a.zip", "a.tar") for member in SOUNDS] * 20
    return [decode(Clip(path=path, root=root)).sha256 for path in paths]


@pytest.mark.slow
def test_threads_and_forked_processes_hear_the_same(tmp_path: Path) -> None:
    make_zip(tmp_path / "a.zip", SOUNDS)
    make_tar(tmp_path / "a.tar", SOUNDS)
    expected = _hashes(str(tmp_path))  # and the zip is open here
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(_hashes, [str(tmp_path)] * 4)) == [expected] * 4
    with multiprocessing.get_context("fork").Pool(2) as processes:
        assert processes.map(_hashes, [str(tmp_path)] * 4) == [expected] * 4
