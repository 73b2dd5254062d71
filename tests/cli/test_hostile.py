"""Input made to hurt: each piece is handled or quarantined with one clear line, memory stays bounded, the rest is read.

What single readers and decoders refuse is in their own tests; here it all meets in one data set.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.manifests import ids, lines, quarantined, row, write
from helpers.sounds import encoded, tone

from audiocontrib.audio import RATE, decode, probe
from audiocontrib.errors import AudiocontribError, BadAudio
from audiocontrib.items import Clip, Items, item_from_row
from audiocontrib.sources import load_items
from audiocontrib.sources.jsonfiles import MAX_LINE

MB = 2**20
ARABIC, HEBREW, FAMILY, BIDI = "ما هذا الصوت؟", "איזה צליל נשמע?", "👩‍👩‍👧‍👦", "\u202ecat\u202c"


def wav_header(size: int, rate: int = RATE, form: int = 1, bits: int = 16) -> bytes:
    """44 bytes that promise ``size`` bytes of samples, one channel."""
    step = bits // 8
    about = struct.pack("<4sIHHIIHH", b"fmt ", 16, form, 1, rate, rate * step, step, bits)
    return b"RIFF" + struct.pack("<I", min(size + 36, 0xFFFFFFFF)) + b"WAVE" + about + b"data" + struct.pack("<I", size)


def sparse(path: Path, head: bytes, size: int) -> Path:
    """A file of ``size`` bytes after its head, which takes no room on the disk."""
    path.write_bytes(head)
    with path.open("r+b") as file:
        file.truncate(len(head) + size)
    return path


def hostile_clips(root: Path) -> dict[str, str]:
    """Files in ``root``, and what is said of each; "" where it is heard."""
    good = encoded(tone())
    root.mkdir()
    (root.parent / "secret.wav").write_bytes(good)
    (root / "good.wav").write_bytes(good)
    (root / "link.wav").symlink_to(root.parent / "secret.wav")
    (root / "folder").symlink_to(root.parent)
    (root / "loop.wav").symlink_to(root / "loop.wav")
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        for name in ("../secret.wav", "/secret.wav", "good.wav"):
            archive.writestr(name, good)
    (root / "4gb.wav").write_bytes(wav_header(4_000_000_000) + good[44:])
    (root / "1gb.wav").write_bytes(wav_header(1_900_000_000) + good[44:])
    (root / "chunk.wav").write_bytes(good[:12] + b"LIST\xf0\xff\xff\xff" + good[12:])
    (root / "nan.wav").write_bytes(encoded(np.full(RATE, np.nan, np.float32), subtype="FLOAT"))
    sparse(root / "3hours.wav", wav_header(3 * 3600 * 8000, 8000, form=7, bits=8), 3 * 3600 * 8000)  # mu-law
    sparse(root / "5gb.wav", wav_header(0xFFFFFFFF), 5 * 10**9)
    return {
        "good.wav": "",
        "a.zip/good.wav": "",
        "4gb.wav": "",  # streamed: to the end of what there is
        "link.wav": "leads out of the audio folder",
        "folder/secret.wav": "leads out of the audio folder",
        "loop.wav": "is no path that can be followed|no such file|cannot be read",
        "a.zip/secret.wav": "there is no such file in the archive",
        "1gb.wav": "truncated: 1900000000 bytes of samples promised, 32000 found",
        "chunk.wav": "truncated: a WAV header without samples",
        "nan.wav": "not finite",
        "3hours.wav": "10,800 s is too long; at most 3,600 s are read",
        "5gb.wav": "larger than a WAV can say",
    }


def test_hostile_clips_do_not_touch_the_good_ones(tmp_path: Path) -> None:
    said = hostile_clips(tmp_path / "root")
    rows = [row(n, audio_path=path) for n, path in enumerate(said)]
    bad = ["../secret.wav", "/etc/passwd", "a.zip/../../secret.wav", str(tmp_path / "secret.wav"), "nul\0.wav", ".."]
    rows += [row(100 + n, audio_path=path) for n, path in enumerate(bad)]
    items = load_items(str(write(tmp_path / "root" / "my.jsonl", lines(*rows))))
    assert quarantined(items) == [(len(said) + n, "audio") for n in range(1, len(bad) + 1)]
    for item, (path, reason) in zip(items, said.items(), strict=True):
        assert item.audio is not None
        assert item.audio.path == path
        if not reason:
            assert decode(item.audio).seconds == 1.0
            continue
        with pytest.raises(BadAudio, match=reason) as caught:
            decode(item.audio)
        assert "\n" not in str(caught.value)
        if path != "nan.wav":  # all others are seen without decoding
            with pytest.raises(BadAudio, match=reason):
                probe(item.audio)


def peak_megabytes(script: str, *arguments: str) -> tuple[float, str]:
    """Memory that a script takes above its imports, in a process of its own, and what it prints."""
    if not Path("/proc/self/status").exists():
        pytest.skip("the peak of a process is read from /proc")
    whole = f"""
