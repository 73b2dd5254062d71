"""Full disks and damaged files: one line that names the file, and what was written before is kept."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.store_tools import bad, counted, items, manifest, response, start

from audiocontrib.errors import AudiocontribError
from audiocontrib.store import Run, files, write_table_atomic


def leftovers(run: Run) -> list[Path]:
    return list(run.path.rglob("*.tmp"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_in_the_middle_of_a_run(small_disk: Path) -> None:
    run = start(small_disk / "r")
    part = 0

    def fill() -> None:
        nonlocal part
        while part < 1000:
            noise = os.urandom(20_000).hex()
            run.append([response(part, reply=noise)])
            part += 1

    with pytest.raises(AudiocontribError) as caught:
        fill()
    message = str(caught.value)
    assert message.startswith(f"disk full while writing {run.path / 'responses'}")
    assert message.endswith("what was written before is kept; free space and run the same command again")
    assert 0 < part < 1000
    assert counted(run) == (part, part)
    assert leftovers(run) == []
    with pytest.raises(AudiocontribError, match=r"disk full while writing .*items\.parquet"):
        Run.create_or_resume(run.path, manifest(), items(40_000))
    assert len(run.load_items()) == 3
    assert leftovers(run) == []
    # space is freed: the same again goes on
    next((run.path / "responses").glob("*.parquet")).unlink()
    run.append([response(part)])
    assert counted(run) == (part, part)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Error writing bytes to file. Detail: [errno 28] No space left on device"),  # as Arrow has it
    ],
)
@pytest.mark.parametrize("where", ["write_table", "fsync"])
def test_disk_full_wherever_it_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, where: str
) -> None:
    run = start(tmp_path / "r")
    run.append([response(0)])

    def full(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(
            *((files.pq.ParquetWriter, "write_table") if where == "write_table" else (files.os, "fsync")), full
        )
        with pytest.raises(AudiocontribError, match=r"^disk full while writing"):
            run.append([response(1)])
        with pytest.raises(AudiocontribError, match=r"^disk full while writing"):
            run.quarantine([bad(1)])
    assert leftovers(run) == []
    assert counted(run) == (1, 1)
    assert run.quarantined_ids() == set()


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AudiocontribError, match="cannot be written: Not a directory"):
        start(tmp_path / "file" / "r")
    with pytest.raises(AudiocontribError, match="cannot be written: File exists"):
        start(tmp_path / "file")


@pytest.mark.parametrize("damage", ["empty", "short", "tail", "text"])
@pytest.mark.parametrize("part", [0, 2])
def test_a_damaged_part_is_named(tmp_path: Path, damage: str, part: int) -> None:
    run = start(tmp_path / "r")
    for i in range(3):
        run.append([response(i)])
    path = sorted((run.path / "responses").iterdir())[part]
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "short": whole[:6], "tail": whole[:-20], "text": b"x" * 999}[damage])
    for read in (run.answered, run.connect, lambda: run.responses):
        with pytest.raises(AudiocontribError) as caught:
            read()
        assert str(caught.value).startswith(f"{path} is damaged (")
        assert "\n" not in str(caught.value)
    # what the message advises mends it
    path.unlink()
    assert len(run.answered()) == 2


@pytest.mark.parametrize("name", ["items.parquet", "quarantine.parquet", "contributions.parquet"])
def test_other_damaged_files_are_named_and_made_again(tmp_path: Path, name: str) -> None:
    run = start(tmp_path / "r")
    write_table_atomic(items().table.select(["item_id"]), run.path / "contributions.parquet")
    (run.path / name).write_bytes(b"PAR1")
    with pytest.raises(AudiocontribError, match=f"{name} is damaged"):
        run.query("from responses")
    (run.path / name).unlink()
    start(tmp_path / "r")
    assert len(run.query("from items")) == 3


def test_a_damaged_manifest_is_named(tmp_path: Path) -> None:
    run = start(tmp_path / "r")
    (run.path / "run.json").write_text("{")
    with pytest.raises(AudiocontribError, match=r"run\.json is damaged"):
        Run.open(run.path)
