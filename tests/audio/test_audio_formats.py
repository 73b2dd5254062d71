"""The same tone in every format, rate and number of channels, against librosa's resampling of the tone itself."""

from __future__ import annotations

import importlib.abc
import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.sounds import by_ffmpeg, encoded, resampled

from audiocontrib.audio import RATE, decode, probe
from audiocontrib.errors import BadAudio
from audiocontrib.items import Clip

HERTZ = 1000


def burst(rate: int, channels: int) -> np.ndarray:
    """2 s in which a tone swells and fades within 1.5 s, each channel at a level of its own; (n, channels)."""
    t = np.arange(2 * rate) / rate
    envelope = np.where(np.abs(t - 1) < 0.75, np.cos(np.pi * (t - 1) / 1.5) ** 2, 0)
    mono = 0.4 * np.sin(2 * np.pi * HERTZ * t) * envelope
    return (mono[:, None] * np.linspace(1, 0.5, channels)).astype(np.float32)


def by_libsndfile(form: str, subtype: str | None = None) -> Callable[[np.ndarray, int], bytes]:
    return lambda samples, rate: encoded(samples, rate, form, subtype)


def ffmpeg(form: str, codec: str, bit_rate: int | None = None) -> Callable[[np.ndarray, int], bytes]:
    return lambda samples, rate: by_ffmpeg(samples, rate, form, codec, bit_rate)


# name: rate, channels, encoder, decibels by which the level may differ, largest difference of a sample (the tone's
# own is 0.4). Lossless formats differ by their rounding alone; the others are allowed about twice what was measured.
FORMATS = {
    "MP3": (44_100, 2, by_libsndfile("MP3"), 0.05, 0.02),
    "mu-law WAV": (8_000, 1, by_libsndfile("WAV", "ULAW"), 0.05, 0.02),
    "A-law WAV": (8_000, 1, by_libsndfile("WAV", "ALAW"), 0.05, 0.02),
    "8-bit WAV": (22_050, 2, by_libsndfile("WAV", "PCM_U8"), 0.05, 0.01),
    "32-bit WAV": (32_000, 2, by_libsndfile("WAV", "PCM_32"), 1e-4, 1e-6),
    "Opus": (48_000, 1, by_libsndfile("OGG", "OPUS"), 0.05, 0.01),
    "Vorbis": (44_100, 2, by_libsndfile("OGG", "VORBIS"), 0.1, 0.01),
    "24-bit FLAC": (44_100, 2, by_libsndfile("FLAC", "PCM_24"), 1e-4, 1e-6),
    "96 kHz float WAV": (96_000, 1, by_libsndfile("WAV", "FLOAT"), 1e-6, 1e-7),
    "8 channels": (48_000, 8, by_libsndfile("WAV", "PCM_24"), 1e-4, 1e-6),
    "AIFF": (44_100, 2, by_libsndfile("AIFF", "PCM_24"), 1e-4, 1e-6),
    "M4A": (44_100, 2, ffmpeg("ipod", "aac"), 0.01, 1e-3),
    "M4A, 22 kHz": (22_050, 1, ffmpeg("mp4", "aac"), 0.01, 1e-3),
    "WebM": (48_000, 1, ffmpeg("webm", "libopus"), 0.05, 0.01),
}


def lag_of(got: np.ndarray, wanted: np.ndarray) -> int:
    """Samples by which ``got`` is late, at the best fit."""
    size = 2 * max(len(got), len(wanted))
    fit = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(wanted, size)))
    lag = int(np.argmax(fit))
    return lag - size if lag > size // 2 else lag


