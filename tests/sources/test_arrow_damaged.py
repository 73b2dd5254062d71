"""Arrow files with flipped, cut and repeated bytes: one line or items, never a process that dies."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from audiocontrib.audio.arrow_check import BadArrow, check_arrow
from audiocontrib.audio.decoding import decode
from audiocontrib.errors import AudiocontribError, BadAudio
from audiocontrib.items import Clip
from audiocontrib.sources import load_items


def stream(path: Path) -> Path:
    table = pa.table({
        "id": [f"q{n}" for n in range(5)],
        "question": [f"What is heard in {n}?" for n in range(5)],
        "choices": [["dog", "cat", "cow"]] * 5,
        "answer": ["dog"] * 5,
        "audio": pa.array([{"bytes": b"RIFF" + bytes(40), "path": "a.wav"}] * 5,
                          pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        "kind": pa.array(["a", "b", "a", "b", "a"]).dictionary_encode(),
    })  # fmt: skip
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return path


def mutated(data: bytes, rng: random.Random) -> bytes:
    held, kind = bytearray(data), rng.randrange(4)
    at = rng.randrange(len(held))
    if kind == 0:
        held[at] ^= 1 << rng.randrange(8)
    elif kind == 1:
        held[at : at + 4] = rng.choice([b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 4, bytes(4)])
    elif kind == 2:
        del held[at:]
    else:
        for _ in range(20):
            held[rng.randrange(len(held))] = rng.randrange(256)
    return bytes(held)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = stream(tmp_path / "data-00000-of-00001.arrow")
    check_arrow(path)
    assert len(load_items(str(path), name="toy")) == 5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_file_is_one_line(seed: int, tmp_path: Path) -> None:
    rng, data = random.Random(seed), stream(tmp_path / "whole.arrow").read_bytes()
    refused = 0
    for n in range(5):
        path = tmp_path / f"data-{n}.arrow"
        path.write_bytes(mutated(data, rng))
        try:
            assert len(load_items(str(path), name="toy")) <= 5
        except AudiocontribError as error:
            refused += len(str(error).splitlines())
        with pytest.raises(BadAudio):
            decode(Clip(f"{path.name}/1/audio", str(tmp_path)))  # the bytes are no sound in any case
    assert 0 < refused <= 5


def test_a_reader_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stream(tmp_path / "x.arrow")
    monkeypatch.setattr("audiocontrib.audio.arrow_check._CHECK", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(BadArrow, match="ends the process \\(SIGSEGV\\)"):
        check_arrow(path)