import sys
import numpy, soundfile, soxr
from audiocontrib.audio import decode, probe
from audiocontrib.items import Clip
from audiocontrib.sources import load_items
from audiocontrib.errors import AudiocontribError
def peak():  # unlike getrusage's, it does not begin with that of the process that started this one
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
before = peak()
{script}
print((peak() - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", whole, *arguments], capture_output=True, text=True, check=True)
    *said, used = done.stdout.splitlines()
    return float(used), "\n".join(said)


def test_what_a_header_claims_takes_no_memory(tmp_path: Path) -> None:
    hostile_clips(tmp_path / "root")
    script = """
for name in ("4gb.wav", "1gb.wav", "3hours.wav", "5gb.wav", "nan.wav", "chunk.wav"):
    try:
        print(decode(Clip(name, sys.argv[1])).seconds)
    except AudiocontribError as error:
        print(error)
"""
    used, said = peak_megabytes(script, str(tmp_path / "root"))
    assert len(said.splitlines()) == 6
    assert said.startswith("1.0\n")
    assert used < 40


@pytest.mark.slow
def test_memory_follows_the_seconds_and_not_the_rate_and_channels(tmp_path: Path) -> None:
    """2 minutes of 8 channels at 96 kHz are 184 MB on the disk, and 8 MB of samples at 16 kHz."""
    head = bytearray(wav_header(120 * 96_000 * 16, 96_000))
    head[22:24], head[28:34] = struct.pack("<H", 8), struct.pack("<IH", 96_000 * 16, 16)
    sparse(tmp_path / "a.wav", bytes(head), 120 * 96_000 * 16)
    about = probe(Clip("a.wav", str(tmp_path)))
    assert (about.seconds, about.rate, about.channels) == (120, 96_000, 8)
    used, said = peak_megabytes("print(decode(Clip('a.wav', sys.argv[1])).seconds)", str(tmp_path))
    assert said == "120.0"
    assert used < 60


@pytest.mark.slow
def test_a_line_of_50_mb_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "my.jsonl"
    long = json.dumps(row(2, question="x" * 50 * MB)).encode()
    path.write_bytes(lines(row(1)).encode() + long + b"\n" + lines(row(3)).encode())
    script = "items = load_items(sys.argv[1])\nprint([i.id for i in items], *items.quarantined)"
    used, said = peak_megabytes(script, str(path))
    reason = f"the line is {len(long) + 1:,} bytes long; less than {MAX_LINE:,} are read"
    assert said == f"['my/q1', 'my/q3'] {path}:2: json: {reason}"
    assert used < 120


def test_a_file_without_line_ends_is_one_line(tmp_path: Path) -> None:
    items = load_items(str(write(tmp_path / "my.jsonl", lines(row(1)).encode() + b"\0" * 40 * MB)))
    assert ids(items) == ["q1"]
    assert items.quarantined[0].reason == f"the line is {40 * MB:,} bytes long; less than {MAX_LINE:,} are read"


@pytest.mark.slow
@pytest.mark.parametrize("size", [MAX_LINE - 2, MAX_LINE - 1, MAX_LINE, 2 * MAX_LINE - 1, 2 * MAX_LINE])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_about_the_limit(size: int, end: bytes, tmp_path: Path) -> None:
    rest = lines(row(3)).encode() if end else b""
    items = load_items(str(write(tmp_path / "my.jsonl", lines(row(1)).encode() + b" " * size + end + rest)))
    assert ids(items) == ["q1", "q3"] if end else ["q1"]
    assert [q.line for q in items.quarantined] == ([] if size < MAX_LINE and size + len(end) <= MAX_LINE else [2])


def test_texts_of_all_kinds_are_kept_to_the_letter(tmp_path: Path) -> None:
    texts = ["x" * 300_000, ARABIC, HEBREW, FAMILY, BIDI, "e\u0301", "a\u2028b", "\ufeffb", "𝄞\U0010fffd"]
    rows = [row(n, question=text, choices=[text, "cat", "cow"], answer=text) for n, text in enumerate(texts)]
    items = load_items(str(write(tmp_path / "my.jsonl", lines(*rows))))
    assert [item.question for item in items] == texts
    assert [item.choices[0] for item in items] == texts
    assert all(item.answer == 0 for item in items)
    stored = [item_from_row(r, items.origin["audio_root"]) for r in items.table.to_pylist()]
    assert list(Items(stored)) == list(items)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_long_lines_of_a_csv(end: str, tmp_path: Path) -> None:
    choices = '"[""dog"", ""cat""]"'
    texts = ["x" * 300_000, "y" * (MAX_LINE + 5), "z"]
    rows = ["id,question,choices,answer,audio_path", *(f"q{n},{t},{choices},cat,a.wav" for n, t in enumerate(texts))]
    path = tmp_path / "my.csv"
    path.write_bytes(("".join(r + end for r in rows)).encode())
    items = load_items(str(path))
    assert ids(items) == ["q0", "q2"]
    assert items[0].question == texts[0]
    assert [str(q) for q in items.quarantined] == [f"{path}:3: csv: the line has more than {MAX_LINE:,} characters"]


def test_a_mark_in_front_of_any_line_is_no_text(tmp_path: Path) -> None:
    """Files that were written with a byte order mark, and then joined."""
    part = b"\xef\xbb\xbf" + lines(row(1)).encode().replace(b"\n", b"\r\n")
    items = load_items(str(write(tmp_path / "my.jsonl", part + part.replace(b"q1", b"q2"))))
    assert ids(items) == ["q1", "q2"]


@pytest.mark.parametrize("name", ["my.jsonl", "my.json", "my.csv"])
@pytest.mark.parametrize("content", [b"", b"\n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_data_set_is_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(AudiocontribError, match="it holds no rows") as caught:
        load_items(str(write(tmp_path / name, content)))
    assert "\n" not in str(caught.value)
