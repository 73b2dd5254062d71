"""Files that hold more than one recording: refused, not heard in part; and neighbours that hold one."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from helpers.sounds import by_ffmpeg, encoded, tone

from audiocontrib.audio import Clip, decode
from audiocontrib.audio.mp3 import frames_and_promise
from audiocontrib.errors import BadAudio

FORMS = {"vorbis": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"), "flac": ("FLAC", None), "mp3": ("MP3", None)}
FORMS |= {"au": ("AU", None)}
ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 0]) + b"\0" * 128
"""An ID3v2 tag of 128 bytes."""


def sound(name: str, seconds: float = 0.5) -> bytes:
    form, subtype = FORMS[name]
    return encoded(tone(seconds), form=form, subtype=subtype)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("count", [2, 3])
def test_recordings_on_end_are_refused(name: str, count: int) -> None:
    with pytest.raises(BadAudio, match=r"holds \d recordings, of which only one would be heard"):
        decode(Clip(data=b"".join(sound(name, 0.5 + n / 10) for n in range(count))))
    with pytest.raises(BadAudio, match="holds 2 recordings"):  # of one name within the stream
        decode(Clip(data=sound(name) * 2))
    assert decode(Clip(data=sound(name))).seconds == pytest.approx(0.5, abs=0.15)


def test_tags_around_an_mp3_or_flac_are_no_recordings() -> None:
    mp3, flac, tail = sound("mp3"), sound("flac"), b"TAG" + b" " * 125
    for data in (ID3 + mp3, mp3 + tail, ID3 + mp3 + tail, mp3 + b"\0" * 2000, ID3 + flac):
        assert decode(Clip(data=data)).seconds == pytest.approx(0.5, abs=0.15)
    for data in (ID3 + mp3 + tail + ID3 + mp3, mp3 + tail + mp3, mp3 + b"\0" * 500 + mp3, ID3 + flac + flac):
        with pytest.raises(BadAudio, match="holds 2 recordings"):
            decode(Clip(data=data))


def test_an_mp3_without_a_promise_is_heard_to_its_end() -> None:
    """libsndfile goes on where no number of frames is said, so nothing is lost."""
    mp3 = sound("mp3", 1.0)
    frames, promised = frames_and_promise(mp3)
    assert promised is not None
    assert abs(frames - promised) <= 1
    bare = mp3[mp3.index(mp3[:2], 4) :]  # from its second frame on
    assert frames_and_promise(bare)[1] is None
    assert decode(Clip(data=bare * 2)).seconds == pytest.approx(2 * decode(Clip(data=bare)).seconds, abs=0.1)


def test_a_container_with_two_tracks_or_two_files() -> None:
    av = pytest.importorskip("av")
    stereo = np.stack([tone(0.5), tone(0.5)], axis=1)
    one = by_ffmpeg(stereo, 16_000, "mp4", "aac")
    with pytest.raises(BadAudio, match="holds 2 recordings"):
        decode(Clip(data=one * 2))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        streams = [container.add_stream("aac", rate=16_000, layout="mono") for _ in range(2)]
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(tone(0.5)[None], format="fltp", layout="mono")
            frame.sample_rate = 16_000
            for part in (frame, None):
                container.mux(stream.encode(part))
    with pytest.raises(BadAudio, match="2 tracks of sound"):
        decode(Clip(data=file.getvalue()))


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_twice_in_an_archive(kind: str, tmp_path: Path) -> None:
    """Unpacked, the last would be kept; which is meant is not known."""
    path, wav = tmp_path / f"clips.{kind}", encoded(tone(0.5))
    names = ["a.wav", "b.wav", "./a.wav"]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, wav)
    else:
        with tarfile.open(path, "w") as tar:
            for name in names:
                info = tarfile.TarInfo(name)
                info.size = len(wav)
                tar.addfile(info, io.BytesIO(wav))
    assert decode(Clip(path=f"clips.{kind}/b.wav", root=str(tmp_path))).seconds == pytest.approx(0.5)
    with pytest.raises(BadAudio, match="several files in the archive are called so"):
        decode(Clip(path=f"clips.{kind}/a.wav", root=str(tmp_path)))
