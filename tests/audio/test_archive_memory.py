"""What is taken out of an archive is in memory once, and a large row group of a Parquet file not as a whole."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audiocontrib.audio import archives
from audiocontrib.audio.archives import MAX_MEMBER, BadMember, read_member

MB = 2**20


def peak(path: Path, name: str) -> float:
    """MB that a process takes for one file of an archive, above what it had before."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    code = (
        "import sys; from pathlib import Path; import pyarrow.parquet; from audiocontrib.audio.archives import *\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024\n"
        "before = peak(); n = len(read_member(Path(sys.argv[1]), sys.argv[2])); print(n, peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), name], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[1])


@pytest.mark.slow
def test_a_member_of_a_zip_is_in_memory_once(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file, file.open("a.wav", "w") as member:
        for _ in range(200):
            member.write(bytes(MB))
    assert path.stat().st_size < 2 * MB
    assert peak(path, "a.wav") < 230


@pytest.mark.parametrize("size", [0, 1, 5, archives.BLOCK - 1, archives.BLOCK, archives.BLOCK + 1])
def test_members_of_any_size_are_whole(size: int, tmp_path: Path) -> None:
    data = bytes(n % 251 for n in range(size))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", data)
    assert read_member(tmp_path / "x.zip", "a") == data


def test_a_member_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.wav", b"abc")
    data = bytearray(path.read_bytes())
    place = data.rfind(b"PK\x01\x02")
    data[place + 24 : place + 28] = (MAX_MEMBER + 1).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(BadMember, match="unpack it"):
        read_member(path, "a.wav")


@pytest.mark.slow
def test_a_large_row_group_is_not_kept_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [bytes([n]) * (4 * MB) for n in range(64)]
    table = pa.table({"audio": pa.array([{"bytes": cell, "path": "x"} for cell in cells])})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=64, compression="zstd", use_dictionary=False, write_batch_size=1)
    assert peak(path, "40/audio") < 160
    for limit in (archives.GROUP_BYTES, 2**40, 0):
        monkeypatch.setattr(archives, "GROUP_BYTES", limit)
        for row in (1, 8, 9, 64):
            assert read_member(path, f"{row}/audio") == cells[row - 1]
        for name in ("65/audio", "0/audio", "1/other"):
            with pytest.raises(BadMember):
                read_member(path, name)
