"""Recordings that two sets share: by their sound, whatever the files are called."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.lazy import lazy

from audiocontrib.items import Clip, Item, Items, make_item
from audiocontrib.training.rows import overlap
from audiocontrib.training.rows.overlap import shared_recordings

soundfile = lazy("soundfile")


def sound(seed: int, seconds: float = 1.0, quiet: float = 0.0) -> np.ndarray:
    """Noise in steps of 16 bits, after so many seconds of silence."""
    noise = np.random.default_rng(seed).integers(-3000, 3000, round(16_000 * seconds)).astype(np.int16)
    return np.concatenate([np.zeros(round(16_000 * quiet), np.int16), noise])


def file(samples: np.ndarray, form: str = "WAV") -> bytes:
    held = io.BytesIO()
    soundfile.write(held, samples, 16_000, format=form, subtype="PCM_16")
    return held.getvalue()


def item(name: str, clip: Clip | None) -> Item:
    return make_item(dataset="toy", own_id=name, question="q", choices=["a", "b"], answer="a", audio=clip)


def saved(folder: Path, name: str, data: bytes) -> Item:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return item(name, Clip(name, str(folder)))


def test_copies_are_found_under_any_name_and_in_any_package(tmp_path: Path) -> None:
    train, held = tmp_path / "train", tmp_path / "held"
    with zipfile.ZipFile(tmp_path / "held.zip", "w") as archive:
        archive.writestr("in/x.flac", file(sound(3), "FLAC"))
    some = [saved(train, f"audio/{seed:04d}.wav", file(sound(seed))) for seed in range(8)]
    some += [saved(train, f"{n}.wav", file(sound(n, quiet=1.0))) for n in (20, 21)]  # begin alike
    same = {
        "other.wav": file(sound(0)),
        "lossless.flac": file(sound(1), "FLAC"),
        "with a longer name.aiff": file(sound(2), "AIFF"),
        "also quiet.wav": file(sound(20, quiet=1.0)),
    }
    others = [saved(held, name, data) for name, data in same.items()]
    others += [item("zip", Clip("held.zip/in/x.flac", str(tmp_path))), item("bytes", Clip(data=file(sound(4))))]
    piece = np.concatenate([sound(100), sound(5), sound(101)])
    whole = saved(held, "piece.wav", file(piece)).audio
    assert whole
    others.append(item("piece", Clip(whole.path, whole.root, start=1.0, end=2.0)))
    apart = [
        saved(held, "audio/0000.wav", file(sound(50))),  # the name is also one of the other set's
        saved(held, "longer.wav", file(np.concatenate([sound(6), sound(60)]))),
        saved(held, "quiet.wav", file(sound(22, quiet=1.0))),
        saved(held, "short.wav", file(sound(7, 0.2))),
        saved(held, "broken.wav", b"RIFF"),
        item("gone", Clip("gone.wav", str(held))),
        item("none", None),
    ]
    kept = tmp_path / "sounds.parquet"
    found = shared_recordings(Items(some), Items([*others, *apart]), kept)
    named = {ours.removeprefix("toy/"): theirs.removeprefix("toy/") for ours, theirs in found}
    assert named == {
        "audio/0000.wav": "other.wav", "audio/0001.wav": "lossless.flac", "audio/0002.wav": "with a longer name.aiff",
        "20.wav": "also quiet.wav", "audio/0003.wav": "zip", "audio/0004.wav": "bytes", "audio/0005.wav": "piece",
    }  # fmt: skip
    assert shared_recordings(Items(some), Items(apart), tmp_path / "other.parquet") == []


def test_what_is_known_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Items([saved(tmp_path / "a", "1.wav", file(sound(1)))])
    two = Items([saved(tmp_path / "b", "1.wav", file(sound(2)))])
    kept, usual, decoded = tmp_path / "kept.parquet", overlap.decode, []
    monkeypatch.setattr(overlap, "decode", lambda clip: (decoded.append(str(clip)), usual(clip))[1])
    assert shared_recordings(one, two, kept) == []
    assert len(decoded) == 2
    assert shared_recordings(one, two, kept) == []
    assert len(decoded) == 2
    saved(tmp_path / "b", "1.wav", file(sound(1)))  # another sound under the old name
    assert shared_recordings(one, two, kept) == [("toy/1.wav", "toy/1.wav")]
    kept.write_bytes(b"no table")
    assert shared_recordings(one, two, kept) == [("toy/1.wav", "toy/1.wav")]