def hertz_of(samples: np.ndarray) -> float:
    """The loudest frequency of the middle second, to 1/16 Hz."""
    middle = samples[RATE // 2 : 3 * RATE // 2] * np.hanning(RATE)
    return int(np.argmax(np.abs(np.fft.rfft(middle, 16 * RATE)))) / 16


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_tone_comes_out_of_every_format(name: str) -> None:
    rate, channels, encode, decibels, difference = FORMATS[name]
    samples = burst(rate, channels)
    wanted = resampled(samples, rate)
    clip = Clip(data=encode(samples, rate))
    got = decode(clip).samples
    assert hertz_of(got) == HERTZ
    assert lag_of(got, wanted) == 0
    assert abs(20 * np.log10(np.linalg.norm(got) / np.linalg.norm(wanted))) < decibels
    assert abs(len(got) - len(wanted)) <= 1  # the encoder's padding at the end is cut off
    np.testing.assert_allclose(got[: len(wanted)], wanted[: len(got)], atol=difference)
    about = probe(clip)
    assert about.seconds == pytest.approx(2, abs=0.01)
    assert (about.rate, about.channels) == (rate, channels)


@pytest.mark.parametrize(
    ("form", "codec", "late"), [("adts", "aac", 1024), ("matroska", "aac", 0), ("asf", "wmav2", None)]
)
def test_raw_aac_and_wma_do_not_say_how_long_the_lead_in_is(form: str, codec: str, late: int | None) -> None:
    samples = burst(44_100, 2)
    wanted = resampled(samples, 44_100)
    got = decode(Clip(data=by_ffmpeg(samples, 44_100, form, codec, 128_000))).samples
    assert hertz_of(got) == HERTZ
    if late is not None:
        assert abs(lag_of(got, wanted) - late * RATE / 44_100) <= 1
    assert abs(lag_of(got, wanted)) <= 0.05 * RATE


def m4a_cut_in_its_samples(folder: Path) -> bytes:
    """Two thirds of an M4A whose index stands before its samples."""
    av = pytest.importorskip("av", reason="PyAV is not installed")
    samples = np.random.default_rng(0).normal(0, 0.1, (44_100 * 3, 1)).astype(np.float32)
    whole = by_ffmpeg(samples, 44_100, "mp4", "aac")
    path = folder / "fast.m4a"
    with (
        av.open(io.BytesIO(whole)) as given,
        av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as moved,
    ):
        stream = moved.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(given.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                moved.mux(packet)
    raw = path.read_bytes()
    assert raw.index(b"moov") < raw.index(b"mdat")
    assert decode(Clip(data=raw)).seconds == pytest.approx(3, abs=0.03)
    return raw[: len(raw) * 2 // 3]


def test_files_of_ffmpeg_that_were_cut_short(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (48_000 * 3, 1)).astype(np.float32)
    webm = by_ffmpeg(noise, 48_000, "webm", "libopus")
    m4a = by_ffmpeg(noise, 48_000, "mp4", "aac")
    for raw in (m4a[: len(m4a) // 2], webm[: len(webm) // 2], m4a_cut_in_its_samples(tmp_path)):
        with pytest.raises(BadAudio, match=r"truncated|cannot be decoded") as caught:
            decode(Clip(data=raw))
        assert "\n" not in str(caught.value)
    for raw in (m4a[:40], b"\0\0\0\x20ftypM4A " + bytes(100), b"\x1a\x45\xdf\xa3" + bytes(50), b"#!AMR\n" + b"?" * 50):
        for hear in (decode, probe):
            with pytest.raises(BadAudio):
                hear(Clip(data=raw))


@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("rate", [RATE, 44_100, 11_025])
def test_an_mp3_of_variable_rate_that_does_not_say_its_length_is_heard_whole(rate: int, tagged: bool) -> None:
    """libsndfile guesses the length of such a file by its first frame, and stops there without a word."""
    pytest.importorskip("av", reason="PyAV is not installed")
    samples = np.random.default_rng(0).normal(0, 0.1, (5 * rate, 1)).astype(np.float32)
    samples[: 2 * rate] = 0  # silence takes few bits, noise many
    raw = encoded(samples, rate, "MP3").replace(b"Xing", b"none")
    if tagged:
        raw = b"ID3\x04\0\0" + bytes([0, 0, 3, 8]) + bytes(3 * 128 + 8) + raw
    assert decode(Clip(data=raw)).seconds == pytest.approx(5, abs=0.3)
    assert probe(Clip(data=raw)).seconds == pytest.approx(5, abs=0.3)
    assert probe(Clip(data=raw)).format == "MP3 without its length mp3float"


def test_an_mp3_of_constant_rate_needs_no_tag() -> None:
    raw = by_ffmpeg(burst(44_100, 1), 44_100, "mp3", "libmp3lame", 64_000).replace(b"Info", b"none")
    about = probe(Clip(data=raw))
    assert about.format == "MP3 MPEG_LAYER_III"
    assert about.seconds == pytest.approx(2, abs=0.1)
    assert decode(Clip(data=raw)).seconds == pytest.approx(2, abs=0.1)


def test_ffmpeg_never_guesses(tmp_path: Path) -> None:
    """A playlist names other files; FFmpeg, left to itself, would open them."""
    (tmp_path / "secret.wav").write_bytes(encoded(burst(RATE, 1)))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:2,\nfile://{tmp_path}/secret.wav\n#EXT-X-ENDLIST\n"
    for text in (playlist, f"ffconcat version 1.0\nfile {tmp_path}/secret.wav\n"):
        with pytest.raises(BadAudio, match="cannot be decoded"):
            decode(Clip(data=text.encode()))


def test_without_pyav_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blocked(importlib.abc.MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name == "av":
                raise ImportError(name)

    for name in [n for n in sys.modules if n == "av" or n.startswith("av.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Blocked(), *sys.meta_path])
    with pytest.raises(BadAudio, match=r"is MP4, which libsndfile cannot read; pip install 'audiocontrib\[m4a\]'"):
        decode(Clip(data=b"\0\0\0\x20ftypM4A " + bytes(100)))
